"""The names the sandbox goes by: its own origin, or (with ``--production-names``) the public cloud's hosts.

One object answers "what is our issuer called, what may a token be for, where is a project". It must not
know any state, and it must not be asked by a client: clients learn names from answers and from the
endpoints file.
"""

from __future__ import annotations

from dataclasses import dataclass

AUDIENCE = "api://AzureADTokenExchange"
"""What federated credentials and assertions agree on in the public cloud (Entra workload identity docs)."""

_ARM_NAMES = ("https://management.azure.com", "https://management.core.windows.net")
_GRAPH_NAMES = ("https://graph.microsoft.com", "https://graph.windows.net")
_FOUNDRY_NAMES = ("https://ai.azure.com", "https://cognitiveservices.azure.com")


@dataclass(frozen=True)
class Names:
    """URLs without a trailing slash. ``origin`` is ``https://host:port``, where the sandbox really listens."""

    origin: str
    production: bool = False

    def _named(self, production: str, path: str = "") -> str:
        return production if self.production else self.origin + path

    @property
    def authority(self) -> str:
        """Entra's root: tokens are at ``{authority}/{tenant}/oauth2/v2.0/token``."""
        return self._named("https://login.microsoftonline.com")

    @property
    def graph(self) -> str:
        """Microsoft Graph's root; clients append ``/v1.0``."""
        return self._named("https://graph.microsoft.com")

    @property
    def resource_manager(self) -> str:
        """Azure Resource Manager's root."""
        return self._named("https://management.azure.com")

    @property
    def github_api(self) -> str:
        """GitHub's REST root: a host of its own in production, ``/api/v3`` as on an enterprise server."""
        return self._named("https://api.github.com", "/api/v3")

    @property
    def github_web(self) -> str:
        """Where people look at repositories."""
        return self._named("https://github.com")

    @property
    def issuer(self) -> str:
        """The ``iss`` of Actions tokens; an enterprise server's is ``https://HOST/_services/token``."""
        return self._named("https://token.actions.githubusercontent.com", "/_services/token")

    @property
    def workload_issuer(self) -> str:
        """The ``iss`` of the operator's own assertion: always ours, whatever names are in use."""
        return self.origin + "/_workload"

    def project_endpoint(self, account: str, project: str) -> str:
        """Where a Foundry project's data plane is; path-based unless production names are in use."""
        host = (
            f"https://{account}.services.ai.azure.com"
            if self.production
            else f"{self.origin}/foundry/{account}"
        )
        return f"{host}/api/projects/{project}"

    def scope(self, service: str) -> str:
        """Return the scope a client asks for: ``service`` is graph, arm or foundry."""
        own = {"graph": f"{self.origin}/", "arm": f"{self.origin}/arm"}
        public = {"graph": "https://graph.microsoft.com", "arm": "https://management.azure.com"}
        known = public if self.production else own
        return known.get(service, "https://ai.azure.com").rstrip("/") + "/.default"

    def service_of(self, resource: str) -> str | None:
        """Which service a token resource is for (``arm``, ``graph``, ``foundry``), or None if it is nobody's."""
        bare = resource.rstrip("/")
        table = {f"{self.origin}/arm": "arm", self.origin: "graph"}
        table |= dict.fromkeys(_ARM_NAMES, "arm") | dict.fromkeys(_GRAPH_NAMES, "graph")
        table |= dict.fromkeys(_FOUNDRY_NAMES, "foundry")
        return table.get(bare)
