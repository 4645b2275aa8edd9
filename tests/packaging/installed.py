"""The command as users get it: the wheel in an environment of its own, with `src` out of sight.

`built` and `installed` are fixtures; a folder's conftest.py imports the ones its tests use. Must not import
trustsmith: what is under test is another process.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from tests.packaging.forks import Fork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from io import FileIO

ROOT = Path(__file__).resolve().parents[2]

# What would make the command act for whoever runs the tests, or look different from one machine to the next.
_PREFIXES = (
    "ACTIONS_",
    "ARM_",
    "AZD_",
    "AZURE_",
    "GH_",
    "GIT_",
    "GITHUB_",
    "IDENTITY_",
    "MSI_",
    "TRUSTSMITH_",
    "XDG_",
)
_NAMES = {"CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR", "TTY_COMPATIBLE"}
_NAMES |= {"PYTHONHOME", "PYTHONPATH", "PYTHONWARNINGS", "VIRTUAL_ENV"}
_NAMES |= {"CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE"}
_NAMES |= {"ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}

# Opening the terminal as leader of a new session makes it the controlling one, so that Ctrl-C is a signal; as in warm.py.
_LEADER = "import os, sys; os.close(os.open(os.ttyname(0), os.O_RDWR)); os.execv(sys.argv[1], sys.argv[1:])"
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_BUILD_TIMEOUT_S = 300.0


def plain(text: str) -> str:
    """`text` without the escape sequences of terminals: colours, cursor movements, links."""
    return _ESCAPE.sub("", text)


def clean_environment(home: Path) -> dict[str, str]:
    """This process's variables without sign-ins, proxies and colours; the home directory is `home`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(_PREFIXES) and name.upper() not in _NAMES
    }
    places = {name: str(home) for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA")}
    return kept | places | {"PYTHONUTF8": "1", "TERM": "xterm-256color"}


@dataclass(frozen=True)
class Installed:
    """The installed command. Calling it runs it; `tty` runs it at a terminal.

    command: the path of `trustsmith`; python: the interpreter beside it; home: an empty home directory. warm: the socket of
    a process that has imported everything (see warm.py), which saves two thirds of each run; None: start an interpreter.
    """

    command: Path
    python: Path
    home: Path
    warm: Path | None = None

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """What the command sees: scrubbed, its own `bin` first on PATH, and `extra`."""
        base = clean_environment(self.home)
        path = os.pathsep.join([str(self.command.parent), base.get("PATH", os.defpath)])
        return base | {"PATH": path} | dict(extra or {})

    def __call__(
        self,
        *args: str | Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        input: str = "",  # noqa: A002  # named as in subprocess.run
        timeout: float = 60.0,
    ) -> subprocess.CompletedProcess[str]:
        """Run `trustsmith *args`; nothing is raised for its exit code. `cwd` is the empty home unless given."""
        command = [str(self.command), *map(str, args)]
        # Streams are files, so that nobody waits for a reader.
        with (
            tempfile.TemporaryFile() as stdin,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            stdin.write(input.encode())
            stdin.seek(0)
            process = self._start(command, env, cwd, [stdin.fileno(), out.fileno(), err.fileno()])
            with _killed_after(process):
                try:
                    code = process.wait(timeout)
                except TimeoutError:
                    raise subprocess.TimeoutExpired(command, timeout) from None
            said = [_text(stream) for stream in (out, err)]
        return subprocess.CompletedProcess(command, code, *said)

    def tty(
        self,
        *args: str | Path,
        answers: Iterable[tuple[str, str]] = (),
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout: float = 60.0,
        size: tuple[int, int] = (50, 120),
    ) -> subprocess.CompletedProcess[str]:
        """Run it at a terminal of `size` (rows, columns).

        answers: (what to wait for on the screen, what to type then), one after the other; "\\x03" is Ctrl-C.
        The `stdout` of what is returned is all that was on the screen, escape sequences included (see `plain`).
        POSIX only: elsewhere the test is skipped.
        """
        if sys.platform == "win32":
            pytest.skip("a pseudo-terminal needs POSIX")
        leader, follower = os.openpty()
        _resize(follower, size)
        command = [str(self.command), *map(str, args)]
        with os.fdopen(leader, "r+b", buffering=0) as terminal:
            with os.fdopen(follower, "r+b", buffering=0) as own:
                process = self._start(command, env, cwd, [own.fileno()] * 3, leads=True)
            with _killed_after(process):
                screen = _converse(terminal, list(answers), deadline=time.monotonic() + timeout)
                code = process.wait(timeout=10)
        return subprocess.CompletedProcess(command, code, stdout=screen, stderr="")

    def _start(
        self,
        command: list[str],
        env: Mapping[str, str] | None,
        cwd: Path | None,
        streams: list[int],
        *,
        leads: bool = False,
    ) -> subprocess.Popen[bytes] | Fork:
        """Start it with these streams; `leads`: with the terminal that they are."""
        seen, where = self.environment(env), cwd or self.home
        # What becomes another program, or wants another interpreter, cannot be a fork of this one.
        as_is = "sandbox" in command or any(name.startswith("PYTHON") for name in env or ())
        if self.warm and not as_is:
            return Fork(self.warm, command, env=seen, cwd=where, streams=streams, leads=leads)
        leader = [sys.executable, "-c", _LEADER] if leads else []
        stdin, stdout, stderr = streams
        return subprocess.Popen(
            [*leader, *command],
            env=seen,
            cwd=where,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=leads,
        )


def _text(stream: IO[bytes]) -> str:
    """All that was written, as a text."""
    stream.seek(0)
    return stream.read().decode("utf-8").replace("\r\n", "\n")


def _resize(terminal: int, size: tuple[int, int]) -> None:
    if sys.platform != "win32":
        import termios  # there is none on Windows

        termios.tcsetwinsize(terminal, size)


@contextlib.contextmanager
def _killed_after(process: subprocess.Popen[bytes] | Fork) -> Iterator[None]:
    try:
        yield
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _converse(terminal: FileIO, answers: list[tuple[str, str]], *, deadline: float) -> str:
    """Type each answer when its turn has come; give all that was written until the last writer was gone."""
    raw, read_up_to = b"", 0
    while piece := _read(terminal, deadline):
        raw += piece
        screen = plain(raw.decode("utf-8", "replace"))
        while answers and (at := screen.find(answers[0][0], read_up_to)) >= 0:
            waited_for, typed = answers.pop(0)
            time.sleep(
                0.2 if typed == "\x03" else 0
            )  # an interrupt before the prompt waits is not seen by it
            read_up_to = at + len(waited_for)
            terminal.write(typed.encode())
    seen = raw.decode("utf-8", "replace")
    if time.monotonic() > deadline:
        pytest.fail(f"the command did not end in time; on its screen:\n{seen}")
    if answers:
        pytest.fail(f"{answers[0][0]!r} was never on the screen:\n{seen}")
    return seen.replace("\r\n", "\n")


def _read(terminal: FileIO, deadline: float) -> bytes:
    """What comes next on the screen; empty at the end, and at the deadline."""
    # On Windows it is for sockets only, and there is no pseudo-terminal.
    if not select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))[0]:
        return b""
    try:
        return terminal.read(65536)
    except OSError:  # Linux: EIO when the other end is closed
        return b""


