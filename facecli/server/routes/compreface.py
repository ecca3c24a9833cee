"""CompreFace's recognition, detection and verification services, for its clients."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from facecli.pictures.sources import Source
from facecli.server.compat.options import Options
from facecli.server.compat.pictures import picture
from facecli.server.compat.recognition import Recognition
from facecli.server.routes.answers import add, answer, caller, pictures_body
from facecli.server.routes.words import ERROR, Wished, in_its_words
from facecli.server.service import Service
from facecli.server.uploads import sent

ImageId = Annotated[str, Path(max_length=64)]


class CompreFaceRoutes:
    """The endpoints that look at pictures, as docs/Rest-API-description.md of CompreFace has them."""

    def __init__(self, service: Service) -> None:
        self._service, self._run = service, service.queue.run
        self._own = Recognition(service.looks, service.people)

    def router(self) -> APIRouter:
        """Return the endpoints."""
        router = APIRouter(prefix="/api/v1", tags=["CompreFace"])
        file, two = (pictures_body(names, encoded=True) for names in (("file",), ("source_image", "target_image")))
        for path, endpoint, body in (
            ("/recognition/faces/{image_id}/verify", self.verify_example, file),
            ("/recognition/recognize", self.recognise, file),
            ("/detection/detect", self.detect, file),
            ("/verification/verify", self.verify, two),
        ):
            add(router, "POST", path, in_its_words(endpoint), body=body, failure=ERROR)
        return router

    async def verify_example(self, request: Request, image_id: ImageId, wished: Wished) -> Response:
        """Compare the faces of a picture with an example."""
        caller(request).require("read")
        options, (found,) = Options(*wished), await self._pictures(request, "file")
        return answer(await self._run(lambda: self._own.verify_example(image_id, found, options)))

    async def recognise(self, request: Request, wished: Wished) -> Response:
        """Tell which subjects the faces of a picture are like."""
        caller(request).require("identify")
        options, (found,) = Options(*wished), await self._pictures(request, "file")
        return answer(await self._run(lambda: self._own.recognise(found, options)))

    async def detect(self, request: Request, wished: Wished) -> Response:
        """Find faces."""
        caller(request).require("read")
        options, (found,) = Options(*wished), await self._pictures(request, "file")
        return answer(await self._run(lambda: self._own.detect(found, options)))

    async def verify(self, request: Request, wished: Wished) -> Response:
        """Compare the largest face of one picture with the faces of another."""
        caller(request).require("read")
        options, (first, second) = Options(*wished), await self._pictures(request, "source_image", "target_image")
        return answer(await self._run(lambda: self._own.verify(first, second, options)))

    async def _pictures(self, request: Request, *names: str) -> list[Source]:
        content = await sent(request, names, self._service.remote.source)
        return [picture(content, name) for name in names]
