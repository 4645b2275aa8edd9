"""A Foundry project's data plane, as far as proving access needs it: agents and their versions can be listed, made and deleted.

What opens it is a token for ``https://ai.azure.com`` and a role assignment that reaches the project and
whose data actions cover the call. It must not run an agent.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from trustsmith_sandbox import rbac, tokens
from trustsmith_sandbox.http import Answer, Call, Refusal, Route, Service

if TYPE_CHECKING:
    from trustsmith_sandbox.world import Data

_DATA = "Microsoft.CognitiveServices/accounts/AIServices/agents/"
_PROJECT = "/foundry/{account}/api/projects/{project}"
_ONLY_PROJECT = "_project"
_MOST = 20  # things in one answer, unless more are asked for
_HERE = ip_address("127.0.0.1")


def _refuse(status: int, code: str, message: str) -> Refusal:
    return Refusal(Answer(status, {"error": {"code": code, "message": message}}))


def _authenticate(call: Call) -> tokens.Principal:
    who = tokens.bearer(call, "foundry")
    if isinstance(who, tokens.Principal):
        return who
    text = {
        "audience": "audience is incorrect (https://ai.azure.com)",
        "expired": "Access token has expired.",
        "missing": "Access denied due to missing authorization header.",
    }.get(who, "Access denied due to invalid token.")
    raise _refuse(401, "Unauthorized", text)


def _project(call: Call, operation: str) -> Data:
    """Return the project that the path names, when the caller may do the operation (read, write, delete) there."""
    if not call.query.get("api-version"):
        raise _refuse(400, "BadRequest", "The required query parameter 'api-version' is missing.")
    project = _find(call)
    subscription = project["id"].split("/")[2].lower()
    if call.world.data["subscriptions"][subscription]["tenantId"] != call.caller.tenant:
        raise _refuse(400, "BadRequest", "Tenant provided in token does not match resource token")
    action = _DATA + operation
    if not rbac.allowed(call.world, call.caller.object_id, action, project["id"], data=True):
        text = (
            f"The principal `{call.caller.object_id}` lacks the required data action `{action}` to perform"
            f" `{call.method} /api/projects/{{projectName}}/agents` operation."
        )
        raise _refuse(403, "PermissionDenied", text)
    return project


def _find(call: Call) -> Data:
    account, name = call.params["account"].lower(), call.params["project"].lower()
    for project in call.world.seen(call.world.data["projects"].values()):
        owner, _, own = project["name"].lower().partition("/")
        if owner == account and name in {own, _ONLY_PROJECT}:
            _check_network(call.world.data["accounts"][project["id"].lower().rpartition("/projects/")[0]])
            return project
    raise _refuse(404, "NotFound", f"Project {call.params['project']} was not found.")


def _check_network(account: Data) -> None:
    """Raise 403 when the account does not let this machine in: it comes from the loopback address."""
    properties = account["properties"]
    if properties["publicNetworkAccess"] == "Disabled":
        raise _refuse(403, "403", "Public access is disabled. Please configure private endpoint.")
    rules = properties.get("networkAcls") or {}
    known = [ip_network(rule["value"], strict=False) for rule in rules.get("ipRules", [])]
    if rules.get("defaultAction") == "Deny" and not any(_HERE in network for network in known):
        raise _refuse(403, "AccessDenied", "Access denied due to Virtual Network/Firewall rules.")


def _agents(call: Call, project: Data) -> dict[str, Data]:
    everything = call.world.data.setdefault("agents", {})
    agents: dict[str, Data] = everything.setdefault(project["id"].lower(), {})
    return agents


def listing(call: Call) -> Answer:
    """Answer the project's agents."""
    return _page(call, [_shown(agent) for agent in _agents(call, _project(call, "read")).values()])


def _page(call: Call, things: list[Data]) -> Answer:
    """Answer those after the id ``after``, at most ``limit``; a client asks on from ``last_id`` until nothing comes."""
    ids, after = [thing["id"] for thing in things], call.query.get("after", "")
    rest = things[ids.index(after) + 1 :] if after in ids else things
    asked = call.query.get("limit", "")
    page = rest[: int(asked) if asked.isdecimal() else _MOST]
    ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {}
    return Answer(body={"object": "list", "data": page, "has_more": len(page) < len(rest), **ends})


def show(call: Call) -> Answer:
    """Answer one agent."""
    return Answer(body=_shown(_named(call, _agents(call, _project(call, "read")))))


