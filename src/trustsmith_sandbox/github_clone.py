"""Lets git clone and fetch a repository over HTTPS: git's own ``upload-pack`` answers, on a copy made for each request.

Nothing can be pushed this way: the API and the control route do that. It must not know workflows.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import gzip
import os
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from trustsmith_sandbox import github_objects as objects
from trustsmith_sandbox.github_access import Caller, Need, allow
from trustsmith_sandbox.github_routes import named_repository
from trustsmith_sandbox.http import Answer, Call, Refusal, Route, Service

if TYPE_CHECKING:
    from trustsmith_sandbox.world import Data

_CONFIG = "[core]\n\tbare = true\n[uploadpack]\n\tallowAnySHA1InWant = true\n\tallowFilter = true\n"
_UPLOAD = "git-upload-pack"
_ADVERTISED = b"001e# service=git-upload-pack\n0000"  # what precedes the refs, in git's own framing
_PLAIN = "text/plain; charset=utf-8"


def _refuse(status: int, text: str, headers: dict[str, str] | None = None) -> Refusal:
    return Refusal(Answer(status, headers=headers or {}, raw=text.encode(), media_type=_PLAIN))


def _authenticate(call: Call) -> Caller:
    """Return who is asking: the token is the password, whatever the name. Raises 401 for a token that nobody has."""
    scheme, _, given = call.headers.get("authorization", "").partition(" ")
    if not given:
        return Caller({})
    try:
        token = base64.b64decode(given).decode().partition(":")[2] if scheme.lower() == "basic" else given
    except (binascii.Error, UnicodeDecodeError):
        token = ""
    entry = call.world.data["github"]["tokens"].get(token)
    if entry is None:
        raise _refuse(401, "Invalid username or token.", {"WWW-Authenticate": 'Basic realm="GitHub"'})
    return Caller(entry)


def _repository(call: Call) -> Data:
    """Return the repository named in the path. Raises 401 for the anonymous and 404 for others who may not read it."""
    name = f"{call.params['owner']}/{call.params['repo'].removesuffix('.git')}"
    repository = named_repository(call.world, name)
    try:
        if repository is not None:
            allow(call, repository, Need("contents:read"))
            return repository
    except Refusal:
        pass
    if not call.caller.token:
        raise _refuse(401, "Repository not found.", {"WWW-Authenticate": 'Basic realm="GitHub"'})
    raise _refuse(404, "Repository not found.")


async def _refs(call: Call) -> Answer:
    if call.query.get("service") != _UPLOAD:
        raise _refuse(403, "The sandbox takes no pushes over git: use the API, or `trustsmith sandbox push`.")
    told = await _upload_pack(call, _repository(call), "--advertise-refs")
    body = told if _version(call) else _ADVERTISED + told
    return Answer(raw=body, media_type=f"application/x-{_UPLOAD}-advertisement")


async def _pack(call: Call) -> Answer:
    repository = _repository(call)
    asked = gzip.decompress(call.raw) if call.headers.get("content-encoding") == "gzip" else call.raw
    return Answer(
        raw=await _upload_pack(call, repository, given=asked), media_type=f"application/x-{_UPLOAD}-result"
    )


def _version(call: Call) -> str:
    """Return the newer protocol that the client asks for, if any."""
    asked = call.headers.get("git-protocol", "")
    return asked if asked == "version=2" else ""


async def _upload_pack(call: Call, repository: Data, *flags: str, given: bytes = b"") -> bytes:
    """Return what git answers. Raises 500 when it fails or is not installed."""
    with tempfile.TemporaryDirectory(prefix="trustsmith-clone-") as name:
        _write(call, repository, Path(name))
        try:
            process = await asyncio.create_subprocess_exec(
                "git", "upload-pack", "--stateless-rpc", *flags, name,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={"PATH": os.defpath, **os.environ, "GIT_PROTOCOL": _version(call)},
            )  # fmt: skip
        except OSError:
            raise _refuse(500, "There is no git on this machine, which would answer.") from None
        told, wrong = await process.communicate(given)
    if process.returncode:
        raise _refuse(500, wrong.decode("utf-8", "replace"))
    return told


def _write(call: Call, repository: Data, folder: Path) -> None:
    """Write the repository as git keeps one: an object a file, refs in one file."""
    branches = {name: objects.head(call.world, repository, name) for name in repository["files"]}
    refs = {f"refs/heads/{name}": sha for name, sha in branches.items()}
    refs |= {f"refs/tags/{name}": sha for name, sha in objects.tags(repository).items()}
    (folder / "refs").mkdir()
    (folder / "config").write_text(_CONFIG, encoding="utf-8")
    (folder / "HEAD").write_text(f"ref: refs/heads/{repository['default_branch']}\n", encoding="utf-8")
    packed = "".join(f"{sha} {name}\n" for name, sha in sorted(refs.items()))
    (folder / "packed-refs").write_text(packed, encoding="utf-8")
    for sha, content in objects.loose(repository):
        place = folder / "objects" / sha[:2]
        place.mkdir(parents=True, exist_ok=True)
        (place / sha[2:]).write_bytes(zlib.compress(content, 1))


SERVICE = Service(
    name="git",
    routes=(
        Route("GET", "/{owner}/{repo}/info/refs", _refs, "What git can fetch"),
        Route("POST", f"/{{owner}}/{{repo}}/{_UPLOAD}", _pack, "What git fetches"),
    ),
    endings=("/info/refs", f"/{_UPLOAD}", "/git-receive-pack"),
    authenticate=_authenticate,
    read=None,
)
