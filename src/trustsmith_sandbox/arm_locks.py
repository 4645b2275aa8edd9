"""Resource locks: listed, and minded when role assignments are written or deleted below one.

They are in the world's ``locks`` by ARM id; nothing here makes or removes one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith_sandbox import arm_core as core
from trustsmith_sandbox import rbac

if TYPE_CHECKING:
    from trustsmith_sandbox.http import Answer, Call
    from trustsmith_sandbox.world import Data

_TAIL = "/providers/microsoft.authorization/locks"
_STOPS = {"PUT": {"ReadOnly"}, "DELETE": {"ReadOnly", "CanNotDelete"}}
_VERBS = {"PUT": "write", "DELETE": "delete"}


def listing(call: Call) -> Answer:
    """Answer the locks that hold at the scope and, without the filter ``atScope()``, those below it."""
    scope = "/" + call.params["scope"].strip("/")
    core.require(call, "Microsoft.Authorization/locks/read", scope)
    text = call.query.get("$filter", "").strip()
    if text.lower() == "atscope()":
        return core.listed(_locks(call, scope))
    if text:
        raise core.refuse(400, "UnsupportedQuery", f"The filter '{text}' is not supported.")
    below = [lock for lock in call.world.data["locks"].values() if rbac.covers(scope, _where(lock))]
    return core.listed(list({lock["id"]: lock for lock in [*_locks(call, scope), *below]}.values()))


def _where(lock: Data) -> str:
    return str(lock["id"]).lower().rpartition(_TAIL)[0]


def _locks(call: Call, scope: str) -> list[Data]:
    """Return the locks that hold at the scope: its own and those above."""
    return [lock for lock in call.world.data["locks"].values() if rbac.covers(_where(lock), scope)]


def check(call: Call, scope: str) -> None:
    """Raise ARM's 409 when a lock stops what the request is about to do at the scope."""
    stopping = [k for k in _locks(call, scope) if k["properties"]["level"] in _STOPS[call.method]]
    if stopping:
        text = (
            f"The scope '{scope}' cannot perform {_VERBS[call.method]} operation because following scope(s) are"
            f" locked: '{_where(stopping[0])}'. Please remove the lock and try again."
        )
        raise core.refuse(409, "ScopeLocked", text)
