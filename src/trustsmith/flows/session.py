"""What one run talks to: the file, the endpoints, and one client a service, opened when first needed.

Must not decide anything: it only hands out what the flows need, and closes it.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, Self

from trustsmith import __version__, pinsfile
from trustsmith.apply import Listener
from trustsmith.clients.endpoints import Endpoints, for_cloud, from_file
from trustsmith.configfile import Source, load
from trustsmith.configfile import read as read_config
from trustsmith.errors import ConfigError, TrustsmithError
from trustsmith.model.config import CLOUDS, CONFIG_PATH, Config
from trustsmith.model.observing import readable
from trustsmith.model.pins import PINS_NAME
from trustsmith.model.resources import WorkflowFile
from trustsmith.render import Site, catalogue, login_environment, own_folder, problems, render
from trustsmith.systems import together
from trustsmith.systems.azure import AzureWriter
from trustsmith.systems.entra import EntraWriter
from trustsmith.systems.github import GitHubWriter
from trustsmith.systems.sight import Sight
from trustsmith.systems.worktree import WorktreeWriter

if TYPE_CHECKING:
    from collections.abc import Collection

    from trustsmith.clients.arm import Arm
    from trustsmith.clients.credentials import Credentials
    from trustsmith.clients.github import GitHub
    from trustsmith.clients.graph import Graph
    from trustsmith.errors import Problem
    from trustsmith.model.resource import Side
    from trustsmith.systems import Reader, Writer

ENDPOINTS_VARIABLE = "TRUSTSMITH_ENDPOINTS"
SignIn = Literal["auto", "browser", "device-code"]


class Talk(Listener, Protocol):
    """What a flow tells people while it works; nothing of it is data."""

    def step(self, text: str) -> None:
        """What is being done now."""
        ...

    def note(self, text: str) -> None:
        """Something worth knowing."""
        ...

    def warn(self, text: str) -> None:
        """Something that may hurt later."""
        ...

    def waiting(self, operation: str, why: str, seconds: float) -> None:
        """A wait before trying again."""
        ...


@dataclass(frozen=True)
class Options:
    """Where the checkout and the files are, and how to sign in. config, endpoints: None for the usual places.

    out: where workflow files are written instead of the checkout.
    """

    root: Path = field(default_factory=Path.cwd)
    config: Path | None = None
    endpoints: Path | None = None
    sign_in: SignIn = "auto"
    out: Path | None = None

    @property
    def config_path(self) -> Path:
        """Where the configuration is, or will be."""
        return self.root / (self.config or CONFIG_PATH)

    @property
    def config_name(self) -> str:
        """The configuration's path seen from the checkout's top, with `/`, in whatever way it was given."""
        top, path = os.path.abspath(self.root), os.path.abspath(self.config_path)  # noqa: PTH100 - links stay
        if not Path(path).is_relative_to(top):
            top, path = os.path.realpath(top), os.path.realpath(path)
        return Path(os.path.relpath(path, top)).as_posix()

    @property
    def pins_path(self) -> Path:
        """Where the repository's own pins of actions are, if it has any."""
        return self.config_path.with_name(PINS_NAME)

    def read_config(self) -> Source:
        """The configuration, with the pins beside it, and with templates that are there and take what it gives them.

        Raises UsageError, or ConfigError with the problems of both files.
        """
        try:
            source = self.pinned(read_config(self.config_path))
        except ConfigError as error:
            raise ConfigError(sorted({*error.problems, *self._problems_of_pins()})) from None
        return self.with_templates(source)

    def read_any_config(self) -> Source | None:
        """The same; None where there is no file yet."""
        return self.read_config() if self.config_path.exists() else None

    def with_templates(self, source: Source) -> Source:
        """The same, if its templates are there and take what it gives them. Raises UsageError or ConfigError."""
        known = catalogue(own_folder(source.config, self.root))
        found = [one for workflow in source.config.workflows for one in problems(workflow, known)]
        if found:
            raise ConfigError([source.problem(one.path, one.message, one.hint) for one in found])
        return source

    def pinned(self, source: Source) -> Source:
        """A configuration that was not read from its file, with the pins beside that. Raises UsageError or ConfigError."""
        return replace(source, config=replace(source.config, pins=pinsfile.read(self.pins_path)))

    def _problems_of_pins(self) -> list[Problem]:
        try:
            pinsfile.read(self.pins_path)
        except ConfigError as error:
            return error.problems
        return []

    def choose_endpoints(self, cloud: str, github: str, config: Config | None) -> Endpoints:
        """The endpoints file when there is one, else the cloud's and the host's own; refined by the configuration.

        Raises UsageError.
        """
        file = self.endpoints or os.environ.get(ENDPOINTS_VARIABLE)
        endpoints = from_file(file) if file else for_cloud(cloud, github)
        return endpoints.refined(config.enterprise, config.audience) if config else endpoints


def rendered(config: Config, endpoints: Endpoints, options: Options) -> list[WorkflowFile]:
    """The workflow files of a configuration in the checkout. Raises UsageError."""
    site = Site(
        authority=endpoints.authority,
        audience=endpoints.audience,
        foundry_scope=endpoints.foundry(),
        login_environment=login_environment(config.cloud),
        version=__version__,
        config=options.config_name,
    )
    return [WorkflowFile.of(file.path, file.text) for file in render(config, site, options.root)]


