"""Routes below a repository and below an environment: found, allowed, then handed to the handler.

Every one exists twice, as ``/repos/{owner}/{repo}/…`` and as ``/repositories/{id}/…``: renamed repositories
redirect to the second (GitHub REST, "follow redirects"), and stock ``gh`` uses it for environments. It must
not hold what any route does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith_sandbox.github_access import Need, allow, by_name
from trustsmith_sandbox.github_wire import not_found, refusal
from trustsmith_sandbox.http import Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from trustsmith_sandbox.http import Answer, Call
    from trustsmith_sandbox.world import Data, World

_BY_NAME, _BY_ID = "/repos/{owner}/{repo}", "/repositories/{repository_id}"
_NAME_SEGMENTS = 4  # "", "repos", owner, repository
_KEPT_METHODS = {"GET", "HEAD"}


def on_repository(
    method: str, tail: str, handler: Callable[[Call, Data], Answer], summary: str, need: Need
) -> list[Route]:
    """Return both routes of something below a repository; ``handler`` gets the call and the repository."""

    def run(call: Call) -> Answer:
        repository = _addressed(call)
        allow(call, repository, need)
        return handler(call, repository)

    return [Route(method, prefix + tail, run, summary) for prefix in (_BY_NAME, _BY_ID)]


def on_environment(
    method: str, tail: str, handler: Callable[[Call, Data, Data], Answer], summary: str, need: Need
) -> list[Route]:
    """Return both routes of something below an environment; ``handler`` gets the environment as well."""

    def run(call: Call, repository: Data) -> Answer:
        return handler(call, repository, environment(call, repository))

    return on_repository(method, "/environments/{environment_name}" + tail, run, summary, need)


def environment(call: Call, repository: Data) -> Data:
    """Return the environment named in the path, in any case. Raises 404."""
    found: Data | None = by_name(repository["environments"], call.params["environment_name"])
    if found is None:
        raise not_found()
    return found


def named_repository(world: World, name: str) -> Data | None:
    """Return the repository that is called ``owner/name`` now, in any case."""
    for repository in world.data["github"]["repositories"].values():
        if f"{repository['owner']}/{repository['name']}".lower() == name.lower():
            found: Data = repository
            return found
    return None


def _addressed(call: Call) -> Data:
    repositories = call.world.data["github"]["repositories"]
    if "repository_id" in call.params:
        by_id: Data | None = repositories.get(call.params["repository_id"])
        if by_id is None:
            raise not_found()
        return by_id
    name = f"{call.params['owner']}/{call.params['repo']}"
    found = named_repository(call.world, name)
    if found is not None:
        return found
    for moved in repositories.values():
        if name.lower() in (old.lower() for old in moved["redirects"]):
            raise _moved(call, moved)
    raise not_found()


def _moved(call: Call, repository: Data) -> Exception:
    allow(call, repository, Need("metadata:read"))  # who may not see it must not learn where it went
    tail = "/".join(["", *call.path.split("/")[_NAME_SEGMENTS:]]).rstrip("/")
    query = f"?{call.request.url.query}" if call.request.url.query else ""
    url = f"{call.base}/repositories/{repository['id']}{tail}{query}"
    status, text = (301, "Moved Permanently") if call.method in _KEPT_METHODS else (307, "Temporary Redirect")
    return refusal(status, text, headers={"Location": url}, url=url)
