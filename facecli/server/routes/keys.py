"""The keys of a server: listed, made and revoked by whoever has one that may."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from facecli.server import refusals
from facecli.server.caller import SCOPES
from facecli.server.keys import LONGEST, Keys, label_of
from facecli.server.refusals import RefusalError
from facecli.server.routes.answers import add, answer, caller, json_body
from facecli.server.schemas import reference
from facecli.server.service import Service
from facecli.server.uploads import json_object

LABEL: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": LONGEST}
Label = Annotated[str, Path(max_length=LONGEST)]


class KeyRoutes:
    """The endpoints of keys. A server without keys answers 404."""

    def __init__(self, service: Service) -> None:
        self._access, self._run = service.access, service.queue.run

    def router(self) -> APIRouter:
        """Return the endpoints."""
        router = APIRouter(prefix="/v1", tags=["keys"])
        wanted = json_body({"label": LABEL, "scope": {"enum": list(SCOPES)}}, ["label", "scope"])
        add(router, "GET", "/keys", self.listed, schema=reference("serve.keys"))
        add(router, "POST", "/keys", self.make, body=wanted, good=(201,), schema=reference("serve.made_key"))
        add(router, "DELETE", "/keys/{label:path}", self.revoke, good=(204,))
        return router

    async def listed(self, request: Request) -> Response:
        """List the keys by label, with their scopes; the keys themselves are not kept."""
        return answer({"keys": self._keys(request).listed()})

    async def make(self, request: Request) -> Response:
        """Make a key; the answer is the only place where it stands."""
        keys, values = self._keys(request), json_object(await request.body())
        label, scope = values.get("label"), values.get("scope")
        if not isinstance(label, str) or scope not in SCOPES:
            raise RefusalError(400, "usage", f"label is no text, or scope none of {', '.join(SCOPES)}")
        label = label_of(label)
        key = await self._run(lambda: keys.make(label, scope))
        return answer({"label": label, "scope": scope, "key": key}, 201)

    async def revoke(self, request: Request, label: Label) -> Response:
        """Revoke a key: it lets nobody in from now on."""
        keys = self._keys(request)
        if not await self._run(lambda: keys.revoke(label)):
            raise refusals.missing("key")
        return Response(status_code=204)

    def _keys(self, request: Request) -> Keys:
        """Return the keys, for somebody who may change them."""
        caller(request).require("admin")
        if self._access.keys is None:
            raise refusals.missing("file of keys")
        return self._access.keys
