"""The endpoints of the projects that facecli was made of."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from facecli.errors import FacecliError, InputError
from facecli.server.refusals import RefusalError, status_of
from facecli.server.routes.answers import PICTURE, add, answer, caller, json_body, pictures_body
from facecli.server.schemas import reference
from facecli.server.service import Service
from facecli.server.uploads import json_object, sent

log = logging.getLogger("facecli.server")
Url = Annotated[str, Query(max_length=4000)]
Name = Annotated[str, Query(max_length=4000)]
INVALID = {"error": "Invalid image_url provided"}
UNEXPECTED = {"error": "An unexpected error occurred"}
FAILED, UNRECOGNISED = reference("serve.failed"), reference("serve.unrecognised")
EMOTION = {
    "image_url": {"type": "string"},
    "face_detection": {"type": "boolean"},
    "face_embedding": {"type": "boolean"},
    "emotion_labels": {"type": "array", "items": {"type": "string"}},
}


class EarlierRoutes:
    """Answers in the words of earlier projects, also when something fails."""

    def __init__(self, service: Service) -> None:
        self._service, self._earlier, self._run = service, service.earlier, service.queue.run

    def router(self) -> APIRouter:
        """Return the endpoints."""
        router = APIRouter(tags=["earlier projects"])
        emotion = json_body(EMOTION, ["image_url"])
        told: dict[str, Any] = {"schema": reference("serve.emotions"), "failure": FAILED}
        known = {"anyOf": [reference("serve.recognised"), reference("serve.asked")]}
        body = pictures_body(("image",), raw=True)
        body["content"]["image/png"] = {"schema": PICTURE}
        recognised: dict[str, Any] = {"body": body, "schema": reference("serve.recognised"), "failure": UNRECOGNISED}
        add(router, "GET", "/api/download_image", self.download, schema=reference("serve.downloaded"))
        add(router, "GET", "/api/verify_similarity", self.similarity, schema=reference("serve.similar"))
        for path in ("/api/analyze/emotion", "/analyze/emotion"):
            add(router, "POST", path, self.emotion, body=emotion, **told)
        add(router, "GET", "/recognition", self.ask, schema=known, failure=UNRECOGNISED)
        add(router, "POST", "/recognition", self.recognition, **recognised)
        return router

    async def download(self, request: Request, url: Url) -> Response:
        """Download a picture and keep it for a while; `path` names it for /api/verify_similarity."""
        caller(request).require("enroll")
        return answer(await self._run(lambda: self._earlier.download(url)))

    async def similarity(self, request: Request, image1_path: Name, image2_path: Name) -> Response:
        """Tell whether two downloaded pictures show the same person."""
        caller(request).require("read")
        return answer(await self._run(lambda: self._earlier.similarity(image1_path, image2_path)))

    async def emotion(self, request: Request) -> Response:
        """Tell the emotions of the face in a picture at an address."""
        caller(request).require("read")
        try:
            values = json_object(await request.body())
        except RefusalError:
            return answer(INVALID, 400)
        try:
            wish = _wish(values)
        except RefusalError as error:
            return answer({"error": str(error)}, 400)
        return await self._emotion(request, wish)

    async def _emotion(self, request: Request, wish: dict[str, Any]) -> Response:
        picture = self._service.remote.source(wish.pop("image_url"))
        try:
            return answer(await self._run(lambda: self._earlier.emotion(picture, **wish)))
        except InputError:  # nothing is there, or no picture
            return answer(INVALID, 400)
        except RefusalError as error:  # no place, or no time
            return answer({"error": str(error)}, error.status, error.headers)
        except FacecliError as error:
            if status_of(error) < 500:
                return answer({"error": error.message}, status_of(error))
            log.error("emotion failed: %s", error)  # noqa: TRY400 # it is told in words
            return answer(UNEXPECTED, 500)
        except Exception:
            log.exception("request %s failed", request.state.request_id)
            return answer(UNEXPECTED, 500)

    async def ask(self, request: Request, image_url: Annotated[str, Query(max_length=4000)] = "") -> Response:
        """Tell who is in the picture at an address; without one, tell what to send and how many people are known."""
        caller(request).require("identify")
        if image_url:
            picture = self._service.remote.source(image_url)
            return await self._recognised(request, lambda: self._earlier.recognition(picture))
        people = await self._run(lambda: len(self._service.people.store.people()))
        return answer({"result": "send a picture by POST, or its address as image_url", "people": people})

    async def recognition(self, request: Request) -> Response:
        """Tell who is in a picture."""
        caller(request).require("identify")

        async def picture() -> Any:
            return (await sent(request, ("image",), self._service.remote.source)).picture("image")

        try:
            found = await picture()
        except RefusalError as error:
            return answer(_failed(error), 400)
        return await self._recognised(request, lambda: self._earlier.recognition(found))

    async def _recognised(self, request: Request, work: Callable[[], dict[str, Any]]) -> Response:
        try:
            return answer(await self._run(work))
        except RefusalError as error:  # no place, or no time
            return answer(_failed(error), error.status, error.headers)
        except FacecliError as error:
            return answer(_failed(error), max(400, min(status_of(error), 400 if status_of(error) < 500 else 503)))
        except Exception:
            log.exception("request %s failed", request.state.request_id)
            return answer({"result": "error during prediction"} | UNEXPECTED, 500)


def _failed(error: Exception) -> dict[str, str]:
    return {"result": "error during prediction", "error": str(error)}


def _wish(values: dict[str, Any]) -> dict[str, Any]:
    """Return the wishes of a request, checked. Raises RefusalError in the earlier project's sentence."""
    labels = values.get("emotion_labels", [])
    url, detect, embed = (
        values.get("image_url"),
        values.get("face_detection", True),
        values.get("face_embedding", False),
    )
    sound = {
        "image_url": isinstance(url, str),
        "emotion_labels": isinstance(labels, list) and all(isinstance(label, str) for label in labels),
        "face_detection": isinstance(detect, bool),
        "face_embedding": isinstance(embed, bool),
    }
    for name, good in sound.items():
        if not good:
            raise RefusalError(400, "usage", INVALID["error"].replace("image_url", name))
    return {"image_url": url, "labels": labels, "detect": detect, "embed": embed}
