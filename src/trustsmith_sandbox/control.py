"""The control routes under ``/_sandbox/``: look at the world, reset it, break it, move its clock, act in it.

For demos and tests; no real service has them, nobody is authenticated, and they get neither latency nor
faults. It must not hold any behaviour of a service: it calls the services' own functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trustsmith_sandbox import actions, entra_users, github, github_limits, workflow_starts
from trustsmith_sandbox.faults import Faults
from trustsmith_sandbox.github_routes import named_repository
from trustsmith_sandbox.http import Answer, Call, Refusal, Route, Service
from trustsmith_sandbox.runner import runner_of
from trustsmith_sandbox.workflow_file import WorkflowError

if TYPE_CHECKING:
    from trustsmith_sandbox.world import Data


def _wanted(call: Call, *known: str) -> Data:
    """Return the request's object; raises 400 when it is none, or has keys that are not known."""
    body = {} if call.body is None else call.body
    if not isinstance(body, dict):
        raise _wrong("The body must be a JSON object.")
    if unknown := sorted(body.keys() - set(known)):
        raise _wrong(f"Unknown key {unknown[0]}; known: {', '.join(known)}.")
    return body


def _wrong(text: str) -> Refusal:
    return Refusal(Answer(400, {"message": text}))


def _number(wanted: Data, name: str, default: float) -> float:
    value = wanted.get(name, default)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _wrong(f"{name} must be a number.")
    return float(value)


def _state(call: Call) -> Answer:
    return Answer(body=call.world.state())


async def _reset(call: Call) -> Answer:
    if not isinstance(call.body, dict | None):
        raise _wrong("The body must be a world: an object, as GET state answers it.")
    await runner_of(call.world).close()
    call.world.reset(call.body)
    _faults(call).listed.clear()
    return Answer(204)


def _faults(call: Call) -> Faults:
    return call.world.kept("faults", Faults)


def _add_fault(call: Call) -> Answer:
    """Add one fault or a list of them."""
    listed = call.body if isinstance(call.body, list) else [call.body]
    try:
        for wanted in listed:
            _faults(call).add(dict(wanted))
    except (TypeError, ValueError) as reason:
        raise _wrong(str(reason)) from None
    return Answer(201, {"faults": len(_faults(call).listed)})


def _clear_faults(call: Call) -> Answer:
    _faults(call).listed.clear()
    return Answer(204)


def _clock(call: Call) -> Answer:
    call.world.advance(_number(_wanted(call, "advance_s"), "advance_s", 0.0))
    return Answer(body={"now": call.world.stamp()})


def _limits(call: Call) -> Answer:
    wanted = _wanted(call, "github")
    github_limits.limits(call.world).on = bool(wanted.get("github", True))
    return Answer(body={"github": github_limits.limits(call.world).on})


def _lag(call: Call) -> Answer:
    wanted, lag = _wanted(call, "replication_s", "roles_s"), call.world.lag
    lag.replication = _number(wanted, "replication_s", lag.replication)
    lag.roles = _number(wanted, "roles_s", lag.roles)
    return Answer(body={"replication_s": lag.replication, "roles_s": lag.roles})


def _latency(call: Call) -> Answer:
    pace: dict[str, float] = call.world.kept("pace", dict)
    pace["latency"] = _number(_wanted(call, "ms"), "ms", 0.0) / 1000
    return Answer(body={"ms": pace["latency"] * 1000})


def _device_code(call: Call) -> Answer:
    wanted = _wanted(call, "user", "user_code")
    name = str(wanted.get("user") or "admin@contoso.onmicrosoft.com")
    try:
        return Answer(body={"approved": entra_users.approve(call.world, name, wanted.get("user_code"))})
    except KeyError:
        raise _wrong(f"There is no user {name}.") from None


def _token(call: Call) -> Answer:
    wanted = _wanted(call, "user", "resource")
    name, resource = str(wanted.get("user", "")), str(wanted.get("resource", ""))
    if call.world.names.service_of(resource) is None:
        raise _wrong(f"There is nothing called {resource!r} that a token could be for.")
    try:
        return Answer(body=entra_users.cli_token(call.world, name, resource))
    except KeyError:
        raise _wrong(f"There is no user {name}.") from None


def _push(call: Call) -> Answer:
    known = ("repository", "branch", "files", "message", "tag", "start")
    return _made(github.push(call.world, _wanted(call, *known)))


def _run(call: Call) -> Answer:
    wanted = _wanted(call, "repository", "workflow", "event")
    repository = named_repository(call.world, str(wanted.get("repository", "")))
    if repository is None:
        raise _wrong(f"There is no repository {wanted.get('repository')!r}.")
    if wanted.get("event", "schedule") != "schedule":
        raise _wrong(
            "Only a schedule's runs are started here: push with {start: true}, or dispatch at GitHub's API."
        )
    try:
        run = workflow_starts.scheduled(call.world, repository, str(wanted.get("workflow", "")))
    except WorkflowError as reason:
        raise _wrong(str(reason)) from None
    return _made({"run": run["id"]})


def _job(call: Call) -> Answer:
    wanted = _wanted(call, "repository", "environment", "ref", "event", "permissions", "actor")
    return _made(actions.create_job(call.world, wanted, call.origin))


def _made(thing: Any) -> Answer:
    return thing if isinstance(thing, Answer) else Answer(201, thing)


SERVICE = Service(
    name="control",
    roots=("_sandbox",),
    mounts=("/_sandbox",),
    routes=(
        Route("GET", "/state", _state, "the whole world, as reset and --seed take it", public=True),
        Route("POST", "/reset", _reset, "the first world again, or the one in the body", public=True),
        Route("POST", "/faults", _add_fault, "make requests fail", public=True),
        Route("DELETE", "/faults", _clear_faults, "no more faults", public=True),
        Route("POST", "/clock", _clock, "move the clock by {advance_s}", public=True),
        Route("POST", "/limits", _limits, "GitHub's rate limits on or off: {github}", public=True),
        Route("POST", "/lag", _lag, "replication delay: {replication_s, roles_s}", public=True),
        Route("POST", "/latency", _latency, "delay of every answer: {ms}", public=True),
        Route("POST", "/devicecode", _device_code, "approve a device code: {user?, user_code?}", public=True),
        Route(
            "POST", "/token", _token, "a person's token, as Azure CLI has it: {user, resource}", public=True
        ),
        Route(
            "POST",
            "/push",
            _push,
            "commit files, and start what asks for the push: {repository, branch, files, tag?, start?}",
            public=True,
        ),
        Route(
            "POST",
            "/runs",
            _run,
            "start a workflow as its schedule would: {repository, workflow}",
            public=True,
        ),
        Route("POST", "/jobs", _job, "start an Actions job, as its runner would see it", public=True),
    ),
)
