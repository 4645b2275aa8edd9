"""A desk: a checkout, the sandbox, and the installed command between them, as a user has them.

Every run is held to what holds for all commands: no traceback, no secret, no escape sequence in a pipe. What the
command did is seen in the sandbox's state and log only. Must not import trustsmith: it is another process.
"""

from __future__ import annotations

import copy
import json
import re
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.cli import person

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterable, Mapping

    from tests.conftest import Sandbox
    from tests.packaging.installed import Installed

Json = dict[str, Any]
ENVIRONMENTS = ("dev", "staging", "prod")
TENANT = "11111111-1111-1111-1111-111111111111"
NONPROD, PROD = "aaaaaaaa-0000-0000-0000-000000000001", "aaaaaaaa-0000-0000-0000-000000000002"
PROJECT_MANAGER = "eadc314b-1a2d-4efa-be10-5d325db5065e"
CONFIG = Path(".github", "trustsmith.yml")
WORKFLOW = Path(".github", "workflows", "deploy-agents.yml")
_READS = {"GET", "HEAD"}
_TOKEN = re.compile(r"\beyJ[\w-]{10,}\.[\w-]+")


def project(environment: str) -> str:
    """The ARM id of an environment's project."""
    subscription = PROD if environment == "prod" else NONPROD
    return (
        f"/subscriptions/{subscription}/resourceGroups/rg-foundry-{environment}/providers"
        f"/Microsoft.CognitiveServices/accounts/foundry-{environment}/projects/agents"
    )


#: A set-up of all three, production protected, without a question.
SETUP = (
    *("setup", "--no-input", "--yes", "--repo", "contoso/agents"),
    *(word for name in ENVIRONMENTS for word in ("--env", f"{name}={project(name)}")),
    *("--reviewer", "prod=team:platform", "--branch", "prod=main", "--wait", "prod=10"),
)


def config(*lines: str, environments: tuple[str, ...] = ("dev",), repository: str = "contoso/agents") -> str:
    """The smallest configuration of these environments, and more lines."""
    named = [f"  {name}:\n    project: {project(name)}" for name in environments]
    head = ["version: 1", f"repository: {repository}", f"tenant: {TENANT}"]
    return "\n".join([*head, *lines, "environments:", *named, ""])


@dataclass(frozen=True)
class Done:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Json:
        """The one JSON document on stdout, of schema 1."""
        document: Json = json.loads(self.out)
        assert document["schema"] == 1
        return document

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        """Verb, kind and name of what the plan on stdout would change, sorted."""
        return sorted((c["verb"], c["kind"], c["name"]) for c in self.json["changes"])

    def ends(self, code: int, *words: str) -> Done:
        """Itself, if it ended with that code and says all that on stderr."""
        assert self.code == code, f"exit {self.code}\n{self.out}\n{self.err}"
        for word in words:
            assert word in self.err, f"{word!r} is not said in\n{self.err}"
        return self


