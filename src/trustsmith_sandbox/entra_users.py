"""People signing in: the device code flow, and refresh tokens.

Nobody types a password here: a control route plays the person who approves. It must not sign workloads in.
"""

from __future__ import annotations

import base64
import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from trustsmith_sandbox import entra_core as core
from trustsmith_sandbox import tokens
from trustsmith_sandbox.http import Answer, Call

if TYPE_CHECKING:
    from trustsmith_sandbox.world import Data, World

PUBLIC_CLIENTS = {
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46": "Microsoft Azure CLI",
    "1950a258-227b-4e31-a9cf-717495945fc2": "Microsoft Azure PowerShell",
}
DEVICE_CODE_S = 900


def device_code(call: Call) -> Answer:
    """Start the device code flow; ``POST /_sandbox/devicecode`` plays the person who approves it."""
    tenant, form = core.tenant_of(call, shared=True), core.form_of(call)
    core.required(call, form, "client_id", "scope")
    _public_client(call, form["client_id"])
    code = uuid.uuid4().hex
    entry: Data = {"user_code": code[:9].upper(), "tenant": tenant, "user": None, "client": form["client_id"]}
    entry |= {"scope": form["scope"], "expires": call.world.now() + DEVICE_CODE_S}
    _pending(call.world)[code] = entry
    page = f"{call.world.names.authority}/common/oauth2/deviceauth"
    message = f"To sign in, open the page {page} and enter the code {entry['user_code']} to authenticate."
    body = {"user_code": entry["user_code"], "device_code": code, "verification_uri": page}
    return Answer(body={**body, "expires_in": DEVICE_CODE_S, "interval": 1, "message": message})


def _pending(world: World) -> dict[str, Data]:
    return world.kept("device codes", dict)


def approve(world: World, user_name: str, user_code: str | None) -> int:
    """Let ``user_name`` approve one device code, or all that wait; returns how many. KeyError: no such user."""
    user = _named(world, user_name)
    waiting = [e for e in _pending(world).values() if e["user"] is None]
    chosen = [e for e in waiting if user_code in {None, e["user_code"]}]
    for entry in chosen:
        entry["user"] = user["id"]
    return len(chosen)


def _named(world: World, user_name: str) -> Data:
    """Return the user of that name; KeyError: there is none."""
    for user in world.data["users"].values():
        if user["userPrincipalName"].lower() == user_name.lower():
            found: Data = user
            return found
    raise KeyError(user_name)


def cli_token(world: World, user_name: str, resource: str) -> Data:
    """Return what ``az account get-access-token`` prints for somebody who is signed in. KeyError: nobody is.

    Times: ``expires_on`` in seconds since 1970, ``expiresOn`` as the same in the machine's own time zone.
    """
    user = _named(world, user_name)
    client = next(iter(PUBLIC_CLIENTS))
    bearer = tokens.access_token(world, user, tenant=user["tenantId"], app_id=client, resource=resource)
    expires = int(world.now()) + tokens.LIFETIME_S
    local = datetime.fromtimestamp(expires, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S.%f")
    times = {"expiresOn": local, "expires_on": expires}
    return {"accessToken": bearer, **times, "tenant": user["tenantId"], "tokenType": "Bearer"}


def _public_client(call: Call, client_id: str) -> None:
    if client_id.lower() not in PUBLIC_CLIENTS:
        text = f"Application with identifier '{client_id}' was not found in the directory."
        raise core.refuse(call, 700016, text, "unauthorized_client")


def device_token(call: Call, form: dict[str, str]) -> Answer:
    """Answer a token once the code was approved; until then, that it is pending."""
    core.required(call, form, "device_code")
    entry = _pending(call.world).get(form["device_code"])
    if entry is None or entry["expires"] <= call.world.now():
        text = "The device_code is expired, or it was never given out."
        raise core.refuse(call, 70020, text, "expired_token")
    if entry["user"] is None:
        text = "OAuth 2.0 device flow error. Authorization is pending. Continue polling."
        raise core.refuse(call, 70016, text, "authorization_pending")
    del _pending(call.world)[form["device_code"]]
    return _for_user(call, entry["user"], entry["client"], entry["scope"])


def refresh(call: Call, tenant: str, form: dict[str, str]) -> Answer:
    """Answer a token for another resource, without asking the person again."""
    core.required(call, form, "refresh_token", "scope")
    _public_client(call, form["client_id"])
    held: dict[str, str] = call.world.kept("refresh tokens", dict)
    user = call.world.data["users"].get(held.get(form["refresh_token"], ""))
    if user is None or tenant not in {*core.SHARED, user["tenantId"]}:
        text = "The refresh token is malformed, revoked, or for another tenant."
        raise core.refuse(call, 9002313, text, "invalid_grant")
    return _for_user(call, user["id"], form["client_id"], form["scope"])


def _for_user(call: Call, user_id: str, client: str, scope: str) -> Answer:
    user = call.world.data["users"][user_id]
    tenant, resource = user["tenantId"], core.resource_of(call, scope)
    bearer = tokens.access_token(call.world, user, tenant=tenant, app_id=client, resource=resource)
    renewal = f"sandbox-refresh-{uuid.uuid4().hex}"
    held: dict[str, str] = call.world.kept("refresh tokens", dict)
    held[renewal] = user_id
    info = json.dumps({"uid": user_id, "utid": tenant}).encode()
    body = core.granted(bearer) | {
        "scope": scope,
        "refresh_token": renewal,
        "id_token": _id_token(call, user, client),
    }
    return Answer(body=body | {"client_info": base64.urlsafe_b64encode(info).decode().rstrip("=")})


def _id_token(call: Call, user: Data, client: str) -> str:
    now = int(call.world.now())
    claims: Data = {
        "aud": client,
        "iss": f"{call.world.names.authority}/{user['tenantId']}/v2.0",
        "ver": "2.0",
    }
    claims |= {"iat": now, "nbf": now, "exp": now + tokens.LIFETIME_S, "oid": user["id"], "sub": user["id"]}
    claims |= {
        "tid": user["tenantId"],
        "preferred_username": user["userPrincipalName"],
        "name": user["displayName"],
    }
    return tokens.entra_key(call.world).sign(claims)
