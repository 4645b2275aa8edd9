"""Which hosts are talked to: a cloud's name, or an endpoints file, decides all of them together.

Nothing else in trustsmith may hold a host name of Azure's or GitHub's to talk to; other issuers, which are only
compared, are in ``model.issuers``. This module opens no connection; the
only file it reads is the endpoints file it is given. See docs/endpoints.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit

from trustsmith.errors import UsageError

AUDIENCE = "api://AzureADTokenExchange"
"""What azure/login asks GitHub for in every cloud unless told otherwise, so what credentials must say too."""

FROM_FILE = "file"
"""What the cloud of an endpoints file is called."""

_AZURE_URLS = ("authority", "graph", "resource_manager")
_AZURE_SCOPES = ("graph_scope", "resource_manager_scope", "foundry_scope")
_GITHUB_URLS = ("api", "issuer", "web")
_SCHEMA = 1


@dataclass(frozen=True)
class Endpoints:
    """URLs without a trailing slash; scopes as tokens are asked for (``…/.default``).

    `foundry_scope` is None where no published source names it (the sovereign clouds). `ca_bundle` is a PEM
    file or None for the environment's or the system's certificates. `discovery` is False whenever the
    authority came from a file: such an authority is trusted as named, not looked up in the public cloud.
    """

    cloud: str
    authority: str
    graph: str
    resource_manager: str
    graph_scope: str
    resource_manager_scope: str
    foundry_scope: str | None
    audience: str
    api: str
    issuer: str
    web: str
    ca_bundle: str | None = None
    discovery: bool = True

    @property
    def github_host(self) -> str:
        """The host people know GitHub by ("github.com"), with its port if it has one."""
        return urlsplit(self.web).netloc

    def refined(self, enterprise: str | None, audience: str | None) -> Self:
        """The same with a configuration's enterprise in GitHub's issuer and its audience, where it names them.

        The issuer of an endpoints file is used exactly as written there. Source of the form with an enterprise's slug:
        GitHub Docs, "OpenID Connect reference".
        """
        named = enterprise and self.cloud != FROM_FILE
        issuer = f"{self.issuer}/{enterprise}" if named else self.issuer
        return replace(self, issuer=issuer, audience=audience or self.audience)

    def foundry(self) -> str:
        """Return the scope of Foundry's data plane; raises UsageError where it is not known."""
        if self.foundry_scope is None:
            raise UsageError(
                f"The token scope of Foundry in {self.cloud} is not published.",
                hint="Name it as azure.foundry_scope in an endpoints file and pass that with --endpoints.",
            )
        return self.foundry_scope


@dataclass(frozen=True)
class _Cloud:
    authority: str
    graph: str
    resource_manager: str
    foundry_scope: str | None
    login: str | None


# Hosts as Azure CLI 2.91 knows them; `login` is what azure/login v3 calls the cloud (it does not know Bleu).
_CLOUDS = {
    "AzureCloud": _Cloud(
        "https://login.microsoftonline.com",
        "https://graph.microsoft.com",
        "https://management.azure.com",
        "https://ai.azure.com/.default",
        "azurecloud",
    ),
    "AzureUSGovernment": _Cloud(
        "https://login.microsoftonline.us",
        "https://graph.microsoft.us",
        "https://management.usgovcloudapi.net",
        None,
        "azureusgovernment",
    ),
    "AzureChinaCloud": _Cloud(
        "https://login.chinacloudapi.cn",
        "https://microsoftgraph.chinacloudapi.cn",
        "https://management.chinacloudapi.cn",
        None,
        "azurechinacloud",
    ),
    "AzureBleuCloud": _Cloud(
        "https://login.sovcloud-identity.fr",
        "https://graph.svc.sovcloud.fr",
        "https://management.sovcloud-api.fr",
        None,
        None,
    ),
}


def _cloud(name: str) -> _Cloud:
    if name not in _CLOUDS:
        raise UsageError(f"Unknown cloud {name!r}.", hint=f"Known clouds: {', '.join(_CLOUDS)}.")
    return _CLOUDS[name]


def login_environment(cloud: str) -> str:
    """Return what azure/login calls a cloud in its ``environment`` input; raises UsageError if it cannot."""
    login = _cloud(cloud).login
    if login is None:
        raise UsageError(
            f"The azure/login action does not know {cloud}, so its workflows cannot sign in there.",
            hint="See the action's documentation for the clouds that it supports.",
        )
    return login


def _github(host: str) -> tuple[str, str, str]:
    """Return API, issuer and web of a GitHub host (GitHub docs: OIDC reference; REST on enterprise servers)."""
    host = host.strip().rstrip("/").lower()
    if not host or "/" in host or "@" in host:
        raise UsageError(f"{host!r} is not a host name.", hint="For example: github.com, octo.ghe.com")
    if host == "github.com":
        api, issuer = "https://api.github.com", "https://token.actions.githubusercontent.com"
    elif host.endswith(".ghe.com"):
        api, issuer = f"https://api.{host}", f"https://token.actions.{host}"
    else:
        api, issuer = f"https://{host}/api/v3", f"https://{host}/_services/token"
    return api, issuer, f"https://{host}"


