"""Faces that somebody should say something about, and the answers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from facecli.server import refusals
from facecli.server.refusals import RefusalError
from facecli.server.reviewing import Reviewing
from facecli.server.routes.answers import PICTURE, add, answer, caller, json_body
from facecli.server.schemas import reference
from facecli.server.service import Service
from facecli.server.uploads import json_object

NAME: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 200}
ANSWERS = ("yes", "no", "ignore")


class ReviewRoutes:
    """The endpoints of the review."""

    def __init__(self, service: Service) -> None:
        self._service, self._run = service, service.queue.run
        self._reviewing = Reviewing(service.looks, service.people)

    def router(self) -> APIRouter:
        """Return the endpoints."""
        router = APIRouter(prefix="/v1", tags=["people"])
        said = json_body({"answer": {"enum": list(ANSWERS)}, "person": NAME}, ["answer"])
        add(router, "GET", "/review", self.review, schema=reference("serve.review"))
        add(router, "POST", "/review/{item}", self.said, body=said, schema=reference("serve.reviewed"))
        add(router, "GET", "/review/{item}/crop", self.attempt_crop, media_type="image/jpeg", schema=PICTURE)
        return router

    async def review(self, request: Request) -> Response:
        """List faces that somebody should say something about."""
        caller(request).require("enroll")
        return answer(await self._run(self._reviewing.items))

    async def said(self, request: Request, item: Annotated[str, Path(max_length=40)]) -> Response:
        """Take the answer about a face of the review: yes, no or ignore."""
        caller(request).require("enroll")
        values = json_object(await request.body())
        given, name = values.get("answer"), values.get("person")
        if given not in ANSWERS or not (name is None or isinstance(name, str)):
            raise RefusalError(400, "usage", "answer is none of yes, no and ignore, or person is no name")
        return answer(await self._run(lambda: self._reviewing.answer(item, given, name)))

    async def attempt_crop(self, request: Request, item: Annotated[str, Path(max_length=40)]) -> Response:
        """Return the picture of a face of the review."""
        caller(request).require("enroll")
        attempt = self._service.people.attempts.get(item)
        if attempt is None or attempt.face.crop is None:
            raise refusals.missing("face to review")
        return Response(attempt.face.crop, media_type="image/jpeg")
