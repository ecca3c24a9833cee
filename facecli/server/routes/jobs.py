"""Work that takes longer than a request: begun, asked about, and given up."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.requests import Request
from starlette.responses import Response

from facecli.server.albums import ClusterWish, clustered
from facecli.server.routes.answers import PICTURE, add, answer, caller
from facecli.server.schemas import reference
from facecli.server.service import Service
from facecli.server.uploads import sent

Number = Annotated[str, Path(max_length=64)]
ALBUM: dict[str, Any] = {
    "required": False,
    "content": {
        "multipart/form-data": {
            "schema": {"type": "object", "properties": {"images": {"type": "array", "items": PICTURE}}}
        }
    },
}


class JobRoutes:
    """The endpoints of jobs."""

    def __init__(self, service: Service) -> None:
        self._service, self._jobs = service, service.jobs

    def router(self) -> APIRouter:
        """Return the endpoints."""
        router = APIRouter(prefix="/v1", tags=["jobs"])
        add(router, "POST", "/cluster", self.cluster, body=ALBUM, good=(202,), schema=reference("serve.job"))
        add(router, "GET", "/jobs/{number}", self.job, schema=reference("serve.job"))
        add(router, "DELETE", "/jobs/{number}", self.drop, good=(204,))
        return router

    async def cluster(
        self,
        request: Request,
        threshold: Annotated[float | None, Query(ge=0, le=1000)] = None,
        fmr: Annotated[float | None, Query(gt=0, lt=1)] = None,
        min_faces: Annotated[int, Query(ge=1, le=1000)] = 2,
    ) -> Response:
        """Find out which faces of the images are of one person; without images, which of the gallery's are."""
        caller(request).require("enroll")
        pictures = []
        if await request.body():
            pictures = (await sent(request, ("images",), self._service.remote.source)).many("images")
        wish, looks = ClusterWish(threshold, fmr, min_faces), self._service.looks
        job = self._jobs.begin("cluster", len(pictures), lambda job: clustered(looks, pictures, wish, job))
        return answer(job.shown(), 202, {"Location": f"/v1/jobs/{job.id}"})

    async def job(self, request: Request, number: Number) -> Response:
        """Tell how far a job is, and its result as soon as it is done."""
        caller(request).require("enroll")
        return answer(self._jobs.get(number).shown())

    async def drop(self, request: Request, number: Number) -> Response:
        """Give a job up, or forget its result."""
        caller(request).require("enroll")
        self._jobs.drop(number)
        return Response(status_code=204)