def create(call: Call) -> Answer:
    """Make an agent ``{name, definition}``."""
    agents = _agents(call, _project(call, "write"))
    name = _wanted(call).get("name")
    if not isinstance(name, str):
        raise _refuse(400, "invalid_payload", "An agent needs a name and a definition.")
    if name in agents:
        raise _refuse(409, "conflict", f"Agent {name} already exists.")
    _add_version(call, agents, name)
    return Answer(200, _shown(agents[name]))


def create_version(call: Call) -> Answer:
    """Add a version ``{definition}`` to an agent, which is made if there is none."""
    agents = _agents(call, _project(call, "write"))
    return Answer(200, _add_version(call, agents, call.params["agent"]))


def _wanted(call: Call) -> Data:
    wanted: Data = call.body if isinstance(call.body, dict) else {}
    if not isinstance(wanted.get("definition"), dict):
        raise _refuse(400, "invalid_payload", "An agent needs a name and a definition.")
    return wanted


def _add_version(call: Call, agents: dict[str, Data], name: str) -> Data:
    wanted = _wanted(call)
    agent = agents.setdefault(
        name, {"object": "agent", "id": name, "name": name, "versions": {}, "_made": {}}
    )
    number = str(max(map(int, agent["_made"]), default=0) + 1)
    version: Data = {
        "object": "agent.version",
        "id": f"{name}:{number}",
        "name": name,
        "version": number,
        "definition": wanted["definition"],
        "description": wanted.get("description"),
        "metadata": wanted.get("metadata") or {},
        "created_at": int(call.world.now()),
    }
    agent["_made"][number] = agent["versions"]["latest"] = version
    return version


def _shown(agent: Data) -> Data:
    return {key: value for key, value in agent.items() if not key.startswith("_")}


def versions(call: Call) -> Answer:
    """Answer an agent's versions, the newest first."""
    made = _named(call, _agents(call, _project(call, "read")))["_made"]
    return _page(call, [*made.values()][::-1])


def show_version(call: Call) -> Answer:
    """Answer one version of an agent."""
    return Answer(body=_version(call, _named(call, _agents(call, _project(call, "read")))))


def _version(call: Call, agent: Data) -> Data:
    number = call.params["version"]
    if number not in agent["_made"]:
        raise _refuse(404, "not_found", f"Version {number} of agent {agent['name']} doesn't exist.")
    found: Data = agent["_made"][number]
    return found


def delete_version(call: Call) -> Answer:
    """Delete a version; with its last one an agent is gone."""
    agents = _agents(call, _project(call, "delete"))
    agent = _named(call, agents)
    gone = _version(call, agent)
    del agent["_made"][gone["version"]]
    if agent["_made"]:
        agent["versions"]["latest"] = [*agent["_made"].values()][-1]
    else:
        del agents[agent["name"]]
    told = {
        "object": "agent.version.deleted",
        "name": gone["name"],
        "version": gone["version"],
        "deleted": True,
    }
    return Answer(body=told)


def delete(call: Call) -> Answer:
    """Delete an agent."""
    agents = _agents(call, _project(call, "delete"))
    name = _named(call, agents)["name"]
    del agents[name]
    return Answer(200, {"object": "agent.deleted", "name": name, "deleted": True})


def _named(call: Call, agents: dict[str, Data]) -> Data:
    name = call.params["agent"]
    if name not in agents:
        raise _refuse(404, "not_found", f"Agent {name} doesn't exist.")
    return agents[name]


SERVICE = Service(
    name="foundry",
    hosts=("*.services.ai.azure.com",),
    roots=("foundry",),
    routes=(
        Route("GET", _PROJECT + "/agents", listing, "list agents"),
        Route("POST", _PROJECT + "/agents", create, "make an agent"),
        Route("GET", _PROJECT + "/agents/{agent}", show, "get an agent"),
        Route("DELETE", _PROJECT + "/agents/{agent}", delete, "delete an agent"),
        Route("GET", _PROJECT + "/agents/{agent}/versions", versions, "an agent's versions"),
        Route("POST", _PROJECT + "/agents/{agent}/versions", create_version, "make a version of an agent"),
        Route("GET", _PROJECT + "/agents/{agent}/versions/{version}", show_version, "one version"),
        Route("DELETE", _PROJECT + "/agents/{agent}/versions/{version}", delete_version, "delete a version"),
    ),
    authenticate=_authenticate,
)
