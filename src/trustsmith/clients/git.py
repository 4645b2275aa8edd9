"""What the checkout's git says about where it came from. Reads only; git may be absent."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_TIMEOUT = 10
_REMOTE = re.compile(
    r"(?:https?://(?:[^@/]+@)?|ssh://(?:[^@/]+@)?|[^@/:]+@)([^/:]+(?::\d+)?)[/:]([^/]+/[^/]+?)(?:\.git)?/?"
)


def remote(checkout: Path) -> tuple[str, str] | None:
    """(host, owner/name) of the remote `origin`; None when there is none, or no git, or it is no hosted repository."""
    command = ["git", "-C", str(checkout), "remote", "get-url", "origin"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=True)  # noqa: S603 - a fixed command
    except (OSError, subprocess.SubprocessError):
        return None
    return parse(answer.stdout.strip())


def parse(url: str) -> tuple[str, str] | None:
    """(host, owner/name) of a remote's address as https, ssh, or host:path; None for anything else."""
    match = _REMOTE.fullmatch(url)
    return (match[1].lower(), match[2]) if match else None
