"""Questions about pictures that a client sends: the commands of the command line over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from facecli.gallery.rule import Wish
from facecli.pictures.sources import Source
from facecli.server.direct import Endpoints
from facecli.server.looks import Sift, decision
from facecli.server.routes.answers import add, answer, caller, pictures_body
from facecli.server.schemas import reference
from facecli.server.service import Service
from facecli.server.uploads import sent

Face = Annotated[str | None, Field(max_length=20, description="only, largest, center, score, all, or an index")]
Distance = Annotated[float | None, Field(ge=0, le=1000)]
Names = Annotated[str, Field(max_length=2000, description="names with commas between")]


class Choosing(BaseModel):
    """The query of a question about the faces of one picture."""

    face: Face = None
    min_score: Annotated[float, Field(ge=0, le=1, description="least score of a face")] = 0.0
    min_face_size: Annotated[float, Field(ge=0, le=100_000, description="least length of a face's longer side, px")] = (
        0.0
    )
    require_face: bool = False

    def sift(self) -> Sift:
        """Return the choice among the faces."""
        return Sift(self.face, self.min_score, self.min_face_size, self.require_face)


class Comparing(BaseModel):
    """The query of a verification."""

    metric: Annotated[str | None, Field(max_length=20)] = None
    threshold: Distance = None
    fmr: Annotated[float | None, Field(gt=0, lt=1)] = None
    face: Face = None
    anti_spoof: bool = False


class Analysing(Choosing):
    """The query of an analysis."""

    attributes: Names = ""
    embed: bool = False


class Identifying(Choosing):
    """The query of an identification."""

    top: Annotated[int, Field(ge=1, le=1000)] = 1
    fpir: Annotated[float | None, Field(gt=0, le=0.5)] = None
    threshold: Distance = None
    margin: Distance = None
    people: Names = ""
    faces: bool = False


class Pictures:
    """The endpoints that look at pictures and keep nothing."""

    def __init__(self, service: Service) -> None:
        self._service, self._looks, self._run = service, service.looks, service.queue.run

    def direct(self) -> Endpoints:
        """Return what is answered past the framework, by the addresses of the router."""
        return {
            ("POST", "/v1/detect"): (Choosing, self.detect),
            ("POST", "/v1/verify"): (Comparing, self.verify),
            ("POST", "/v1/embed"): (Choosing, self.embed),
            ("POST", "/v1/analyze"): (Analysing, self.analyze),
            ("POST", "/v1/identify"): (Identifying, self.identify),
        }

    def router(self) -> APIRouter:
        """Return the endpoints."""
        router = APIRouter(prefix="/v1", tags=["pictures"])
        one, two = pictures_body(("image",), raw=True), pictures_body(("image1", "image2"))
        add(router, "POST", "/detect", self.detect, body=one, schema=reference("detect"))
        add(router, "POST", "/verify", self.verify, body=two, schema=reference("verify"))
        add(router, "POST", "/embed", self.embed, body=one, schema=reference("embed"))
        add(router, "POST", "/analyze", self.analyze, body=one, schema=reference("analyze"))
        add(router, "POST", "/identify", self.identify, body=one, schema=reference("identify"))
        return router

    async def detect(self, request: Request, asked: Annotated[Choosing, Query()]) -> Response:
        """Find faces, as `facecli detect` does."""
        picture = await self._picture(request, "read")
        return await self._run(lambda: answer(self._looks.detect(picture, asked.sift())))

    async def verify(self, request: Request, asked: Annotated[Comparing, Query()]) -> Response:
        """Decide whether two pictures show the same person, as `facecli verify` does."""
        caller(request).require("read")
        content = await sent(request, ("image1", "image2"), self._service.remote.source)
        first, second = content.picture("image1"), content.picture("image2")
        wish, sift, spoof = decision(asked.metric, asked.threshold, asked.fmr), Sift(asked.face), asked.anti_spoof
        return await self._run(lambda: answer(self._looks.verify(first, second, wish, sift, anti_spoof=spoof)))

    async def embed(self, request: Request, asked: Annotated[Choosing, Query()]) -> Response:
        """Turn faces into embeddings, as `facecli embed` does."""
        picture = await self._picture(request, "read")
        return await self._run(lambda: answer(self._looks.embed(picture, asked.sift())))

    async def analyze(self, request: Request, asked: Annotated[Analysing, Query()]) -> Response:
        """Tell attributes of faces, as `facecli analyze` does."""
        picture = await self._picture(request, "read")
        names, sift = split(asked.attributes), asked.sift()
        return await self._run(lambda: answer(self._looks.analyze(picture, names, sift, embed=asked.embed)))

    async def identify(self, request: Request, asked: Annotated[Identifying, Query()]) -> Response:
        """Tell who faces are, as `facecli identify` does. With `faces`, each candidate's likest `face` is told, too."""
        picture = await self._picture(request, "identify")
        wish, names, sift = Wish(asked.threshold, asked.fpir, asked.margin), split(asked.people), asked.sift()
        top, faces = asked.top, asked.faces
        return await self._run(lambda: answer(self._looks.identify(picture, wish, top, names, sift, faces=faces)))

    async def _picture(self, request: Request, scope: str) -> Source:
        """Return the only picture of a request by somebody who may ask for it. Raises RefusalError, FacecliError."""
        caller(request).require(scope)
        return (await sent(request, ("image",), self._service.remote.source)).picture("image")


def split(text: str) -> tuple[str, ...]:
    """Return the names of a text with commas between them."""
    return tuple(name for name in map(str.strip, text.split(",")) if name)