def build(out: Path) -> None:
    """Build the source distribution, and from it the wheel, into `out`. Nothing is downloaded."""
    _checked([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)])


def make_environment(folder: Path, *requirements: str) -> Path:
    """A virtual environment with `requirements`, which sees the locked dependencies; gives its interpreter.

    They are seen through a .pth line. Such a folder's own .pth files are not read, and so the checkout, which is
    there as an editable install, stays out of sight.
    """
    # Links, as `python -m venv` makes them: a copied interpreter of macOS does not find its library.
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    paths = sysconfig.get_paths("venv", vars={"base": str(folder), "platbase": str(folder)})
    lines = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    # The line that coverage needs in each interpreter; it does nothing unless a coverage run set its variables.
    lines.append(
        "import sys; exec('try: import coverage; coverage.process_startup()\\nexcept ImportError: pass')"
    )
    Path(paths["purelib"], "locked.pth").write_text("\n".join(dict.fromkeys(lines)) + "\n", encoding="utf-8")
    python = Path(paths["scripts"], Path(sys.executable).name)
    install = ["install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", *requirements]
    _checked([sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python), *install])
    return python


def _checked(command: list[str]) -> None:
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", check=False, timeout=_BUILD_TIMEOUT_S
    )
    if done.returncode:
        pytest.fail(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")


def once(folder: Path, make: Callable[[Path], None]) -> Path:
    """`folder`, filled by `make` in the first process that asks; the others wait for it."""
    done, failed = folder / ".done", folder / ".failed"
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        _wait_for(done, failed)
        return folder
    try:
        make(folder)
    except BaseException:
        failed.touch()
        raise
    done.touch()
    return folder


def _wait_for(done: Path, failed: Path) -> None:
    deadline = time.monotonic() + _BUILD_TIMEOUT_S
    while not done.exists():
        if failed.exists() or time.monotonic() > deadline:
            pytest.fail("another test process could not prepare this; its error says why")
        time.sleep(0.05)


def _session_folder(factory: pytest.TempPathFactory) -> Path:
    """One folder for all processes of this run of the tests."""
    base = factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution and the wheel, built from the checkout once a run."""
    return once(_session_folder(tmp_path_factory) / "built", build)


@pytest.fixture(scope="session")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """The wheel's command, installed once a run."""

    def install(folder: Path) -> None:
        make_environment(folder / "env", *map(str, built.glob("*.whl")))

    folder = once(_session_folder(tmp_path_factory) / "installed", install)
    command = shutil.which("trustsmith", path=str(folder / "env" / ("Scripts" if os.name == "nt" else "bin")))
    assert command, "the wheel has no command"
    python = Path(command).parent / Path(sys.executable).name
    cold = Installed(command=Path(command), python=python, home=tmp_path_factory.mktemp("home"))
    if sys.platform != "linux":
        yield cold
        return
    with _warmed(cold, tmp_path_factory.mktemp("warm") / "socket") as warm:
        yield replace(cold, warm=warm)


@contextlib.contextmanager
def _warmed(installed: Installed, path: Path) -> Iterator[Path]:
    script = Path(__file__).with_name("warm.py")
    command = [installed.python, script, path]
    with subprocess.Popen(command, env=installed.environment(), cwd=installed.home) as process:
        try:
            deadline = time.monotonic() + _BUILD_TIMEOUT_S
            while not path.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail("the warm process did not start")
                time.sleep(0.02)
            yield path
        finally:
            process.kill()
