"""What Graph's routes share: refusals, who may do what, finding objects, and lists with their OData options.

It must not know the routes. Permission names and the owner rule are from Graph's permissions reference.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from trustsmith_sandbox import directory_roles, odata, tokens
from trustsmith_sandbox.http import Answer, Call, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from trustsmith_sandbox.world import Data

READ_APPS = {
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
}
WRITE_APPS = {"Application.ReadWrite.All", "Directory.ReadWrite.All"}
READ_DIRECTORY = {"Directory.Read.All", "Directory.ReadWrite.All"}
READ_POLICY = "Policy.Read.All"
_OWNED = "Application.ReadWrite.OwnedBy"
_DEFAULT_PAGE = 100
_LARGEST_PAGE = 999
_EXPANDED = 20


def refuse(
    call: Call, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Refusal:
    """Return the refusal in Graph's envelope."""
    request = str(uuid.uuid4())
    inner = {
        "date": call.world.stamp().removesuffix("Z"),
        "request-id": request,
        "client-request-id": call.headers.get("client-request-id", request),
    }
    return Refusal(
        Answer(status, {"error": {"code": code, "message": message, "innerError": inner}}, headers or {})
    )


def missing(call: Call, what: str) -> Refusal:
    """Return Graph's 404 for an id or alternate key."""
    text = (
        f"Resource '{what}' does not exist or one of its queried reference-property objects are not present."
    )
    return refuse(call, 404, "Request_ResourceNotFound", text)


def denied(call: Call) -> Refusal:
    """Return Graph's 403."""
    text = "Insufficient privileges to complete the operation."
    return refuse(call, 403, "Authorization_RequestDenied", text)


def bad(call: Call, message: str, code: str = "Request_BadRequest") -> Refusal:
    """Return a 400."""
    return refuse(call, 400, code, message)


def authenticate(call: Call) -> tokens.Principal:
    """Return the caller; raises 401 as Graph does for each way a token can be wrong."""
    who = tokens.bearer(call, "graph")
    if isinstance(who, tokens.Principal):
        return who
    text = {
        "missing": "Access token is empty.",
        "expired": "Lifetime validation failed, the token is expired.",
        "audience": "Access token validation failure. Invalid audience.",
    }.get(who, "CompactToken parsing failed with error code: 80049217")
    raise refuse(call, 401, "InvalidAuthenticationToken", text)


def rights(call: Call) -> set[str]:
    """Return the caller's Graph permissions: an application's own, and what directory roles amount to."""
    manages = WRITE_APPS if _roles(call) & directory_roles.MANAGERS else set()
    if call.caller.kind == "app":
        return set(call.caller.permissions) | manages
    return {"Application.Read.All", "Directory.Read.All", READ_POLICY} | (manages or {_OWNED})


def _roles(call: Call) -> set[str]:
    """Return the directory roles of the caller, a person or an application."""
    tables = (call.world.data["users"], call.world.data["service_principals"])
    who = next((table[call.caller.object_id] for table in tables if call.caller.object_id in table), None)
    return set(directory_roles.held(call.world, who)) if who else set()


def may_read(call: Call, thing: Data | None = None) -> None:
    """Raise 403 unless the caller may read applications, or at least owns this one."""
    held = rights(call)
    owned = thing is not None and _OWNED in held and call.caller.object_id in thing.get("owners", [])
    if not (held & READ_APPS or owned):
        raise denied(call)


def may_write(call: Call, thing: Data) -> None:
    """Raise 403 unless the caller may change all applications, or owns this one."""
    held = rights(call)
    owned = _OWNED in held and call.caller.object_id in thing.get("owners", [])
    if not (held & WRITE_APPS or owned):
        raise denied(call)


def may_create(call: Call) -> None:
    """Raise 403 unless the caller may make applications and their principals, and so own them.

    The tenant's switch "users can register applications" is about people without a role only.
    """
    held = rights(call)
    if held & WRITE_APPS:
        return
    policy = call.world.data["tenants"][call.caller.tenant]["authorizationPolicy"]
    open_to_all = call.caller.kind == "app" or policy["defaultUserRolePermissions"]["allowedToCreateApps"]
    if not (_OWNED in held and (open_to_all or directory_roles.DEVELOPER in _roles(call))):
        raise denied(call)


def may_read_directory(call: Call) -> None:
    """Raise 403 unless the caller may read users and groups."""
    if not rights(call) & READ_DIRECTORY:
        raise denied(call)


def may_read_policy(call: Call) -> None:
    """Raise 403 unless the caller may read the tenant's policies: an app with the permission, or anybody."""
    if READ_POLICY not in rights(call):
        raise denied(call)


def first_owners(call: Call) -> list[str]:
    """Return who owns what the caller makes: itself, if owning is its only claim to it."""
    return [] if rights(call) & WRITE_APPS and call.caller.kind == "app" else [call.caller.object_id]


def rows(call: Call, kind: str) -> list[Data]:
    """Return the objects of one kind in the caller's tenant that have replicated."""
    tenant = call.caller.tenant
    return call.world.seen(t for t in call.world.data.get(kind, {}).values() if t["tenantId"] == tenant)


def lookup(call: Call, kind: str) -> Data:
    """Return the object that the path names by id, appId or uniqueName; raises 404."""
    found = try_lookup(call, kind)
    if found is None:
        raise missing(call, next(iter(call.params.values())))
    return found


