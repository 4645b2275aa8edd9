"""What a deployment would change: what is wanted of a resource, compared with what is there.

Only what the template names is compared, so that what a service adds by itself is no change. It must not know HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trustsmith_sandbox.arm_template import Wanted
    from trustsmith_sandbox.world import Data

_SHOWN = ("name", "type", "location", "kind", "sku", "tags", "identity", "properties")


def change(wanted: Wanted, held: Data | None) -> Data:
    """Return the change of one resource (``WhatIfChange``): Create, Modify or NoChange."""
    after = {"apiVersion": wanted.api_version, "id": wanted.id, "name": wanted.name.rpartition("/")[2]}
    after |= {"type": wanted.type, **wanted.body}
    told: Data = {"resourceId": wanted.id, "after": after}
    told |= {"symbolicName": wanted.symbol} if wanted.symbol else {}
    if held is None:
        return {**told, "changeType": "Create"}
    before = {"apiVersion": wanted.api_version, "id": held["id"], **_shown(held)}
    delta = _delta(before, wanted.body)
    return {**told, "changeType": "Modify" if delta else "NoChange", "before": before, "delta": delta}


def ignored(held: Data) -> Data:
    """Return what is said of a resource in the group that the template does not name."""
    shown = {"id": held["id"], **_shown(held)}
    return {"resourceId": held["id"], "changeType": "Ignore", "before": shown, "after": shown}


def _shown(held: Data) -> Data:
    return {key: held[key] for key in _SHOWN if held.get(key) is not None}


def _delta(before: Data, wanted: Data, path: str = "") -> list[Data]:
    """Return the differences (``WhatIfPropertyChange``), leaf by leaf."""
    found: list[Data] = []
    for key, value in wanted.items():
        here, had = f"{path}.{key}" if path else key, before.get(key)
        if isinstance(value, dict) and isinstance(had, dict):
            found += _delta(had, value, here)
        elif key not in before and value is not None:
            found.append(_difference(here, "Create", None, value))
        elif had != value:
            found.append(_difference(here, "Modify", had, value))
    return found


def _difference(path: str, kind: str, before: Any, after: Any) -> Data:
    return {"path": path, "propertyChangeType": kind, "before": before, "after": after, "children": None}
