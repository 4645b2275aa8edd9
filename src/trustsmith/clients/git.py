"""git, as the checkout has it: where it came from, what its files once were, and three texts merged.

Reads only, and never from a network; git may be absent, and the checkout may be none of git's.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

_TIMEOUT, _HISTORY_TIMEOUT = 10, 60
_REMOTE = re.compile(
    r"(?:https?://(?:[^@/]+@)?|ssh://(?:[^@/]+@)?|[^@/:]+@)([^/:]+(?::\d+)?)[/:]([^/]+/[^/]+?)(?:\.git)?/?"
)
#: Every commit that anything here leads to, parents first; each change of a file, merges' own ones included.
#: What the user's settings could change about it is said outright.
_LOG = (
    *(
        "log",
        "--all",
        "--reflog",
        "--topo-order",
        "--reverse",
        "--full-history",
        "-m",
        "--root",
        "--raw",
        "-z",
    ),
    *("--no-abbrev", "--no-renames", "--relative", "--no-show-signature", "--no-color", "--format=%H"),
)
#: The same along the one line of commits that led here, in which a merge is one change.
_LINE = (*(each for each in _LOG if each not in {"--all", "--reflog"}), "--first-parent", "HEAD")
#: A clone may lack objects, which git would fetch when asked for them. And a path is a path, whatever is in its name.
_SETTINGS = {"GIT_ALLOW_PROTOCOL": "none", "GIT_LITERAL_PATHSPECS": "1", "GIT_OPTIONAL_LOCKS": "0"}


class Version(NamedTuple):
    """What a file was in a commit."""

    commit: str
    text: str


def remote(checkout: Path) -> tuple[str, str] | None:
    """(host, owner/name) of the remote `origin`; None when there is none, or no git, or it is no hosted repository."""
    answer = _git(checkout, "remote", "get-url", "origin")
    return parse(answer.decode("utf-8", "replace").strip()) if answer else None


def parse(url: str) -> tuple[str, str] | None:
    """(host, owner/name) of a remote's address as https, ssh, or host:path; None for anything else."""
    match = _REMOTE.fullmatch(url)
    return (match[1].lower(), match[2]) if match else None


def merge(ours: str, base: str, theirs: str) -> str | None:
    """The three-way merge of texts with LF line ends; None when they do not fit together, or there is no git."""
    with tempfile.TemporaryDirectory(prefix="trustsmith-") as folder:
        names = ("ours", "base", "theirs")
        for name, text in zip(names, (ours, base, theirs), strict=True):
            Path(folder, name).write_bytes(text.encode())
        answer = _git(Path(folder), "merge-file", "-p", "-q", *names)
    return None if answer is None else answer.decode()


def history(checkout: Path, paths: Collection[str], most: int) -> dict[str, list[Version]]:
    """The versions of files in all commits that are here, oldest first, each text once; renames are not followed.

    paths: seen from the checkout. most: commits for each path, the newest. Two processes, however many paths.
    """
    found: dict[str, dict[str, Version]] = {path: {} for path in paths}
    for path, version in _versions(checkout, _LOG, paths, most):
        found[path].setdefault(version.text, version)
    return {path: list(versions.values())[-most:] for path, versions in found.items()}


def line(checkout: Path, paths: Collection[str], most: int) -> dict[str, list[Version]]:
    """The versions of files one after the other as they came here, oldest first, in as many processes.

    paths, most: as above. A file that was away in between is as if it had not been.
    """
    found: dict[str, list[Version]] = {path: [] for path in paths}
    for path, version in _versions(checkout, _LINE, paths, most):
        found[path].append(version)
    return {path: versions[-most:] for path, versions in found.items()}


def _versions(
    checkout: Path, log: Sequence[str], paths: Collection[str], most: int
) -> Iterator[tuple[str, Version]]:
    """Each change of these files that a log tells, with what the file then was; not what is no text."""
    listing = _git(checkout, *log, f"-n{most * len(paths)}", "--", *paths, timeout=_HISTORY_TIMEOUT)
    changes = [change for change in _changes(listing or b"") if change.path in paths]
    blobs = list({change.blob for change in changes})
    texts = dict(zip(blobs, _texts(checkout, blobs), strict=True))
    for commit, path, blob in changes:
        if (text := texts[blob]) is not None:
            yield path, Version(commit, text)


def was_here(checkout: Path, path: str, blob: str) -> bool:
    """Whether a file, seen from the checkout, once was what a blob's id stands for, in what HEAD came from."""
    return bool(_git(checkout, "log", "-1", "--format=%H", f"--find-object={blob}", "HEAD", "--", path))


def texts_at(checkout: Path, commits: Sequence[str], path: str) -> list[str | None]:
    """What a file, seen from the checkout, was in each of these commits; None where it was not, or no text."""
    return _texts(checkout, [f"{commit}:./{path}" for commit in commits])


def lack(checkout: Path) -> str:
    """Why commits may be missing here, as part of a sentence; "" when all of them are here."""
    answer = _git(checkout, "rev-parse", "--is-shallow-repository")
    if answer is None:
        return "there is no git here, or this is no checkout of it"
    return "the clone is shallow, and git fetch --unshallow brings the rest" if answer == b"true\n" else ""


class _Change(NamedTuple):
    commit: str
    path: str
    blob: str


def _changes(listing: bytes) -> Iterator[_Change]:
    """What a raw log says: commits, each with the modes, blobs and letter of a change before the path of it."""
    commit = blob = ""
    for part in listing.decode("utf-8", "surrogateescape").split("\0"):
        if blob:
            if blob.strip("0"):  # else the path was deleted
                yield _Change(commit, part, blob)
            blob = ""
        elif part.lstrip("\n").startswith(":"):
            blob = part.split()[3]
        else:
            commit = part


def _texts(checkout: Path, names: Sequence[str]) -> list[str | None]:
    """The texts of objects, by whatever name git knows them; None for what is not there, or no UTF-8."""
    asked = "".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape")
    answer = _git(checkout, "cat-file", "--batch", stdin=asked, timeout=_HISTORY_TIMEOUT) if names else None
    stream = io.BytesIO(answer or b"")
    return [_text(stream) for _ in names]


def _text(stream: io.BytesIO) -> str | None:
    """The next object of a batch: a line that ends in its size, the object, a line end; else a line that says why not."""
    size = stream.readline().rpartition(b" ")[2].strip()
    if not size.isdigit():
        return None
    data = stream.read(int(size))
    stream.readline()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _git(folder: Path, *args: str, stdin: bytes = b"", timeout: float = _TIMEOUT) -> bytes | None:
    """What git answers; None when it is absent, fails, or takes too long."""
    command = ["git", "-C", str(folder), *args]
    env = os.environ | _SETTINGS
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=timeout, check=True, env=env)  # noqa: S603 - no shell, and git's own words
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
