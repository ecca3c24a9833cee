"""The endpoints of deepface's server, for its clients."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from facecli.errors import FacecliError
from facecli.output.records import Record
from facecli.server.compat.deepface import ACTIONS, DeepFaceAnswers
from facecli.server.compat.pictures import picture
from facecli.server.compat.wishes import Values, check, flag, number
from facecli.server.refusals import RefusalError, status_of
from facecli.server.routes.answers import PICTURE, add, answer, caller
from facecli.server.service import Service
from facecli.server.uploads import Sent, sent

ERROR = {"type": "object", "properties": {"error": {"type": "string"}, "exception": {"type": "string"}}}


class DeepFaceRoutes:
    """The endpoints represent, verify and analyze. A path of the server's machine, which deepface opens, is refused."""

    def __init__(self, service: Service) -> None:
        self._service, self._run, self._own = service, service.queue.run, DeepFaceAnswers(service.looks)

    def router(self) -> APIRouter:
        """Return the endpoints."""
        router = APIRouter(tags=["deepface"])
        one, two = _body("img"), _body("img1", "img2")
        add(router, "POST", "/represent", self.represent, body=one, failure=ERROR)
        add(router, "POST", "/verify", self.verify, body=two, failure=ERROR)
        add(router, "POST", "/analyze", self.analyze, body=one, failure=ERROR)
        return router

    async def represent(self, request: Request) -> Response:
        """Return the embedding of each face."""

        def work(content: Sent, values: Values) -> Callable[[], Record]:
            found = picture(content, "img", self._service.remote)
            most, enforce = number(values, "max_faces"), flag(values, "enforce_detection", default=True)
            check(values)
            whole = None if most is None else max(1, int(most))
            return lambda: self._own.represent(found, whole, enforce=enforce)

        return await self._answered(request, "representing", work)

    async def verify(self, request: Request) -> Response:
        """Tell whether two pictures show the same person."""

        def work(content: Sent, values: Values) -> Callable[[], Record]:
            first, second = (picture(content, name, self._service.remote) for name in ("img1", "img2"))
            metric, threshold = str(values.get("distance_metric", "cosine")), number(values, "threshold")
            check(values)
            return lambda: self._own.verify(first, second, metric, threshold)

        return await self._answered(request, "verifying", work)

    async def analyze(self, request: Request) -> Response:
        """Tell age, gender, race and emotion of each face."""

        def work(content: Sent, values: Values) -> Callable[[], Record]:
            found = picture(content, "img", self._service.remote)
            given, enforce = values.get("actions", list(ACTIONS)), flag(values, "enforce_detection", default=True)
            actions = re.findall(r"\w+", given) if isinstance(given, str) else given
            if not isinstance(actions, list) or not all(isinstance(one, str) for one in actions) or not actions:
                raise RefusalError(400, "usage", "actions is no list of names")
            check(values)
            return lambda: self._own.analyze(found, actions, enforce=enforce)

        return await self._answered(request, "analyzing", work)

    async def _answered(
        self, request: Request, doing: str, work: Callable[[Sent, Values], Callable[[], Record]]
    ) -> Response:
        """Answer a request, or tell its error as deepface does."""
        caller(request).require("read")
        try:
            content = await sent(request, ("img", "img1", "img2"), self._service.remote.source)
            ready = work(content, content.values or content.texts)
        except (FacecliError, RefusalError) as error:
            return answer({"exception": str(error)}, status_of(error))
        try:
            return answer(await self._run(ready))
        except FacecliError as error:
            status = status_of(error)
            return answer({"error": f"Exception while {doing}: {error.message}"}, 400 if status < 500 else status)


def _body(*names: str) -> dict[str, Any]:
    """Return the OpenAPI description of a body: JSON with base64 or addresses, or a form with files."""
    texts = {name: {"type": "string"} for name in names}
    files = dict.fromkeys(names, PICTURE)
    return {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object", "required": list(names), "properties": texts}},
            "multipart/form-data": {"schema": {"type": "object", "required": list(names), "properties": files}},
        },
    }
