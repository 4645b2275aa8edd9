"""Where logs are: a storage service on another host than the API, with signed addresses that live a minute.

It takes no other credential: a request with an ``Authorization`` header is refused, as blob storage refuses
one, so that a client which sends its token along is noticed. It must not know what a log says.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from trustsmith_sandbox import keys, runs
from trustsmith_sandbox.http import Answer, Refusal, Route, Service

if TYPE_CHECKING:
    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import Data, World

_LIFETIME = 60  # seconds
_PRODUCTION = "https://productionresultssa0.blob.core.windows.net"
_OTHER = {"localhost": "127.0.0.1", "127.0.0.1": "localhost", "[::1]": "localhost"}
_TEXT = '<?xml version="1.0" encoding="utf-8"?><Error><Code>{}</Code><Message>{}</Message></Error>'
_SERVER_FAILED = "Server failed to authenticate the request."


def address(call: Call, job: Data) -> str:
    """Return a signed address of a job's log, on a host that is not the one of this call."""
    path = f"/actions-results/{job['id']}/job-logs.txt"
    expiry = call.world.stamp(offset=_LIFETIME)
    query = urlencode({"se": expiry, "sp": "r", "sr": "b", "sig": _signature(call.world, path, expiry)})
    return f"{_host(call)}{path}?{query}"


def _host(call: Call) -> str:
    if call.world.names.production:
        return _PRODUCTION
    name, colon, port = urlsplit(call.origin).netloc.rpartition(":")
    return f"https://{_OTHER.get(name or port, 'localhost')}{colon}{port if colon else ''}"


def _signature(world: World, path: str, expiry: str) -> str:
    signed = f"{path}\n{expiry}".encode()
    return hmac.digest(keys.process_secret(world), signed, hashlib.sha256).hex()


def _refuse(status: int, code: str, message: str, **headers: str) -> Refusal:
    sent = {"x-ms-error-code": code} | {name.replace("_", "-"): value for name, value in headers.items()}
    body = _TEXT.format(code, message).encode()
    return Refusal(Answer(status, headers=sent, raw=body, media_type="application/xml"))


def _log(call: Call) -> Answer:
    if "authorization" in call.headers:
        status = 401 if call.headers["authorization"].lower().startswith("bearer ") else 400
        challenge = f"Bearer authorization_uri={call.world.names.authority}"
        raise _refuse(status, "InvalidAuthenticationInfo", _SERVER_FAILED, WWW_Authenticate=challenge)
    expiry, signature = call.query.get("se", ""), call.query.get("sig", "")
    valid = hmac.compare_digest(_signature(call.world, call.path, expiry).encode(), signature.encode())
    if not valid or expiry < call.world.stamp():
        raise _refuse(403, "AuthenticationFailed", _SERVER_FAILED)
    for repository in call.world.data["github"]["repositories"].values():
        for run in runs.of_repository(repository).values():
            for job in run["jobs"]:
                if str(job["id"]) == call.params["job_id"] and job["log"] is not None:
                    return Answer(200, raw=job["log"].encode(), media_type="text/plain")
    raise _refuse(404, "BlobNotFound", "The specified blob does not exist.")


SERVICE = Service(
    name="results",
    routes=(Route("GET", "/actions-results/{job_id}/job-logs.txt", _log, "A job's log", public=True),),
    roots=("actions-results",),
    hosts=("*.blob.core.windows.net",),
)
