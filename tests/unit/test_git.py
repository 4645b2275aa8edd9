"""Where a checkout came from."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from trustsmith.clients import git

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/contoso/agents",
        "https://github.com/contoso/agents.git",
        "https://github.com/contoso/agents.git/",
        "https://user:token@GitHub.com/contoso/agents.git",
        "git@github.com:contoso/agents.git",
        "ssh://git@github.com/contoso/agents.git",
        "ssh://github.com/contoso/agents",
    ],
)
def test_addresses_of_a_repository(url: str) -> None:
    assert git.parse(url) == ("github.com", "contoso/agents")


def test_a_port_is_part_of_the_host() -> None:
    assert git.parse("https://127.0.0.1:8443/contoso/agents.git") == ("127.0.0.1:8443", "contoso/agents")


def test_dots_in_a_name_are_the_name_s() -> None:
    assert git.parse("https://github.com/contoso/agents.net.git") == ("github.com", "contoso/agents.net")


@pytest.mark.parametrize(
    "url", ["", "/srv/git/agents.git", "../agents", "file:///srv/agents", "https://github.com/contoso", "a@b"]
)
def test_anything_else_is_no_hosted_repository(url: str) -> None:
    assert git.parse(url) is None


def test_a_checkout_s_origin(tmp_path: Path) -> None:
    assert git.remote(tmp_path / "absent") is None
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert git.remote(tmp_path) is None
    command = ["git", "-C", str(tmp_path), "remote", "add", "origin", "git@github.com:contoso/agents.git"]
    subprocess.run(command, check=True)
    assert git.remote(tmp_path) == ("github.com", "contoso/agents")


def test_without_git_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git.remote(tmp_path) is None
