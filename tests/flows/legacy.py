"""A checkout of contoso/legacy, and `trustsmith migrate` in it. In this process; nothing may show a secret's value."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trustsmith.cli import cli
from trustsmith.cli.exits import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from tests.conftest import Sandbox

Json = dict[str, Any]
APPLICATION = "0a000000-0000-0000-0000-000000000003"
NONPROD, PROD = "aaaaaaaa-0000-0000-0000-000000000001", "aaaaaaaa-0000-0000-0000-000000000002"
#: Begins every value that the world has for a secret of Azure's.
_VALUE = "sandbox-legacy-client-credential"


def project(name: str) -> str:
    """The ARM id of a Foundry project of the world."""
    subscription = PROD if name == "prod" else NONPROD
    return (
        f"/subscriptions/{subscription}/resourceGroups/rg-foundry-{name}/providers"
        f"/Microsoft.CognitiveServices/accounts/foundry-{name}/projects/agents"
    )


PROJECTS = (
    *("--project", f"staging={project('staging')}"),
    *("--project", f"production={project('prod')}"),
)


@dataclass
class Ran:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Json:
        """The document on stdout."""
        document: Json = json.loads(self.out)
        return document

    def ends(self, code: int) -> Ran:
        """Itself, if it ended with that code."""
        assert self.code == code, f"exit {self.code}\n{self.out}\n{self.err}"
        return self

    @property
    def creates(self) -> list[str]:
        """What the plan would make: kind and name."""
        return [f"{c['kind']} {c['name']}" for c in self.json["plan"]["changes"] if c["verb"] == "create"]


@dataclass
class Legacy:
    """Calling it runs `trustsmith migrate` in the checkout."""

    sandbox: Sandbox
    checkout: Path
    capsys: pytest.CaptureFixture[str]

    @classmethod
    def at(
        cls,
        sandbox: Sandbox,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> Legacy:
        """Clone it from the sandbox, with its variables exported."""
        for name, value in sandbox.env.items():
            monkeypatch.setenv(name, value)
        legacy = cls(sandbox, folder / "legacy", capsys)
        for name, text in legacy.files.items():
            legacy.write(name, text)
        remote = f"{sandbox.origin}/contoso/legacy.git"
        for words in (["init", "-q"], ["remote", "add", "origin", remote]):
            subprocess.run(["git", "-C", legacy.checkout, *words], check=True)
        return legacy

    def __call__(self, *words: str) -> Ran:
        """Run it."""
        code = run(cli, ["-C", str(self.checkout), "migrate", *words])
        out, err = self.capsys.readouterr()
        assert _VALUE not in out + err
        return Ran(code, out, err)

    @property
    def files(self) -> dict[str, str]:
        """What the default branch has."""
        files: dict[str, str] = self.sandbox.state()["github"]["repositories"]["4002"]["files"]["main"]
        return files

    @property
    def repository(self) -> Json:
        """The repository as GitHub has it."""
        found: Json = self.sandbox.state()["github"]["repositories"]["4002"]
        return found

    def write(self, name: str, text: str) -> None:
        """Write a file of the checkout."""
        file = self.checkout / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")

    def push(self) -> None:
        """Bring all files of the checkout to the default branch."""
        paths = [p for p in self.checkout.rglob("*") if p.is_file() and ".git" not in p.parts]
        files = {p.relative_to(self.checkout).as_posix(): p.read_text("utf-8") for p in paths}
        self.sandbox.control("push", {"repository": "contoso/legacy", "files": files})

    def change(self, edit: Callable[[Json], object]) -> None:
        """Change the world by hand."""
        world = self.sandbox.state()
        edit(world)
        self.sandbox.control("reset", world)
