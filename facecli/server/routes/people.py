"""People and their faces: listed, enrolled, changed, reviewed and forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from facecli.gallery.labelling import Labelled
from facecli.output import enrolments
from facecli.server import archives
from facecli.server.refusals import RefusalError
from facecli.server.routes.answers import PICTURE, add, answer, caller, json_body, pictures_body
from facecli.server.schemas import reference
from facecli.server.service import Service
from facecli.server.uploads import json_object, sent

Uid = Annotated[str, Path(max_length=64)]
Number = Annotated[int, Path(ge=0, le=2**62)]
Face = Annotated[str | None, Query(max_length=20, description="only, largest, center, score, or an index")]
TEXT: dict[str, Any] = {"type": "string"}
CHANGE = reference("gallery.change")
GOES_ON = "the import goes on: look at the people in a while, and send the next with job=true"
NAME: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 200}


class PeopleRoutes:
    """The endpoints that know people."""

    def __init__(self, service: Service) -> None:
        self._service, self._people, self._run = service, service.people, service.queue.run

    def router(self) -> APIRouter:
        """Return the endpoints."""
        router = APIRouter(prefix="/v1", tags=["people"])
        images = pictures_body(("images",), texts=("name",))
        more = pictures_body(("images",))
        zip_body = {"required": True, "content": {"application/zip": {"schema": PICTURE}}}
        jpeg: dict[str, Any] = {"media_type": "image/jpeg", "schema": PICTURE}
        add(router, "GET", "/people", self.listed, schema=reference("serve.people"))
        add(router, "POST", "/people", self.create, body=images, good=(201,), schema=reference("serve.enrolled"))
        add(router, "GET", "/people/{uid}", self.one, schema=reference("serve.person"))
        add(router, "PATCH", "/people/{uid}", self.rename, body=json_body({"name": NAME}, ["name"]), schema=CHANGE)
        add(router, "DELETE", "/people/{uid}", self.remove, schema=reference("gallery.remove"))
        add(
            router, "POST", "/people/{uid}/faces", self.more, body=more, good=(201,), schema=reference("serve.enrolled")
        )
        add(router, "DELETE", "/people/{uid}/faces/{number}", self.remove_face, good=(204,))
        add(router, "POST", "/people/{uid}/merge", self.merge, body=json_body({"into": TEXT}, ["into"]), schema=CHANGE)
        add(router, "GET", "/people/{uid}/export", self.export, media_type="application/zip", schema=PICTURE)
        add(router, "GET", "/faces/{number}/crop", self.crop, **jpeg)
        add(
            router,
            "POST",
            "/faces/{number}/assign",
            self.assign,
            body=json_body({"person": NAME}, ["person"]),
            schema=CHANGE,
        )
        add(
            router,
            "POST",
            "/faces/{number}/reject",
            self.reject,
            body=json_body({"person": NAME}, ["person"]),
            schema=CHANGE,
        )
        add(router, "POST", "/faces/{number}/ignore", self.ignore, good=(204,))
        add(router, "GET", "/thresholds", self.thresholds, schema=reference("serve.thresholds"))
        add(router, "POST", "/undo", self.undo, schema=CHANGE)
        add(
            router,
            "POST",
            "/import",
            self.imported,
            body=zip_body,
            good=(200, 202),
            schema={"anyOf": [reference("serve.imported"), reference("serve.job")]},
        )
        return router

    async def listed(
        self,
        request: Request,
        search: Annotated[str, Query(max_length=200)] = "",
        cursor: Annotated[str, Query(max_length=64)] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> Response:
        """List people by name. cursor: `next` of the page before."""
        caller(request).require("read")
        return answer(await self._run(lambda: self._people.listed(search, cursor, limit)))

    async def create(self, request: Request, face: Face = None) -> Response:
        """Enroll somebody new by one or more pictures."""
        caller(request).require("enroll")
        content = await sent(request, ("images",), self._service.remote.source)
        name, pictures = content.text("name"), content.many("images")
        return answer(await self._run(lambda: self._people.add(name, pictures, face, new=True)), 201)

    async def one(self, request: Request, uid: Uid) -> Response:
        """Tell a person's faces."""
        caller(request).require("read")
        return answer(await self._run(lambda: self._people.one(uid)))

    async def rename(self, request: Request, uid: Uid) -> Response:
        """Give a person another name."""
        caller(request).require("admin")
        name = await _text(request, "name")
        return answer(await self._run(lambda: self._people.rename(uid, name)))

    async def remove(self, request: Request, uid: Uid) -> Response:
        """Forget a person; the answer is the receipt."""
        caller(request).require("admin")
        return answer(await self._run(lambda: self._service.forget(uid)))

    async def more(self, request: Request, uid: Uid, face: Face = None) -> Response:
        """Enroll more pictures of a person."""
        caller(request).require("enroll")
        pictures = (await sent(request, ("images",), self._service.remote.source)).many("images")
        people = self._people
        return answer(await self._run(lambda: people.add(people.person(uid).name, pictures, face, new=False)), 201)

    async def remove_face(self, request: Request, uid: Uid, number: Number) -> Response:
        """Forget one face of a person."""
        caller(request).require("admin")

        def forget() -> None:
            self._people.remove_face(uid, number)
            self._service.forgotten()

        await self._run(forget)
        return Response(status_code=204)

    async def merge(self, request: Request, uid: Uid) -> Response:
        """Make one person of two; the one that `into` names stays."""
        caller(request).require("admin")
        into = await _text(request, "into")
        return answer(await self._run(lambda: self._people.merge(uid, into)))

    async def export(self, request: Request, uid: Uid) -> Response:
        """Return all that is kept of a person, as a zip."""
        own = caller(request)
        if own.person != uid:
            own.require("admin")
        own.require_proof()
        data = await self._run(lambda: self._people.export(uid))
        headers = {"Content-Disposition": 'attachment; filename="person.zip"'}
        return Response(data, headers=headers, media_type="application/zip")

    async def crop(self, request: Request, number: Number) -> Response:
        """Return the picture of a face."""
        caller(request).require("read")
        return Response(await self._run(lambda: self._people.crop(number)), media_type="image/jpeg")

    async def assign(self, request: Request, number: Number) -> Response:
        """Give a face to a person."""
        caller(request).require("enroll")
        name = await _text(request, "person")
        return answer(await self._run(lambda: self._people.assign(number, name)))

    async def reject(self, request: Request, number: Number) -> Response:
        """Say for ever that a face is not of a person."""
        caller(request).require("enroll")
        name = await _text(request, "person")
        return answer(await self._run(lambda: self._people.reject(number, name)))

    async def ignore(self, request: Request, number: Number) -> Response:
        """Ignore whose a face of nobody is; undo takes it back."""
        caller(request).require("admin")
        await self._run(lambda: self._people.ignore(number))
        return Response(status_code=204)

    async def thresholds(self, request: Request) -> Response:
        """Tell the distances at which a face is named, by the rate of strangers who are named."""
        caller(request).require("read")
        return answer(await self._run(self._service.looks.thresholds))

    async def undo(self, request: Request) -> Response:
        """Take back the latest rename, merge, assignment, rejection or ignoring."""
        caller(request).require("admin")
        return answer(await self._run(self._people.undo))

    async def imported(self, request: Request, *, job: Annotated[bool, Query()] = False) -> Response:
        """Enroll a zip of person/picture.jpg. With `job` the answer comes at once, and the job has the result later."""
        caller(request).require("enroll")
        data = await request.body()
        if not job:
            return answer(await self._run(lambda: self._imported(archives.pictures(data)[1]), GOES_ON))
        count, pictures = await self._run(lambda: archives.pictures(data))
        begun = self._service.jobs.begin("import", count, lambda own: self._imported(pictures, own.step))
        return answer(begun.shown(), 202, {"Location": f"/v1/jobs/{begun.id}"})

    def _imported(self, pictures: Iterable[Labelled], step: Callable[[], None] = lambda: None) -> dict[str, Any]:
        """Return what became of pictures. step: is called after each."""
        documents = []
        for one in self._people.enrolled(pictures):
            documents.append(enrolments.picture(one))
            step()
        count = [document["status"] for document in documents].count
        rejected = [document for document in documents if document["status"] == "rejected"]
        return {"added": count("added"), "known": count("known"), "rejected": rejected}


async def _text(request: Request, name: str) -> str:
    """Return a text of a JSON body. Raises RefusalError if it is missing."""
    value = json_object(await request.body()).get(name)
    if not isinstance(value, str):
        raise RefusalError(400, "usage", f"{name} is missing, or no text")
    return value