@dataclass
class Desk:
    """Calling it runs the command in the checkout. `env`: what the shell has exported."""

    installed: Installed
    sandbox: Sandbox
    checkout: Path
    env: dict[str, str] = field(default_factory=dict)
    read_up_to: int = 0

    def __post_init__(self) -> None:
        self.env = self.env or dict(self.sandbox.env)
        self.forget()

    def __call__(self, *args: str | Path, **options: Any) -> Done:
        """Run `trustsmith *args`."""
        ran = self.installed(*args, **{"cwd": self.checkout, "env": self.env, **options})
        self.check(ran.stdout + ran.stderr)
        return Done(ran.returncode, ran.stdout, ran.stderr)

    def tty(
        self, *args: str | Path, answers: Iterable[tuple[str, str]] = ()
    ) -> subprocess.CompletedProcess[str]:
        """Run it at a terminal; `stdout` is all that was on the screen."""
        return self.installed.tty(*args, answers=answers, cwd=self.checkout, env=self.env, timeout=40)

    def check(self, text: str) -> None:
        """What no run may ever show."""
        assert "Traceback" not in text, text
        assert "\x1b" not in text, text
        assert self.sandbox.env["GH_TOKEN"] not in text, text
        assert not _TOKEN.search(text), text

    def as_person(self, user: str) -> Desk:
        """A desk at the same checkout whose Azure CLI is signed in as that user."""
        folder = self.checkout.with_name(f"az-{user.partition('@')[0]}")
        env = person.signed_in(folder, self.env, self.sandbox.origin, user)
        return replace(self, env=env)

    def write(self, text: str, path: Path = CONFIG) -> Path:
        """Write a file of the checkout; by default the configuration."""
        file = self.checkout / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def change_config(self, old: str, new: str) -> None:
        """Edit the configuration as a text."""
        text = (self.checkout / CONFIG).read_text("utf-8")
        assert old in text, text
        self.write(text.replace(old, new, 1))

    # The sandbox's side

    def forget(self) -> None:
        """Look only at what is asked from now on."""
        self.read_up_to = self.sandbox.log.stat().st_size if self.sandbox.log.exists() else 0

    def requests(self) -> list[Json]:
        """What was asked since `forget`."""
        with self.sandbox.log.open(encoding="utf-8") as log:
            log.seek(self.read_up_to)
            return [json.loads(line) for line in log]

    def writes(self) -> list[Json]:
        """Requests that may change something: tokens are not counted, nor GraphQL."""
        return [r for r in self.requests() if r["method"] not in _READS and r["service"] != "entra"]

    def services(self) -> set[str]:
        """Who was contacted."""
        return {str(request["service"]) for request in self.requests()}

    def edit(self, change: Callable[[World], object]) -> None:
        """Change the sandbox's world by hand; what `change` returns is not looked at."""
        world = World(self.sandbox.state())
        change(world)
        self.sandbox.control("reset", world.data)

    def world(self) -> World:
        """The world as it is."""
        return World(self.sandbox.state())

    def job(self, environment: str, **wanted: Any) -> Json:
        """What a job of that environment sees."""
        asked = {"repository": "contoso/agents", "environment": environment, **wanted}
        seen: Json = self.sandbox.control("jobs", asked)
        return seen


@dataclass(frozen=True)
class World:
    """The sandbox's state, with ways to what tests look at and change."""

    data: Json

    @property
    def repository(self) -> Json:
        """contoso/agents."""
        found: Json = self.data["github"]["repositories"]["4001"]
        return found

    def environment(self, name: str) -> Json:
        """A GitHub environment of it."""
        found: Json = self.repository["environments"][name]
        return found

    @property
    def environments(self) -> dict[str, Json]:
        """All of them."""
        found: dict[str, Json] = self.repository["environments"]
        return found

    @property
    def apps(self) -> dict[str, Json]:
        """The applications with a unique name, by it."""
        return {a["uniqueName"]: a for a in self.data["applications"].values() if a.get("uniqueName")}

    def app(self, environment: str) -> Json:
        """The application of an environment."""
        return self.apps[f"trustsmith-localhost-4001-{environment}"]

    def principal(self, environment: str) -> Json:
        """Its service principal."""
        client = self.app(environment)["appId"]
        (found,) = [p for p in self.data["service_principals"].values() if p["appId"] == client]
        return dict(found)

    def roles(self, environment: str) -> dict[str, Json]:
        """The role assignments of its principal, by key in the state."""
        principal = self.principal(environment)["id"]
        every = self.data["role_assignments"].items()
        return {key: a for key, a in every if a["properties"]["principalId"] == principal}

    def drop_role(self, environment: str) -> None:
        """Delete them."""
        for key in self.roles(environment):
            del self.data["role_assignments"][key]

    def drop_principal(self, environment: str) -> None:
        """Delete the service principal, and with it, as Azure does it, nothing else."""
        del self.data["service_principals"][self.principal(environment)["id"]]

    def add_app(self, **values: Any) -> Json:
        """An application that somebody else made, alive."""
        made: Json = copy.deepcopy(next(iter(self.data["applications"].values())))
        made |= {"id": f"5{made['id'][1:]}", "appId": f"5{made['appId'][1:]}", "tags": [], "owners": []}
        made |= {"federatedIdentityCredentials": [], "displayName": "somebody-else"} | values
        self.data["applications"][made["id"]] = made
        return made

    def drop_app(self, environment: str) -> Json:
        """Delete an application as the portal does it: kept 30 days, its principal gone."""
        app = self.app(environment)
        self.drop_principal(environment)
        del self.data["applications"][app["id"]]
        self.data["deleted_applications"][app["id"]] = app | {"deletedDateTime": "2026-11-23T00:00:00Z"}
        return app

    # What two worlds are compared by

    def shape(self) -> Json:
        """All that set-up makes, without ids and dates that services mint."""
        names = {a["appId"]: a["uniqueName"] or a["displayName"] for a in self.data["applications"].values()}
        principals = {p["id"]: names.get(p["appId"], "?") for p in self.data["service_principals"].values()}
        return {
            "applications": Counter(json.dumps(_app(a)) for a in self.data["applications"].values()),
            "deleted": Counter(a["uniqueName"] for a in self.data["deleted_applications"].values()),
            "principals": Counter(principals.values()),
            "roles": Counter(_role(a, principals) for a in self.data["role_assignments"].values()),
            "environments": {name: _environment(e, names) for name, e in self.environments.items()},
        }


