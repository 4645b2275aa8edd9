"""Makes, changes and deletes what has an id in ARM: resource groups, accounts, projects, models, and anything else.

What the sandbox does not know is kept as it was sent. A template's resources come through here as well, so that there
is one way for each kind. It must not know templates.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox import arm_authorization as authorization
from trustsmith_sandbox import arm_core as core
from trustsmith_sandbox import arm_locks, seed
from trustsmith_sandbox.arm_resources import check_registered, kind_of, put_project
from trustsmith_sandbox.http import Answer, Call, Route

if TYPE_CHECKING:
    from trustsmith_sandbox.world import Data

_GROUPS_WRITE = "Microsoft.Resources/subscriptions/resourceGroups/write"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_ACCOUNT = _GROUP + f"/providers/{core.ACCOUNTS}/{{account}}"


def _location(body: Data) -> str:
    if not body.get("location"):
        raise core.refuse(400, "LocationRequired", "The location property is required for this definition.")
    return str(body["location"])


def _id(call: Call) -> str:
    return "/" + call.path.strip("/")


def put_group(call: Call) -> Answer:
    """Make a resource group, or change its tags."""
    core.require(call, _GROUPS_WRITE, _id(call))
    body, held = core.body(call), core.resource(call, _id(call))
    if held is not None:
        held["tags"] = body.get("tags", held["tags"])
        return Answer(200, core.shown(held))
    made = seed.group(_id(call), call.params["group"], _location(body)) | {"tags": body.get("tags") or {}}
    call.world.data["resource_groups"][made["id"].lower()] = call.world.written(made)
    return Answer(201, core.shown(made))


def put_account(call: Call) -> Answer:
    """Make or change a Foundry account."""
    core.require(call, f"{core.ACCOUNTS}/write", _id(call))
    arm_locks.check(call, _id(call))
    body, held = core.body(call), core.resource(call, _id(call))
    check_registered(call)
    group = core.existing(
        call, f"/subscriptions/{call.params['subscription']}/resourceGroups/{call.params['group']}"
    )
    account = held or seed.account(group["id"], call.params["account"], _location(body))
    _change(account, body)
    call.world.data["accounts"][account["id"].lower()] = account if held else call.world.written(account)
    return Answer(200 if held else 201, core.shown(account))


def put_model(call: Call) -> Answer:
    """Deploy a model to an account, or change the deployment."""
    core.require(call, f"{core.MODELS}/write", _id(call))
    body, held = core.body(call), core.resource(call, _id(call))
    check_registered(call)
    _parent(call, core.MODELS)
    if not (body.get("properties") or {}).get("model"):
        raise core.refuse(400, "InvalidResourceProperties", "The model of the deployment is not specified.")
    made = held or _bare(call, core.MODELS)
    _change(made, body)
    made["properties"]["provisioningState"] = "Succeeded"
    call.world.data["model_deployments"][made["id"].lower()] = made if held else call.world.written(made)
    return Answer(200 if held else 201, core.shown(made))


def _parent(call: Call, kind: str) -> None:
    """Raise ARM's 404 where what the resource belongs to is not there."""
    above = _id(call).rpartition("/")[0].rpartition("/")[0]
    if core.resource(call, above) is None:
        text = (
            f"Failed to perform 'write' on resource(s) of type '{kind.partition('/')[2]}', because the parent resource"
            f" '{above}' could not be found."
        )
        raise core.refuse(404, "ParentResourceNotFound", text)


def put_any(call: Call) -> Answer:
    """Keep whatever it is."""
    kind = kind_of(_id(call))
    core.require(call, f"{kind}/write", _id(call))
    body, held = core.body(call), core.resource(call, _id(call))
    scope = _id(call).lower().partition("/providers/")[0]
    if scope:
        core.existing(call, scope)
    made = held or _bare(call, kind)
    _change(made, body)
    made["properties"]["provisioningState"] = "Succeeded"
    call.world.data["resources"][made["id"].lower()] = made if held else call.world.written(made)
    return Answer(200 if held else 201, core.shown(made))


def _bare(call: Call, kind: str) -> Data:
    names = _id(call).rpartition("/providers/")[2].split("/")[2::2]
    return {"id": _id(call), "name": names[-1], "type": kind, "properties": {}}


def _change(thing: Data, body: Data) -> None:
    """Take over what is wanted; properties that are not named stay."""
    properties = thing["properties"] | (body.get("properties") or {})
    thing |= {key: value for key, value in body.items() if key not in {"id", "name", "type"}}
    thing["properties"] = properties


def delete_any(call: Call) -> Answer:
    """Delete a resource, with all that is below it: 200, or 204 when there was none."""
    kind = kind_of(_id(call))
    core.require(call, f"{kind}/delete", _id(call))
    arm_locks.check(call, _id(call))
    held = core.resource(call, _id(call))
    if held is None:
        return Answer(204)
    for name in core.TABLES:
        table = call.world.data[name]
        for key in [key for key in table if f"{key}/".startswith(f"{held['id'].lower()}/")]:
            del table[key]
    return Answer(200)


def write(call: Call, resource_id: str, body: Any) -> Data:
    """Put a resource as its own request would, and return it. Raises the refusal that the request would get."""
    for route in ROUTES:
        params = route.match(resource_id)
        if route.method == "PUT" and params is not None:
            sent = dataclasses.replace(call, method="PUT", path=resource_id, params=params, body=body)
            answer = route.handler(sent)
            if isinstance(answer, Answer):
                made: Data = answer.body
                return made
    raise core.refuse(400, "InvalidTemplate", f"The sandbox cannot make {resource_id}.")


ROUTES = (
    Route("PUT", _GROUP, put_group, "make a resource group", any_case=True),
    Route("PUT", _ACCOUNT, put_account, "make or change a Foundry account", any_case=True),
    Route("PUT", _ACCOUNT + "/projects/{project}", put_project, "make a project", any_case=True),
    Route("PUT", _ACCOUNT + "/deployments/{model}", put_model, "deploy a model", any_case=True),
    Route(
        "PUT",
        "/{scope*}/providers/Microsoft.Authorization/roleAssignments/{name}",
        authorization.put,
        "assign a role",
        any_case=True,
    ),
    Route("PUT", "/{resource*}", put_any, "keep any other resource as it is sent", any_case=True),
    Route("DELETE", "/{resource*}", delete_any, "delete a resource and what is below it", any_case=True),
)
