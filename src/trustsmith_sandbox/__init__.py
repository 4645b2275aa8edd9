"""A pretend Azure and GitHub on loopback: real HTTPS, real signatures, real refusals.

Entra's token endpoint, Microsoft Graph, Azure Resource Manager, Foundry's project endpoint, GitHub's REST
API and GitHub's OIDC issuer share one origin and one ``world``. It is another program in trustsmith's
wheel: it must not import trustsmith, and trustsmith must not import it; between them is only HTTP.
"""
