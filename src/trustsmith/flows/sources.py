"""What of the checkout the workflows are rendered from, and whether the repository at GitHub has it as well.

The configuration, the pins of actions and the repository's own templates go along with what is rendered from them. Must
not write anything.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from trustsmith.clients import git
from trustsmith.errors import Refused
from trustsmith.generated import unix
from trustsmith.render import own_folder

if TYPE_CHECKING:
    from pathlib import Path

    from trustsmith.flows.session import Options, Session
    from trustsmith.model.config import Config
    from trustsmith.systems.published import Published


async def changed(session: Session, config: Config, published: Published) -> dict[str, str]:
    """The files that the workflows are rendered from and that are others at GitHub: path → text.

    Raises Refused when GitHub has one that is not in what the checkout came from: it would be lost.
    """
    options = session.options
    here = dict(_here(options, config))
    there = await published.texts(here)
    differ = {path: text for path, text in here.items() if _plain(text) != _plain(there.get(path))}
    clone = options.root if _is_clone(options.root, session.endpoints.web, published) else None
    lost = [path for path, text in differ.items() if await _would_lose(clone, published, path, text)]
    if lost:
        raise Refused(
            f"On {published.branch}, {', '.join(lost)} {'is' if len(lost) == 1 else 'are'} later than what is here, and "
            "that would be lost; nothing was pushed.",
            hint="Get it first, then run the same again:\n  git pull",
        )
    return {path: _dressed(text, there.get(path)) for path, text in differ.items()}


def _is_clone(root: Path, web: str, published: Published) -> bool:
    """Whether the checkout is a clone of that repository, with all of its history."""
    host, name = git.remote(root) or ("", "")
    return (host, name.lower()) == (urlsplit(web).netloc, published.full_name.lower()) and not git.lack(root)


async def _would_lose(clone: Path | None, published: Published, path: str, text: str) -> bool:
    """Whether what is at GitHub is no former version of what is here.

    A clone knows what it came from. Without one, what is here may still be known as older.
    """
    entry = (await published.folder(PurePosixPath(path).parent.as_posix())).get(path)
    if entry is not None and clone is not None:
        return not git.was_here(clone, path, str(entry["sha"]))
    versions = [_plain(version.text) for version in await published.versions(path)]
    return _plain(text) in versions[: len(versions) if entry is None else -1]


def _here(options: Options, config: Config) -> list[tuple[str, str]]:
    """The files in the checkout: path from its top, and text. What is outside of it goes nowhere."""
    own = own_folder(config, options.root)
    files = [options.config_path, options.pins_path, *(sorted(own.iterdir()) if own and own.is_dir() else ())]
    root = options.root.resolve()
    return [
        (file.resolve().relative_to(root).as_posix(), file.read_bytes().decode("utf-8", "replace"))
        for file in files
        if file.is_file() and file.resolve().is_relative_to(root) and _belongs(file, own)
    ]


def _belongs(file: Path, own: Path | None) -> bool:
    return file.parent != own or file.suffix in {".j2", ".toml"}


def _plain(text: str | None) -> str | None:
    return None if text is None else unix(text.removeprefix("\ufeff"))


def _dressed(text: str, there: str | None) -> str:
    """The text with LF line ends, as git keeps texts, unless those at GitHub are Windows'."""
    return text if there and "\r\n" in there else unix(text)
