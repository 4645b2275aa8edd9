"""The kinds of long-lived Azure credentials that workflows use, and what takes their place. A table; no code.

`docs/migrate.md` has a section for each, and a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pattern:
    """One kind of use.

    id: in kebab case. says: what is done there, in a few words. replacement: what does it without a secret.
    entra: whether what is used is a secret of an Entra application; other keys are listed and left to you.
    """

    id: str
    says: str
    replacement: str
    entra: bool = True


AZURE_LOGIN_CREDS = "azure-login-creds"
AZURE_LOGIN_CLIENT_SECRET = "azure-login-client-secret"  # noqa: S105 - a pattern's name
ACTION_CREDS = "action-creds"
ACTION_CLIENT_SECRET = "action-client-secret"  # noqa: S105 - as above
AZ_LOGIN_SECRET = "az-login-secret"  # noqa: S105 - as above
AZD_CLIENT_SECRET = "azd-client-secret"  # noqa: S105 - as above
POWERSHELL_CREDENTIAL = "powershell-credential"
ENV_CLIENT_SECRET = "env-client-secret"  # noqa: S105 - as above
TERRAFORM_SECRET = "terraform-secret"  # noqa: S105 - as above
CREDENTIALS_JSON = "credentials-json"
WORKFLOW_SECRETS = "workflow-secrets"
SECRET_CONDITION = "secret-condition"  # noqa: S105 - as above
OTHER_USE = "other-use"
REGISTRY_PASSWORD = "registry-password"  # noqa: S105 - as above
API_KEY = "api-key"
STORAGE_KEY = "storage-key"
PUBLISH_CREDENTIAL = "publish-credential"

_LOGIN = "azure/login with client-id, tenant-id and subscription-id, in a job with id-token: write and an environment"

PATTERNS = {
    pattern.id: pattern
    for pattern in (
        Pattern(AZURE_LOGIN_CREDS, "azure/login signs in with a secret", _LOGIN),
        Pattern(
            AZURE_LOGIN_CLIENT_SECRET,
            "azure/login is given a secret in an input that it does not have",
            "nothing: azure/login signs in without it",
        ),
        Pattern(
            ACTION_CREDS,
            "an action signs in with a secret of its own",
            f"{_LOGIN}, before a version of the action that uses its sign-in",
        ),
        Pattern(
            ACTION_CLIENT_SECRET,
            "an action is given a client secret",
            "a version of the action that uses azure/login's sign-in, if there is one",
        ),
        Pattern(AZ_LOGIN_SECRET, "Azure CLI signs in with a secret", _LOGIN),
        Pattern(
            AZD_CLIENT_SECRET,
            "azd signs in with a secret",
            "azd auth login --federated-credential-provider github",
        ),
        Pattern(
            POWERSHELL_CREDENTIAL,
            "Azure PowerShell signs in with a secret",
            f"{_LOGIN}, and enable-AzPSSession: true",
        ),
        Pattern(
            ENV_CLIENT_SECRET,
            "the Azure SDKs read a client secret from a variable",
            f"{_LOGIN}, whose sign-in the SDKs use when the variable is gone",
        ),
        Pattern(
            TERRAFORM_SECRET,
            "Terraform signs in with a client secret",
            'ARM_USE_OIDC: "true" in a job with id-token: write',
        ),
        Pattern(
            CREDENTIALS_JSON,
            "the credential is taken apart",
            "vars.AZURE_CLIENT_ID, vars.AZURE_TENANT_ID and vars.AZURE_SUBSCRIPTION_ID for the ids; no secret",
        ),
        Pattern(
            WORKFLOW_SECRETS,
            "a reusable workflow is given the credential",
            "id-token: write for the job that calls it; the environment is set in the job that is called",
        ),
        Pattern(
            SECRET_CONDITION,
            "something is done only while the secret exists",
            "a condition on vars.AZURE_CLIENT_ID, or none",
        ),
        Pattern(OTHER_USE, "the credential is used in a way of its own", _LOGIN),
        Pattern(
            REGISTRY_PASSWORD,
            "a container registry is signed in to with a password",
            "azure/login and az acr login, with the role AcrPush or AcrPull",
            entra=False,
        ),
        Pattern(
            API_KEY,
            "a key of Foundry or Azure OpenAI is used",
            "a token of azure/login's sign-in (DefaultAzureCredential), and local authentication turned off",
            entra=False,
        ),
        Pattern(
            STORAGE_KEY,
            "a key of a storage account is used",
            "azure/login's sign-in (--auth-mode login; for Terraform's state use_azuread_auth), with a role on the data",
            entra=False,
        ),
        Pattern(
            PUBLISH_CREDENTIAL,
            "an app's own publishing credential is used",
            "azure/login before the deployment, without the credential, where the action can do that",
            entra=False,
        ),
    )
}