def wait_until(happened: Callable[[], bool], seconds: float = 20.0) -> None:
    """Return once it happened; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def apart(seen: Json, wanted: Json) -> list[str]:
    """In what two shapes differ, a line each: `+` is too much, `-` is missing."""
    there, right = Counter(_lines(seen)), Counter(_lines(wanted))
    return [f"+ {line}" for line in there - right] + [f"- {line}" for line in right - there]


def without_makers(shape: Json) -> Json:
    """A shape without who made each environment: it is forgotten with a mark that was lost, or not yet written."""
    for environment in shape["environments"].values():
        environment["variables"]["TRUSTSMITH"].pop(0)
    return shape


def _lines(shape: Any, path: str = "") -> list[str]:
    if isinstance(shape, Counter):
        return [f"{path} {thing}" for thing in shape.elements()]
    if isinstance(shape, dict):
        return [line for name, inner in shape.items() for line in _lines(inner, f"{path}/{name}")]
    return [f"{path} {shape}"]


def _app(app: Json) -> Json:
    credentials = [
        {n: c[n] for n in ("name", "issuer", "subject", "audiences", "description")}
        for c in app["federatedIdentityCredentials"]
    ]
    plain = {n: app[n] for n in ("uniqueName", "displayName", "signInAudience")}
    ordered = sorted(credentials, key=lambda c: str(c["name"]))
    return plain | {"tags": sorted(app["tags"]), "credentials": ordered}


def _role(assignment: Json, principals: Mapping[str, str]) -> tuple[str, ...]:
    values = assignment["properties"]
    who = principals.get(values["principalId"], values["principalId"])
    role = values["roleDefinitionId"].rsplit("/", 1)[-1]
    return (who, values["scope"].lower(), role, values["principalType"], values["description"] or "")


def _environment(environment: Json, names: Mapping[str, str]) -> Json:
    plain = {n: environment[n] for n in ("wait_timer", "prevent_self_review", "deployment_branch_policy")}
    values = {s["name"]: names.get(s["value"], s["value"]) for s in environment["secrets"].values()}
    variables = {v["name"]: names.get(v["value"], v["value"]) for v in environment["variables"].values()}
    if "TRUSTSMITH" in variables:
        mark = json.loads(variables["TRUSTSMITH"])
        variables["TRUSTSMITH"] = [mark["made"], sorted(mark["ids"]), sorted(mark["written"])]
    return plain | {
        "reviewers": sorted((r["type"], r["id"]) for r in environment["reviewers"]),
        "policies": sorted((p["type"], p["name"]) for p in environment["policies"]),
        "secrets": dict(sorted(values.items())),
        "variables": dict(sorted(variables.items())),
    }
