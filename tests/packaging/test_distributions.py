"""What is shipped: complete, with nothing that is only for us, and importable from anywhere."""

from __future__ import annotations

import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.packaging.installed import ROOT, Installed, clean_environment, make_environment


@pytest.fixture(scope="module")
def wheel(built: Path) -> set[str]:
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def sdist(built: Path) -> set[str]:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def _files(folder: str, pattern: str = "*") -> set[str]:
    """Files under a folder of the checkout, as paths relative to it."""
    top = ROOT / folder
    kept = (
        p for p in top.rglob(pattern) if p.is_file() and "__pycache__" not in p.parts and p.name[0] != "."
    )
    return {p.relative_to(top).as_posix() for p in kept}


def test_wheel_has_every_module_and_marker(wheel: set[str]) -> None:
    modules = _files("src", "*.py")
    assert {"trustsmith/py.typed", "trustsmith_sandbox/py.typed"} | modules <= wheel


def test_wheel_has_every_template(wheel: set[str]) -> None:
    templates = {f"trustsmith/templates/{name}" for name in _files("templates")}
    assert templates
    assert templates <= wheel


def test_wheel_has_nothing_else(wheel: set[str]) -> None:
    tops = {name.partition("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"trustsmith", "trustsmith_sandbox"}


def test_wheel_has_the_licence(wheel: set[str]) -> None:
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in wheel)


def test_sdist_can_be_built_and_tested(sdist: set[str]) -> None:
    needed = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "Makefile", "requirements.lock"}
    needed |= {"docs/development.md", "tests/packaging/installed.py"}
    needed |= {f"src/{name}" for name in _files("src", "*.py")}
    needed |= {f"templates/{name}" for name in _files("templates")}
    assert needed <= sdist


def test_installed_command_runs_outside_the_checkout(installed: Installed) -> None:
    done = installed("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert "trustsmith" in done.stdout


def test_installed_command_at_a_terminal(installed: Installed) -> None:
    done = installed.tty("--version")
    assert (done.returncode, done.stdout) == (0, installed("--version").stdout)


def _where(python: Path, home: Path) -> list[Path]:
    """Where an interpreter, started in `home`, finds both packages."""
    code = "import trustsmith, trustsmith_sandbox as s; print(trustsmith.__file__); print(s.__file__)"
    done = subprocess.run(
        [python, "-c", code],
        cwd=home,
        env=clean_environment(home),
        capture_output=True,
        text=True,
        check=True,
    )
    return [Path(line) for line in done.stdout.splitlines()]


def test_wheel_does_not_see_the_checkout(installed: Installed) -> None:
    environment = installed.command.parent.parent
    assert all(path.is_relative_to(environment) for path in _where(installed.python, installed.home))


def test_editable_install_reads_the_checkout(tmp_path: Path) -> None:
    python = make_environment(tmp_path / "env", "--editable", str(ROOT))
    assert all(path.is_relative_to(ROOT / "src") for path in _where(python, tmp_path))
    assert not list((tmp_path / "env").rglob("*.j2"))