class Session:
    """One run's clients. Use it within one event loop, and close it there."""

    def __init__(
        self,
        options: Options,
        talk: Talk,
        *,
        cloud: str,
        github: str,
        tenant: str | None,
        config: Config | None = None,
        observing: bool = False,
    ) -> None:
        """tenant: that tokens must be of; None to take that of the sign-in. config: when there is one already.

        observing: what may not be read is remembered, and no error.
        """
        self.options = options
        self.talk = talk
        self.tenant = tenant
        self.endpoints = options.choose_endpoints(cloud, github, config)
        self.introduced = False
        self.sight = Sight(observing)
        self._places = readable(config) if observing and config and config.observer else None
        logging.getLogger().addHandler(logging.NullHandler())  # what SDKs log is not for people

    @classmethod
    def of(cls, options: Options, talk: Talk, config: Config | None, *, observing: bool = False) -> Self:
        """The session that a configuration asks for; with None, one for a repository that has none yet."""
        return cls(
            options,
            talk,
            cloud=config.cloud if config else CLOUDS[0],
            github=config.github if config else "github.com",
            tenant=config.tenant if config else None,
            config=config,
            observing=observing,
        )

    def prefetch(self, sides: Collection[Side]) -> None:
        """Begin to sign in and to load the SDKs, for everything that these sides' parts look at."""
        from trustsmith.clients.prefetch import prefetch

        azure = bool({"entra", "azure"} & set(sides))
        credentials = self.credentials if azure else None
        prefetch(credentials, graph="entra" in sides, arm="azure" in sides, github=True)

    async def warm(self, sides: Collection[Side]) -> None:
        """Make Azure's clients while other answers are on their way."""
        clients: list[Graph | Arm] = [self.graph] if "entra" in sides else []
        clients += [self.arm] if "azure" in sides else []
        for client in clients:
            await client.warm()

    @cached_property
    def credentials(self) -> Credentials:
        """The process's one credential."""
        from trustsmith.clients.credentials import Credentials

        return Credentials(self.endpoints, self.tenant, method=self.options.sign_in, on_event=self.talk.note)

    @cached_property
    def graph(self) -> Graph:
        """Microsoft Graph."""
        from trustsmith.clients.graph import Graph

        return Graph(self.credentials, self.endpoints, on_wait=self.talk.waiting)

    @cached_property
    def arm(self) -> Arm:
        """Azure Resource Manager."""
        from trustsmith.clients.arm import Arm

        return Arm(self.credentials, self.endpoints, on_wait=self.talk.waiting)

    @cached_property
    def github(self) -> GitHub:
        """GitHub's REST API."""
        from trustsmith.clients.github import GitHub

        return GitHub(self.endpoints, on_wait=self.talk.waiting)

    @cached_property
    def job(self) -> GitHub:
        """GitHub's REST API with the token of the job that this runs in, which may write issues."""
        from trustsmith.clients.github import GitHub, job_token

        token = partial(job_token, self.endpoints.github_host)
        return GitHub(self.endpoints, token, on_wait=self.talk.waiting)

    @cached_property
    def github_side(self) -> GitHubWriter:
        """GitHub's side, which also lists the environments for those who need their spelling."""
        return GitHubWriter(self.github, self.sight)

    def skews(self) -> dict[str, float]:
        """By service, how many seconds its clock is ahead of ours; only of those that have answered."""
        clients = {"Microsoft Graph": "graph", "Azure Resource Manager": "arm", "GitHub": "github"}
        found = {n: self.__dict__[client].skew for n, client in clients.items() if client in self.__dict__}
        return {name: skew for name, skew in found.items() if skew is not None}

    def look_anew(self) -> None:
        """Forget what is remembered from an earlier look."""
        self.__dict__.pop("github_side", None)
        self.sight.hidden.clear()

    def reader(self, side: Side) -> Reader:
        """Who sees that side."""
        return self._system(side)

    def writers(self, sides: Collection[Side]) -> dict[Side, Writer]:
        """Who changes each of these sides."""
        return {side: self._system(side) for side in sides}

    def _system(self, side: Side) -> EntraWriter | AzureWriter | GitHubWriter | WorktreeWriter:
        match side:
            case "entra":
                return EntraWriter(self.graph)
            case "azure":
                return AzureWriter(self.arm, self.sight, self._places)
            case "github":
                return self.github_side
            case "files":
                options = self.options
                return WorktreeWriter(options.out or options.root, options.config_name, self.formerly)

    def formerly(self, text: str) -> dict[str, str]:
        """What a former text of the configuration asks for, path → body; nothing when it cannot be rendered today."""
        options = self.options
        try:
            config = options.with_templates(options.pinned(load(text, CONFIG_PATH))).config
            endpoints = options.choose_endpoints(config.cloud, config.github, config)
            return {file.path: file.body for file in rendered(config, endpoints, options)}
        except TrustsmithError:
            return {}

    async def aclose(self) -> None:
        """Close the clients that were opened, each one whatever becomes of the others."""
        opened = [self.__dict__[name] for name in ("graph", "arm", "github", "job") if name in self.__dict__]
        try:
            await together(*(client.aclose() for client in opened))
        finally:
            if "credentials" in self.__dict__:
                self.credentials.close()
