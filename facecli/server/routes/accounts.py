"""Signing up, logging in and out, and leaving for good."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from facecli.server.people import shown
from facecli.server.rates import Rates
from facecli.server.refusals import RefusalError
from facecli.server.routes.answers import add, answer, caller, pictures_body
from facecli.server.schemas import reference
from facecli.server.service import Service
from facecli.server.sessions import COOKIE, SESSION_SECONDS
from facecli.server.uploads import Sent, sent

TRIES = 5  # a minute, from one address, and at the PIN of one person
LOGINS = "tries to log in"  # what is counted, by the address and by the person
AGREED = ("yes", "true", "on", "1")


class AccountRoutes:
    """The endpoints of who uses the page."""

    def __init__(self, service: Service) -> None:
        self._service, self._run = service, service.queue.run
        self._accounts, self._people, self._sessions = service.accounts, service.people, service.access.sessions
        self._tries = Rates(TRIES)

    def router(self) -> APIRouter:
        """Return the endpoints."""
        router = APIRouter(prefix="/v1", tags=["accounts"])
        signup = pictures_body(("images",), texts=("first_name", "last_name", "consent"), optional=("pin",))
        login = pictures_body(("images",), optional=("pin",))
        add(router, "POST", "/signup", self.sign_up, body=signup, good=(201,), schema=reference("serve.signed_up"))
        add(router, "POST", "/login", self.log_in, body=login, schema=reference("serve.logged_in"))
        add(router, "POST", "/logout", self.log_out, good=(204,))
        add(router, "GET", "/me", self.me, schema=reference("serve.me"))
        add(router, "DELETE", "/me", self.leave, schema=reference("gallery.remove"))
        return router

    async def sign_up(self, request: Request) -> Response:
        """Make a person of a name and pictures of the camera, and log them in."""
        caller(request).require("enroll")
        content = await sent(request, ("images",), self._service.remote.source)
        if content.texts.get("consent", "").lower() not in AGREED:
            message = "nobody is enrolled without their consent"
            raise RefusalError(400, "usage", message, hint="send consent=yes if they agree")
        name, pictures = _name(content), content.many("images")
        pin = content.texts.get("pin", "")
        document = await self._run(lambda: self._accounts.sign_up(name, pictures, pin))
        return answer(document, 201, self._cookie(document["person"]["uid"], proven=True))

    async def log_in(self, request: Request) -> Response:
        """Log in who the pictures show; who has a PIN sends it, too, and may leave and take what is kept along."""
        self._tries.count(request.client.host if request.client else "unknown", LOGINS)
        content = await sent(request, ("images",), self._service.remote.source)
        pictures, pin = content.many("images"), content.texts.get("pin", "")
        person, live = await self._run(lambda: self._accounts.log_in(pictures))
        proven = self._accounts.needs_pin(person)
        if proven:
            self._tries.count(person.uid, LOGINS)
            await self._run(lambda: self._accounts.check_pin(person, pin))
        return answer({"person": shown(person), "live": live or None}, 200, self._cookie(person.uid, proven=proven))

    async def log_out(self, request: Request) -> Response:
        """End the session."""
        self._sessions.end(request.state.token)
        return Response(status_code=204, headers={"Set-Cookie": f"{COOKIE}=; Max-Age=0; {self._manner}"})

    async def me(self, request: Request) -> Response:
        """Tell who is logged in, and what this caller may do."""
        own = caller(request)
        person = None
        if own.person is not None:
            uid = own.person
            try:
                person = await self._run(lambda: shown(self._people.person(uid)))
            except RefusalError:  # somebody has erased them
                self._sessions.forget((uid,))
        checks = await self._run(lambda: self._accounts.checks_life)
        has_keys = self._service.access.keys is not None
        return answer({"person": person, "scope": own.scope, "checks_life": checks, "has_keys": has_keys})

    async def leave(self, request: Request) -> Response:
        """Forget who is logged in; the answer is the receipt."""
        own = caller(request)
        uid = own.person
        if uid is None:
            raise RefusalError(401, "unauthorised", "nobody is logged in", hint="log in first")
        own.require_proof()
        receipt = await self._run(lambda: self._service.forget(uid))
        return answer(receipt, headers={"Set-Cookie": f"{COOKIE}=; Max-Age=0; {self._manner}"})

    @property
    def _manner(self) -> str:
        """The attributes of the cookie: scripts do not see it, and other sites' pages do not send it."""
        return "Path=/; HttpOnly; SameSite=Strict" + ("" if self._service.settings.local else "; Secure")

    def _cookie(self, uid: str, *, proven: bool) -> dict[str, str]:
        token = self._sessions.begin(uid, proven=proven)
        return {"Set-Cookie": f"{COOKIE}={token}; Max-Age={int(SESSION_SECONDS)}; {self._manner}"}


def _name(content: Sent) -> str:
    """Return the whole name of first_name and last_name, or `name`."""
    if "name" in content.texts:
        return content.texts["name"]
    return f"{content.text('first_name')} {content.texts.get('last_name', '')}"
