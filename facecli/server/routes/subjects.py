"""CompreFace's subjects and their examples, for its clients."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from facecli.server.compat.pictures import picture
from facecli.server.compat.subjects import Subjects
from facecli.server.refusals import RefusalError
from facecli.server.routes.answers import PICTURE, add, answer, caller, json_body, pictures_body
from facecli.server.routes.words import ERROR, Score, in_its_words
from facecli.server.service import Service
from facecli.server.uploads import json_object, sent

TEXT: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 200}
MOST = 1000  # examples that are deleted at once
LISTED: dict[str, Any] = {
    "required": True,
    "content": {"application/json": {"schema": {"type": "array", "maxItems": MOST, "items": {"type": "string"}}}},
}
Subject = Annotated[str, Path(max_length=200)]
ImageId = Annotated[str, Path(max_length=64)]
Named = Annotated[str | None, Query(max_length=200)]


class SubjectRoutes:
    """The endpoints that know subjects, as docs/Rest-API-description.md of CompreFace has them."""

    def __init__(self, service: Service) -> None:
        self._service, self._run, self._own = service, service.queue.run, Subjects(service.people)

    def router(self) -> APIRouter:
        """Return the endpoints."""
        router = APIRouter(prefix="/api/v1/recognition", tags=["CompreFace"])
        named = {"body": json_body({"subject": TEXT}, ["subject"])}
        jpeg = {"media_type": "image/jpeg", "schema": PICTURE}
        endpoints: tuple[tuple[str, str, Any, dict[str, Any]], ...] = (
            ("GET", "/subjects", self.subjects, {}),
            ("GET", "/subjects/", self.subjects, {}),
            ("POST", "/subjects", self.add_subject, named | {"good": (201,)}),
            ("DELETE", "/subjects", self.delete_subjects, {}),
            ("PUT", "/subjects/{subject}", self.rename, named),
            ("DELETE", "/subjects/{subject}", self.delete_subject, {}),
            ("GET", "/faces", self.examples, {}),
            ("POST", "/faces", self.add_example, {"body": pictures_body(("file",), encoded=True), "good": (201,)}),
            ("DELETE", "/faces", self.delete_examples, {}),
            ("DELETE", "/faces/{image_id}", self.delete_example, {}),
            ("POST", "/faces/delete", self.delete_listed, {"body": LISTED, "schema": {"type": "array"}}),
            ("GET", "/faces/{image_id}/img", self.example, jpeg),
        )
        for method, path, endpoint, more in endpoints:
            add(router, method, path, in_its_words(endpoint), failure=ERROR, **more)
        return router

    async def subjects(self, request: Request) -> Response:
        """List subjects."""
        caller(request).require("read")
        return answer(await self._run(self._own.subjects))

    async def add_subject(self, request: Request) -> Response:
        """Make a subject without examples."""
        caller(request).require("enroll")
        name = await _subject(request)
        return answer(await self._run(lambda: self._own.add_subject(name)), 201)

    async def rename(self, request: Request, subject: Subject) -> Response:
        """Rename a subject, or make it one with the subject of that name."""
        caller(request).require("admin")
        name = await _subject(request)
        return answer(await self._run(lambda: self._own.rename(subject, name)))

    async def delete_subject(self, request: Request, subject: Subject) -> Response:
        """Forget a subject."""
        return await self._forgotten(request, lambda: self._own.delete_subject(subject))

    async def delete_subjects(self, request: Request) -> Response:
        """Forget all subjects."""
        return await self._forgotten(request, self._own.delete_subjects)

    async def examples(
        self,
        request: Request,
        page: Annotated[int, Query(ge=0, le=2**31)] = 0,
        size: Annotated[int, Query(ge=1, le=1000)] = 20,
        subject: Named = None,
    ) -> Response:
        """List examples."""
        caller(request).require("read")
        return answer(await self._run(lambda: self._own.examples(page, size, subject)))

    async def add_example(
        self, request: Request, subject: Annotated[str, Query(max_length=200)], min_score: Score = 0.0
    ) -> Response:
        """Enroll a picture of a subject."""
        caller(request).require("enroll")
        found = picture(await sent(request, ("file",), self._service.remote.source), "file")
        return answer(await self._run(lambda: self._own.add_example(subject, found, min_score)), 201)

    async def delete_examples(self, request: Request, subject: Named = None) -> Response:
        """Forget the examples of a subject, or of all."""
        return await self._forgotten(request, lambda: self._own.delete_examples(subject))

    async def delete_listed(self, request: Request) -> Response:
        """Forget several examples; the answer tells which there were."""
        try:
            ids = json.loads(await request.body())
        except (ValueError, RecursionError):
            ids = None
        if not isinstance(ids, list) or len(ids) > MOST or not all(isinstance(one, str) for one in ids):
            raise RefusalError(400, "usage", f"the body is no JSON list of {MOST} image_ids at most")
        return await self._forgotten(request, lambda: self._own.delete_listed(ids))

    async def delete_example(self, request: Request, image_id: ImageId) -> Response:
        """Forget an example."""
        return await self._forgotten(request, lambda: self._own.delete_example(image_id))

    async def example(self, request: Request, image_id: ImageId) -> Response:
        """Return the picture of an example."""
        caller(request).require("read")
        return Response(await self._run(lambda: self._own.example(image_id)), media_type="image/jpeg")

    async def _forgotten(self, request: Request, work: Callable[[], Any]) -> Response:
        """Answer a deletion; what jobs and sessions know of people goes with it."""
        caller(request).require("admin")

        def forget() -> Any:
            document = work()
            self._service.forgotten()
            return document

        return answer(await self._run(forget))


async def _subject(request: Request) -> str:
    value = json_object(await request.body()).get("subject")
    if not isinstance(value, str):
        raise RefusalError(400, "usage", "subject is missing, or no text")
    return value
