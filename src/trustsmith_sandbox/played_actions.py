"""Actions that are played where they are not there: what their users rely on is done, without their code.

``actions/checkout`` writes the commit's files; ``actions/setup-python`` gives the job an interpreter whose packages are
its own, of the version that serves the sandbox. It must not know what a step is.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import platform
import site
import sys
import venv
from typing import TYPE_CHECKING

from trustsmith_sandbox.github_objects import commits, texts

if TYPE_CHECKING:
    from trustsmith_sandbox.job_state import JobState
    from trustsmith_sandbox.step_talk import Talk

_PIP = "#!{python}\nimport sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n"


async def play(job: JobState, uses: str, talk: Talk) -> None:
    """Play an action, which is one of ``action_shelf.PLAYED``."""
    if "/checkout" in uses.lower():
        _checkout(job, talk)
    else:
        await asyncio.to_thread(_setup_python, job, talk)


def _checkout(job: JobState, talk: Talk) -> None:
    sha = job.run["head_sha"]
    for path, text in texts(job.repository, commits(job.repository)[sha]["tree"]).items():
        with contextlib.suppress(FileExistsError):
            (job.workspace / path).parent.mkdir(parents=True)
        (job.workspace / path).write_text(text, encoding="utf-8")
    talk.outputs |= {"ref": job.run["ref"], "commit": sha}


def _setup_python(job: JobState, talk: Talk) -> None:
    """Give the job an environment of its own on top of ours, so that it finds our packages and changes none."""
    folder = job.folder / "python"
    has_pip = importlib.util.find_spec("pip") is not None
    venv.EnvBuilder(symlinks=True, with_pip=not has_pip).create(folder)
    python, pip = folder / "bin" / "python", folder / "bin" / "pip"
    if has_pip:
        pip.write_text(_PIP.format(python=python), encoding="utf-8")
        pip.chmod(0o755)
    below = f"python{sys.version_info.major}.{sys.version_info.minor}"
    ours = "".join(f"{path}\n" for path in site.getsitepackages())
    (folder / "lib" / below / "site-packages" / "sandbox.pth").write_text(ours, encoding="utf-8")
    job.path.append(str(folder / "bin"))
    job.log.write(f"Played: Python {platform.python_version()}, which serves the sandbox.")
    talk.outputs |= {"python-version": platform.python_version(), "python-path": str(python)}
