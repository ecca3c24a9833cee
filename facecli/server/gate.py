"""The gate of the server: every request has an id, is known, counted, and read whole before anything works on it.

A refusal is the error of the command line as JSON; a bug is one line in the log and an answer that tells its id.
Neither tells what was in a picture, a key, or the query of an address.
"""

from __future__ import annotations

import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

from facecli.errors import FacecliError
from facecli.server import refusals
from facecli.server.access import Access
from facecli.server.bodies import Bodies, Message, Receive, replayed
from facecli.server.caller import SCOPES
from facecli.server.rates import Rates
from facecli.server.refusals import RefusalError
from facecli.server.sessions import COOKIE
from facecli.server.settings import Settings

Scope = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = logging.getLogger("facecli.server")
REQUESTS = "requests"  # what is counted
CHANGING = ("POST", "PUT", "PATCH", "DELETE")
KEYLESS = ("/v1/login", "/v1/logout", "/v1/me")  # of the endpoints that take a body: for those who have a face alone
FETCHING = ("/api/", "/recognition")  # addresses of earlier projects that fetch pictures for a GET
LOCAL = ("127.0.0.1", "localhost", "[::1]", "::1")
# A page of ours loads nothing from elsewhere, is in no frame, and may use the camera.
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Gate:
    """Lets a request into an app, or answers it with the reason why not."""

    def __init__(self, app: App, settings: Settings, access: Access) -> None:
        self._app, self._settings, self._access = app, settings, access
        self.counts: Counter[int] = Counter()  # answers by status
        self._bodies = Bodies(settings.max_body)
        self._rates = Rates(settings.rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await self._connect(scope, receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id, begun = secrets.token_hex(8), False
        if scope["method"] == "HEAD":  # as GET; uvicorn leaves the body out
            scope = {**scope, "method": "GET"}
        scope.setdefault("state", {})["request_id"] = request_id

        async def answer(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                self.counts[message["status"]] += 1
                given = {name.lower() for name, _ in message.get("headers", [])}
                own = {**HEADERS, "x-request-id": request_id}
                more = [(n.encode(), v.encode()) for n, v in own.items() if n.encode() not in given]
                message = {**message, "headers": [*message.get("headers", []), *more]}
            await send(message)

        try:
            headers = dict(scope["headers"])
            self._admit(scope, headers)
            if scope["method"] in CHANGING and scope["path"].startswith("/v1/") and scope["path"] not in KEYLESS:
                scope["state"]["caller"].require(SCOPES[0])  # before the body is read
            body = await self._bodies.read(headers, receive) if scope["method"] in CHANGING else b""
            await self._app(scope, replayed(body, receive), answer)
        except (FacecliError, RefusalError) as error:
            if not begun:
                await tell(error, request_id, answer)
        except Exception:
            log.exception("request %s failed", request_id)
            if not begun:
                await tell(refusals.failed(), request_id, answer)

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._admit(scope, dict(scope["headers"]))
        except RefusalError as refusal:
            log.info("a connection was refused: %s", refusal)
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": str(refusal)[:120]})
            return
        await self._app(scope, receive, send)

    def _admit(self, scope: Scope, headers: MutableMapping[bytes, bytes]) -> None:
        """Find out who sends a request, and refuse one that comes too often or from another site."""
        host = headers.get(b"host", b"").decode("latin-1")
        self._check_site(scope, headers, host)
        address = (scope.get("client") or ("unknown", 0))[0]
        token = _cookie(headers.get(b"cookie", b"").decode("latin-1"))
        authorization = headers.get(b"authorization", b"")
        if not authorization and (key := headers.get(b"x-api-key")):  # as CompreFace's clients send it
            authorization = b"Bearer " + key
        try:
            caller = self._access.caller(address, authorization.decode("latin-1"), token)
        except RefusalError:
            self._rates.count(address, REQUESTS)  # keys that are tried out are requests, too
            raise
        self._rates.count(caller.name, REQUESTS)
        scope.setdefault("state", {}).update(caller=caller, token=token)

    def _check_site(self, scope: Scope, headers: MutableMapping[bytes, bytes], host: str) -> None:
        """Refuse requests that a page of another site makes a browser send."""
        name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
        if self._access.keys is None and name not in (*LOCAL, self._settings.host):
            raise RefusalError(403, "forbidden", "the server is not known by that name", hint="use 127.0.0.1")
        origin = headers.get(b"origin", b"").decode("latin-1")
        foreign = bool(origin) and origin.partition("://")[2] != host
        changes = scope["type"] == "websocket" or scope["method"] in CHANGING or scope["path"].startswith(FETCHING)
        if changes and (foreign or headers.get(b"sec-fetch-site") in (b"cross-site", b"same-site")):
            raise RefusalError(403, "forbidden", "another site's page may not ask this")


async def tell(error: FacecliError | RefusalError, request_id: str, send: Send) -> None:
    """Send an error as the answer of a request."""
    body = refusals.dumps(refusals.document(error, request_id))
    headers = {"content-type": "application/json", "content-length": str(len(body))}
    if isinstance(error, RefusalError):
        headers |= {name.lower(): value for name, value in error.headers.items()}
    shown = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusals.status_of(error), "headers": shown})
    await send({"type": "http.response.body", "body": body})


def _cookie(text: str) -> str:
    """Return the session's token of a Cookie header, empty if there is none."""
    try:
        morsel = SimpleCookie(text).get(COOKIE)
    except CookieError:
        return ""
    return "" if morsel is None else morsel.value
