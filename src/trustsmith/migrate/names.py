"""What the names of secrets and variables say: which are those of long-lived Azure credentials, and of what kind.

Names that many workflows and Microsoft's own documentation use. A name that does not say Azure says nothing. Must not
look at anything but names.
"""

from __future__ import annotations

import re

from trustsmith.migrate import patterns


def _any(*names: str) -> re.Pattern[str]:
    return re.compile("|".join(names))


_API_KEYS = (
    r"AZURE_?OPENAI(_\w+)?_(API_?)?KEY",
    r"AZURE_?(AI|INFERENCE|AIINFERENCE)(_\w+)?_(API_?)?KEY",
    r"AZURE_?INFERENCE_CREDENTIAL",
    r"AZURE_?AI_(PROJECT_)?CONNECTION_?STRING",
    r"AOAI(_\w+)?_KEY",
)

#: Variables that the Azure SDKs, Azure CLI, Terraform and others read by themselves.
_VARIABLES = {
    patterns.ENV_CLIENT_SECRET: _any(
        r"AZURE_CLIENT_SECRET|AZURE_CLIENT_CERTIFICATE(_PATH|_PASSWORD)?",
        r"AZURE_SECRET",  # Ansible
    ),
    patterns.TERRAFORM_SECRET: _any(
        r"ARM_CLIENT_SECRET|ARM_CLIENT_CERTIFICATE(_PATH|_PASSWORD)?",
        r"(TF|PKR)_VAR_\w*(CLIENT_SECRET|(SP|SPN|PRINCIPAL)_(PASSWORD|SECRET))\w*",
    ),
    patterns.STORAGE_KEY: _any(
        r"ARM_ACCESS_KEY|ARM_SAS_TOKEN",
        r"AZURE_STORAGE_(KEY|ACCESS_KEY|ACCOUNT_KEY|CONNECTION_STRING|SAS_TOKEN)",
    ),
    patterns.API_KEY: _any(*_API_KEYS),
}

_AZURE = r"(?<![A-Z])(?:AZURE|AZ|ARM|AAD|ENTRA)"
_WHO = r"(?:CLIENT|APP|APPLICATION|SP|SPN|PRINCIPAL|SERVICEPRINCIPAL)"
_WORD = r"(?:SECRET|PASSWORD|PASSWD|PASS|PWD|KEY)"
_SECRETS = {
    patterns.PUBLISH_CREDENTIAL: _any(
        r"(AZURE|WEB_?APP|FUNC(TION)?S?(_?APP)?|APP_?SERVICE)\w*_PUBLISH_?PROFILE",
        r"AZURE_STATIC_WEB_APPS_API_TOKEN",
    ),
    patterns.REGISTRY_PASSWORD: _any(
        rf"(?<![A-Z])(ACR|AZURECR|AZURE_ACR|AZURE_(CONTAINER_)?REGISTRY)_(\w+_)?{_WORD}(?![A-Z])",
        r"(?<![A-Z])ACR_(\w+_)?TOKEN(?![A-Z])",
    ),
    patterns.API_KEY: _any(*_API_KEYS),
    patterns.STORAGE_KEY: _any(
        r"ARM_ACCESS_KEY|ARM_SAS_TOKEN|STORAGE_ACCOUNT_(ACCESS_)?KEY",
        r"AZURE_(\w+_)?STORAGE_(\w+_)?(KEY|CONNECTION(_?STRING)?|SAS(_TOKEN)?)(?![A-Z])",
    ),
    patterns.OTHER_USE: _any(
        rf"{_AZURE}_?(\w+_)?(CREDENTIALS?|CREDS?)(?![A-Z])",
        rf"{_AZURE}_?(\w+_)?{_WHO}_?{_WORD}(?![A-Z])",
        rf"(?<![A-Z])SERVICE_PRINCIPAL_({_WORD}|CREDENTIALS?)(?![A-Z])",
        r"(?<![A-Z])AZURE_(SPN?|SERVICE_PRINCIPAL)(_(JSON|CREDENTIALS?|SECRET|AUTH))?$|^AZURE_SECRET$",
    ),
}
#: Databases and other services, whose passwords and keys Entra does not replace in this way.
_OTHERS = re.compile(
    r"DATABRICKS|DEVOPS|SQL|POSTGRES|PGSQL|MYSQL|(?<![A-Z])DB(?![A-Z])|DATABASE|COSMOS|REDIS|SIGNALR|MAPS|SEARCH_?ADMIN|_ID$"
)
_IDS = re.compile(
    r"(CLIENT|TENANT|SUBSCRIPTION|APP|APPLICATION|PRINCIPAL|SP|SPN)_?ID(?![A-Z])|USER(NAME)?(?![A-Z])|SERVER|ENDPOINT|_NAME$|_URL$"
)


_LONGEST = 500


def of_variable(name: str) -> str:
    """The pattern of a variable that tools read by themselves, or ""."""
    name = _plain(name)
    return next((pattern for pattern, names in _VARIABLES.items() if names.fullmatch(name)), "")


def of_secret(name: str) -> str:
    """The pattern that a secret's name suggests: `other-use` for those of Entra's applications; "" for all others."""
    name = _plain(name)
    if _OTHERS.search(name):
        return ""
    return next((pattern for pattern, names in _SECRETS.items() if names.search(name)), "")


def _plain(name: str) -> str:
    """In capitals; .NET's two underscores are one level of a setting. No name of GitHub's or of a system's is longer."""
    return name[:_LONGEST].upper().replace("__", "_")


def is_id(name: str) -> bool:
    """Whether a name is that of an id, a user or an address: no secret, wherever it is kept."""
    return _IDS.search(name[:_LONGEST].upper()) is not None


def of_registry(text: str) -> bool:
    """Whether an address or a name is that of an Azure container registry."""
    return (
        re.search(r"azurecr\.|(?<![a-z])acr(?![a-z])|azurecr|azure|login_?server", text, re.IGNORECASE)
        is not None
    )