def try_lookup(call: Call, kind: str) -> Data | None:
    """Return the object that the path names, or None; an upsert finds it even before it has replicated."""
    tenant, upsert = call.caller.tenant, call.method == "PATCH" and creates_if_missing(call)
    everything = [t for t in call.world.data[kind].values() if t["tenantId"] == tenant]
    for key in ("id", "appId", "uniqueName"):
        if key in call.params:
            wanted = unquoted(call.params[key])
            fold = str if key == "uniqueName" else str.lower
            found = everything if upsert else call.world.seen(everything)
            return next((t for t in found if fold(t.get(key) or "") == fold(wanted)), None)
    return None


def unquoted(value: str) -> str:
    """Return an OData key's value: doubled quotes stand for one."""
    return value.replace("''", "'")


def creates_if_missing(call: Call) -> bool:
    """Whether the request asks for an upsert (Graph v1.0 application-upsert)."""
    return "create-if-missing" in call.headers.get("prefer", "").replace(" ", "").lower().split(",")


@dataclass(frozen=True)
class Entity:
    """How one kind is shown and filtered: ``filters`` maps a property to its operators.

    ``advanced``: properties that need ``ConsistencyLevel: eventual`` and ``$count=true`` to be filtered by.
    ``expands``: navigation properties, and how to get what they hold.
    """

    name: str
    view: Callable[[Call, Data], Data]
    filters: Mapping[str, set[str]]
    advanced: frozenset[str] = frozenset()
    expands: Mapping[str, Callable[[Call, Data], list[Data]]] = field(default_factory=dict)


def one(call: Call, entity: Entity, thing: Data, status: int = 200) -> Answer:
    """Answer one object, with its ``$select`` and ``$expand``."""
    shown = _shaped(call, entity, thing)
    context = f"{call.base}/$metadata#{entity.name}/$entity"
    return Answer(status, {"@odata.context": context, **shown})


def many(call: Call, entity: Entity, things: Iterable[Data]) -> Answer:
    """Answer a page of objects, filtered; raises 400 for what Graph would not accept."""
    found = _filtered(call, entity, list(things))
    top, skipped = _page(call)
    body: Data = {"@odata.context": f"{call.base}/$metadata#{entity.name}"}
    if call.query.get("$count") == "true" and _eventual(call):
        body["@odata.count"] = len(found)
    if len(found) > skipped + top:
        query = {**call.query, "$skiptoken": str(skipped + top)}
        body["@odata.nextLink"] = f"{call.base}{call.path}?{urlencode(query)}"
    body["value"] = [_shaped(call, entity, thing) for thing in found[skipped : skipped + top]]
    return Answer(body=body)


def _eventual(call: Call) -> bool:
    return call.headers.get("consistencylevel", "").lower() == "eventual"


def _page(call: Call) -> tuple[int, int]:
    top, token = call.query.get("$top", str(_DEFAULT_PAGE)), call.query.get("$skiptoken", "0")
    if not top.isdigit() or not 1 <= int(top) <= _LARGEST_PAGE:
        raise bad(call, f"Invalid page size specified: '{top}'. Must be between 1 and 999 inclusive.")
    if not token.isdigit():
        raise bad(call, "The specified page token value is invalid.", "Directory_ExpiredPageToken")
    return int(top), int(token)


def _filtered(call: Call, entity: Entity, things: list[Data]) -> list[Data]:
    for option in ("$search", "$skip", "$orderby"):
        if option in call.query:
            raise Refusal(
                Answer(501, {"error": {"code": "NotImplemented", "message": f"Sandbox: no {option}"}})
            )
    text = call.query.get("$filter")
    if not text:
        return things
    try:
        wanted = odata.parse(text)
    except odata.Unsupported as reason:
        raise bad(call, str(reason), "BadRequest") from None
    _allowed(call, entity, wanted.used)
    full = [entity.view(call, t) | _expanded(call, entity, t, entity.expands) for t in things]
    return [thing for thing, row in zip(things, full, strict=True) if wanted.matches(row)]


def _allowed(call: Call, entity: Entity, used: set[tuple[str, str]]) -> None:
    for name, operator in sorted(used):
        if operator not in entity.filters.get(name, set()):
            text = (
                f"Unsupported or invalid query filter clause specified for property '{name}' of resource"
                f" '{entity.name}'."
            )
            raise bad(call, text, "Request_UnsupportedQuery")
        advanced = name in entity.advanced or operator in {"ne", "not", "endswith"}
        if advanced and not (_eventual(call) and call.query.get("$count") == "true"):
            raise bad(
                call, "The specified filter needs ConsistencyLevel: eventual.", "Request_UnsupportedQuery"
            )


def _shaped(call: Call, entity: Entity, thing: Data) -> Data:
    shown = entity.view(call, thing)
    select = [name for name in call.query.get("$select", "").split(",") if name]
    if select:
        unknown = [name for name in select if name not in shown and name not in entity.expands]
        if unknown:
            text = f"Could not find a property named '{unknown[0]}' on type 'microsoft.graph.{entity.name}'."
            raise bad(call, text, "BadRequest")
        shown = {name: shown[name] for name in select if name in shown}
    expand = [name.partition("(")[0] for name in call.query.get("$expand", "").split(",") if name]
    return shown | _expanded(call, entity, thing, expand)


def _expanded(call: Call, entity: Entity, thing: Data, names: Iterable[str]) -> Data:
    parts: dict[str, Any] = {}
    for name in names:
        if name not in entity.expands:
            raise bad(call, f"Could not find a property named '{name}' to expand.", "BadRequest")
        parts[name] = entity.expands[name](call, thing)[:_EXPANDED]
    return parts
