"""GitHub's dialect: error answers, paging, timestamps, and reading a body with GitHub's own complaints.

It must not know what an environment or a repository is; see reference "GitHub REST", errors and headers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox.http import Answer, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import Data, World

DOCS = "https://docs.github.com/rest"
_DEFAULT_PAGE = 30
_LARGEST_PAGE = 100


def refusal(status: int, message: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Refusal:
    """Return GitHub's error envelope: message, documentation_url, status, and what else is given."""
    body = {"message": message, **more, "documentation_url": DOCS, "status": str(status)}
    return Refusal(Answer(status, body, dict(headers or {})))


def not_found() -> Refusal:
    """404: it is not there, or the caller may not know that it is."""
    return refusal(404, "Not Found")


def invalid(resource: str, field: str, message: str, code: str = "custom") -> Refusal:
    """422 with one entry in ``errors``, for values that are well-formed but not allowed."""
    problem = {"resource": resource, "field": field, "code": code, "message": message}
    return refusal(422, "Validation Failed", errors=[problem])


def malformed(message: str) -> Refusal:
    """422 for a body of the wrong shape."""
    return refusal(422, f"Invalid request.\n\n{message}")


def permit(call: Call, *names: str) -> None:
    """Raise 422 for members of the body that the route does not know, where GitHub's description says so."""
    for name in call.body if isinstance(call.body, dict) else ():
        if name not in names:
            raise malformed(f'"{name}" is not a permitted key.')


_KINDS: dict[type, str] = {
    str: "a string",
    int: "an integer",
    bool: "a boolean",
    list: "an array",
    dict: "an object",
}


def field(call: Call, name: str, kind: type, default: Any = None, *, required: bool = False) -> Any:
    """Return a member of the JSON body; null counts as left out.

    Raises a 422 refusal when the body is no object, a required member is missing, or its type is wrong.
    """
    body = {} if call.body is None else call.body
    if not isinstance(body, dict):
        raise malformed("The body must be a JSON object.")
    value = body.get(name)
    if value is None:
        if required:
            raise malformed(f'"{name}" wasn\'t supplied.')
        return default
    # bool is a subclass of int in Python, and never meant here
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise malformed(f"For 'properties/{name}', {value!r} is not {_KINDS[kind]}.")
    return value


@dataclass
class _Latest:
    """The latest stamp given out in this world; a reset starts over."""

    stamp: str = ""
    world_data: Any = None


def touch(world: World, thing: Data) -> Data:
    """Set ``updated_at`` (and ``created_at``), in whole seconds as GitHub does.

    Two writes of one object never carry the same second, and no write looks older than one before it, so
    that readers can tell what was written after what.
    """
    latest, before = world.kept("github.latest", _Latest), thing.get("updated_at", "")
    if latest.world_data is not world.data:
        latest.world_data, latest.stamp = world.data, ""
    now = max(world.stamp(), latest.stamp)
    if before >= now:
        now = (datetime.fromisoformat(before) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    latest.stamp = thing["updated_at"] = now
    thing.setdefault("created_at", now)
    return thing


def _number(call: Call, name: str, default: int) -> int:
    text = call.query.get(name, "")
    return max(int(text), 1) if text.isdigit() else default


def paged(
    call: Call,
    things: Iterable[Data],
    shape: Callable[[Data], Any],
    *,
    key: str | None = None,
    default: int = _DEFAULT_PAGE,
    largest: int = _LARGEST_PAGE,
) -> Answer:
    """Return one page with its ``Link`` header: a list, or ``{total_count, key: [...]}`` when ``key`` is given."""
    everything = list(things)
    size, page = min(_number(call, "per_page", default), largest), _number(call, "page", 1)
    shown = [shape(thing) for thing in everything[(page - 1) * size : page * size]]
    last = max(1, -(-len(everything) // size))
    body = shown if key is None else {"total_count": len(everything), key: shown}
    return Answer(200, body, _links(call, page, last))


def _links(call: Call, page: int, last: int) -> dict[str, str]:
    wanted = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
    if page >= last:
        del wanted["next"], wanted["last"]
    if page <= 1:
        del wanted["prev"], wanted["first"]
    url = call.request.url.include_query_params
    links = [
        f'<{call.base}{call.path}?{url(page=number).query}>; rel="{name}"' for name, number in wanted.items()
    ]
    return {"Link": ", ".join(links)} if links else {}
