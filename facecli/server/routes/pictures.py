"""Questions about pictures that a client sends: the commands of the command line over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from facecli.gallery.rule import Wish
from facecli.pictures.sources import Source
from facecli.server.looks import Sift, decision
from facecli.server.routes.answers import add, answer, caller, pictures_body
from facecli.server.schemas import reference
from facecli.server.service import Service
from facecli.server.uploads import sent

Face = Annotated[str | None, Query(max_length=20, description="only, largest, center, score, all, or an index")]
Score = Annotated[float, Query(ge=0, le=1, description="least score of a face")]
Size = Annotated[float, Query(ge=0, le=100_000, description="least length of a face's longer side, px")]
Flag = Annotated[bool, Query()]
Distance = Annotated[float | None, Query(ge=0, le=1000)]
Rate = Annotated[float | None, Query(gt=0, lt=1)]
Names = Annotated[str, Query(max_length=2000, description="names with commas between")]


async def _sift(  # a plain function would be handed to one more thread for every request
    face: Face = None, min_score: Score = 0.0, min_face_size: Size = 0.0, *, require_face: Flag = False
) -> Sift:
    return Sift(face, min_score, min_face_size, require_face)


Sifted = Annotated[Sift, Depends(_sift)]


class Pictures:
    """The endpoints that look at pictures and keep nothing."""

    def __init__(self, service: Service) -> None:
        self._service, self._looks, self._run = service, service.looks, service.queue.run

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

    async def detect(
        self,
        request: Request,
        sift: Sifted,
    ) -> Response:
        """Find faces, as `facecli detect` does."""
        picture = await self._picture(request, "read")
        return answer(await self._run(lambda: self._looks.detect(picture, sift)))

    async def verify(
        self,
        request: Request,
        metric: Annotated[str | None, Query(max_length=20)] = None,
        threshold: Distance = None,
        fmr: Rate = None,
        face: Face = None,
        *,
        anti_spoof: Flag = False,
    ) -> Response:
        """Decide whether two pictures show the same person, as `facecli verify` does."""
        caller(request).require("read")
        content = await sent(request, ("image1", "image2"), self._service.remote.source)
        first, second, wish = content.picture("image1"), content.picture("image2"), decision(metric, threshold, fmr)
        sift = Sift(face)
        return answer(await self._run(lambda: self._looks.verify(first, second, wish, sift, anti_spoof=anti_spoof)))

    async def embed(
        self,
        request: Request,
        sift: Sifted,
    ) -> Response:
        """Turn faces into embeddings, as `facecli embed` does."""
        picture = await self._picture(request, "read")
        return answer(await self._run(lambda: self._looks.embed(picture, sift)))

    async def analyze(
        self,
        request: Request,
        sift: Sifted,
        attributes: Names = "",
        *,
        embed: Flag = False,
    ) -> Response:
        """Tell attributes of faces, as `facecli analyze` does."""
        picture = await self._picture(request, "read")
        names = split(attributes)
        return answer(await self._run(lambda: self._looks.analyze(picture, names, sift, embed=embed)))

    async def identify(
        self,
        request: Request,
        sift: Sifted,
        top: Annotated[int, Query(ge=1, le=1000)] = 1,
        fpir: Annotated[float | None, Query(gt=0, le=0.5)] = None,
        threshold: Distance = None,
        margin: Distance = None,
        people: Names = "",
        *,
        faces: Flag = False,
    ) -> Response:
        """Tell who faces are, as `facecli identify` does. With `faces`, each candidate's likest `face` is told, too."""
        picture = await self._picture(request, "identify")
        wish = Wish(threshold, fpir, margin)
        names = split(people)
        return answer(await self._run(lambda: self._looks.identify(picture, wish, top, names, sift, faces=faces)))

    async def _picture(self, request: Request, scope: str) -> Source:
        """Return the only picture of a request by somebody who may ask for it. Raises RefusalError, FacecliError."""
        caller(request).require(scope)
        return (await sent(request, ("image",), self._service.remote.source)).picture("image")


def split(text: str) -> tuple[str, ...]:
    """Return the names of a text with commas between them."""
    return tuple(name for name in map(str.strip, text.split(",")) if name)