def for_cloud(cloud: str = "AzureCloud", github_host: str = "github.com") -> Endpoints:
    """Return the hosts of an Azure cloud (Azure CLI's name for it) and of a GitHub host.

    Raises UsageError for a cloud or a host that cannot be.
    """
    found = _cloud(cloud)
    api, issuer, web = _github(github_host)
    return Endpoints(
        cloud=cloud,
        authority=found.authority,
        graph=found.graph,
        resource_manager=found.resource_manager,
        graph_scope=f"{found.graph}/.default",
        resource_manager_scope=f"{found.resource_manager}/.default",
        foundry_scope=found.foundry_scope,
        audience=AUDIENCE,
        api=api,
        issuer=issuer,
        web=web,
    )


def from_file(path: str | Path) -> Endpoints:
    """Read an endpoints file (JSON, schema 1); raises UsageError that lists everything wrong with it."""
    file = Path(path)
    data = _read(file)
    azure, github, problems = _sections(data)
    for section, values, urls in (("azure", azure, _AZURE_URLS), ("github", github, _GITHUB_URLS)):
        for key in urls:
            problems += _url_problems(f"{section}.{key}", values.get(key))
    for key in (*_AZURE_SCOPES, "audience"):
        problems += _text_problems(f"azure.{key}", azure.get(key), scope=key != "audience")
    bundle, bundle_problems = _bundle(file, data.get("ca_bundle"))
    problems += bundle_problems
    if problems:
        raise _refusal(file, problems)
    hosts = azure | github
    # Not the issuer: it is compared byte for byte with a token's `iss`.
    for key in (*_AZURE_URLS, "api", "web"):
        hosts[key] = hosts[key].rstrip("/")
    return Endpoints(cloud=FROM_FILE, ca_bundle=bundle, discovery=False, **hosts)


def _refusal(file: Path, problems: list[str]) -> UsageError:
    count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
    listed = "".join(f"\n  {problem}" for problem in problems)
    return UsageError(
        f"The endpoints file {file} has {count}:{listed}",
        hint="docs/endpoints.md shows the format; `trustsmith sandbox --endpoints-file` writes one.",
    )


def _read(file: Path) -> dict[str, Any]:
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"Cannot read the endpoints file {file}: {error.strerror}.",
            hint="Is the sandbox that wrote it still served? Source its exports again, or for real services:\n"
            "  unset TRUSTSMITH_ENDPOINTS",
        ) from error
    except json.JSONDecodeError as error:
        raise _refusal(file, [f"line {error.lineno}, column {error.colno}: {error.msg}"]) from error
    except UnicodeDecodeError as error:
        raise _refusal(file, ["it is not UTF-8 text"]) from error
    if not isinstance(data, dict):
        raise _refusal(file, ["it must be a JSON object"])
    return data


def _sections(data: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Return the two sections, empty where they are no objects, and what is wrong with all the keys."""
    problems = _key_problems("", data, {"schema", "azure", "github", "ca_bundle"})
    if "schema" in data and data["schema"] != _SCHEMA:
        problems.append(f"schema: must be {_SCHEMA}")
    sections: list[dict[str, Any]] = []
    wanted = {"azure": {*_AZURE_URLS, *_AZURE_SCOPES, "audience"}, "github": {*_GITHUB_URLS}}
    for name, keys in wanted.items():
        section = data.get(name, {})
        if isinstance(section, dict):
            problems += _key_problems(f"{name}.", section, keys) if name in data else []
        else:
            problems.append(f"{name}: must be an object")
        sections.append(section if isinstance(section, dict) else {})
    return sections[0], sections[1], problems


def _key_problems(prefix: str, values: dict[str, Any], wanted: set[str]) -> list[str]:
    # Only the CA bundle may be null; a null elsewhere says as little as a missing key does.
    given = {key for key, value in values.items() if value is not None or key == "ca_bundle"}
    missing = [f"{prefix}{key}: missing" for key in sorted(wanted - given)]
    unknown = [f"{prefix}{key}: unknown key" for key in sorted(set(values) - wanted)]
    return missing + unknown


def _url_problems(name: str, value: object) -> list[str]:
    if value is None:
        return []  # already reported as missing
    parts = _split(value)
    if parts is None or parts.scheme != "https" or not parts.hostname:
        return [f"{name}: must be an https:// URL"]
    if parts.username is not None or parts.password is not None:
        return [f"{name}: must not carry a user name or a password"]
    if parts.query or parts.fragment:
        return [f"{name}: must not have a query or a fragment"]
    return []


def _split(value: object) -> SplitResult | None:
    if not isinstance(value, str) or any(c.isspace() for c in value):
        return None
    try:
        parts = urlsplit(value)
        _ = parts.port  # looked at only here: it raises if it is no number
    except ValueError:
        return None
    return parts


def _text_problems(name: str, value: object, *, scope: bool) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, str) or not value or any(c.isspace() for c in value):
        return [f"{name}: must be text without blanks"]
    return [f"{name}: must end in /.default"] if scope and not value.endswith("/.default") else []


def _bundle(file: Path, value: object) -> tuple[str | None, list[str]]:
    """Return the CA bundle's path; a relative one starts at the endpoints file, wherever that is run from."""
    if value is None:
        return None, []
    if not isinstance(value, str) or not value:
        return None, ["ca_bundle: must be a path or null"]
    bundle = file.resolve().parent / value
    return str(bundle), [] if bundle.is_file() else [f"ca_bundle: there is no file {value}"]
