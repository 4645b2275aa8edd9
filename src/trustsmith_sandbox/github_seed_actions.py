"""The repositories of actions that the sandbox's GitHub starts with: their commits, tags and releases.

Commits that workflows pin in the real world have their real ids; all others are made up and easy to tell. Pure data;
it must not read a clock or the network.
"""

from __future__ import annotations

from typing import Any

from trustsmith_sandbox import github_objects as objects

Data = dict[str, Any]
_PEOPLE = {"name": "GitHub", "email": "noreply@github.com"}
_ACTION = "name: {name}\nruns:\n  using: node24\n  main: index.js\n"
_COMPOSITE = "name: {name}\nruns:\n  using: composite\n  steps:\n    - uses: actions/setup-python@v5\n"

#: Repository → its history, the oldest first: (tag, commit, date).
_MAIN = {
    "actions/checkout": (
        ("v6.1.0", "c6" * 20, "2026-05-12"),
        ("v7.0.0", "c7" * 20, "2026-06-18"),
        ("v7.0.1", "3d3c42e5aac5ba805825da76410c181273ba90b1", "2026-07-17"),
        ("v7.1.0", "c710" * 10, "2026-09-01"),
        ("v8.0.0", "c8" * 20, "2026-10-06"),
    ),
    "actions/setup-python": (
        ("v7.0.0", "5fda3b95a4ea91299a34e894583c3862153e4b97", "2026-07-19"),
        ("v7.1.0-beta.1", "57be7a01" * 5, "2026-09-20"),
        ("v7.0.1", "570701" * 6 + "5707", "2026-10-01"),
    ),
    "actions/create-github-app-token": (
        ("v3.2.0", "bcd2ba49218906704ab6c1aa796996da409d3eb1", "2026-05-12"),
    ),
    "Azure/login": (("", "aa" * 20, "2026-06-01"),),
    "microsoft/ai-agent-evals": (
        ("v2-beta", "ae780aea7620339a24feafa1d11d82a03a99f094", "2025-08-01"),
        ("v3-beta", "4fdab291c90dfed5e49ea047b440de8b0b93812a", "2025-12-23"),
    ),
}


def _commit(repository: Data, sha: str, date: str, parents: list[str], tree: str) -> None:
    who = {**_PEOPLE, "date": f"{date}T12:00:00Z"}
    objects.commits(repository)[sha] = {
        "author": who,
        "committer": who,
        "tree": tree,
        "parents": parents,
        "message": f"Work of {date}",
    }


def _grow(repository: Data, branch: str, history: tuple[tuple[str, str, str], ...], start: str = "") -> None:
    """Give the repository a branch with these commits, tagged."""
    tree = objects.save_files(repository, repository["files"]["main"])
    last = start
    for tag, sha, date in history:
        _commit(repository, sha, date, [last] if last else [], tree)
        last = sha
        if tag:
            objects.tags(repository)[tag] = sha
    repository["files"][branch] = dict(repository["files"]["main"])
    repository["objects"].setdefault("heads", {})[branch] = last


def _annotate(repository: Data, tag: str, sha: str) -> None:
    """Make a tag an annotated one, whose ref points to an object of its own."""
    tagger = {**_PEOPLE, "date": "2026-08-05T12:00:00Z"}
    target = {"sha": objects.tags(repository)[tag], "type": "commit"}
    objects.tag_objects(repository)[sha] = {"tag": tag, "message": tag, "tagger": tagger, "object": target}
    objects.tags(repository)[tag] = sha


def _release(repository: Data, tag: str, published: str = "", **more: Any) -> None:
    releases = repository.setdefault("releases", [])
    number = repository["id"] * 100 + len(releases)
    when = {"published_at": f"{published}T12:30:00Z"} if published else {}
    releases.append({"id": number, "tag_name": tag, **when, **more})


def action(repository: Data) -> Data:
    """Give a blank repository the history of the action of its name; returns the same repository."""
    name = f"{repository['owner']}/{repository['name']}"
    text = _COMPOSITE if name == "microsoft/ai-agent-evals" else _ACTION
    repository["files"] = {"main": {"action.yml": text.format(name=repository["name"])}}
    _grow(repository, "main", _MAIN[name])
    for tag, _sha, date in _MAIN[name]:
        if tag:
            _release(repository, tag, date, prerelease="-" in tag)
    if name in _SPECIAL:
        _SPECIAL[name](repository)
    return repository


def _checkout(repository: Data) -> None:
    """An old line has a branch of its own; a draft is seen by those who write only."""
    _grow(repository, "releases/v6", (("v6.1.1", "c611" * 10, "2026-08-02"),), start="c6" * 20)
    _release(repository, "v6.1.1", "2026-08-02")
    _release(repository, "v7.2.0", "2026-10-07", draft=True)


def _setup_python(repository: Data) -> None:
    """One more release, always two days old."""
    _grow(
        repository, "main", (("v7.2.0", "5720" * 10, "2026-10-20"),), start=objects.tags(repository)["v7.0.1"]
    )
    _release(repository, "v7.2.0", days_old=2.5)


def _login(repository: Data) -> None:
    """Each release ends a branch of its own, and its tags are annotated, as they are there."""
    start = "aa" * 20
    for tag, sha, date in (
        ("v2.3.1", "7184910d9eb2b1c5e48f7073824a90609bb9b6d6", "2026-06-20"),
        ("v3.0.0", "532459ea530d8321f2fb9bb10d1e0bcf23869a43", "2026-06-23"),
        ("v3.0.1", "f5d393ae46f8fde4be8b75f32e3fc50e654ad0ca", "2026-08-04"),
        ("v3.1.0", "a310" * 10, "2026-09-15"),
    ):
        _grow(repository, f"releases/{tag}", ((tag, sha, date),), start=start)
        _release(repository, tag, date)
        _annotate(repository, tag, f"7a6{sha[3:]}")


_SPECIAL = {"actions/checkout": _checkout, "actions/setup-python": _setup_python, "Azure/login": _login}
