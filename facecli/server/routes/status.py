"""Health, readiness and numbers of a server."""

from __future__ import annotations

import asyncio
import logging

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from facecli.errors import FacecliError
from facecli.server.refusals import RefusalError
from facecli.server.routes.answers import add, answer
from facecli.server.schemas import reference
from facecli.server.service import Service
from facecli.version import __version__

log = logging.getLogger("facecli.server")


class Status:
    """Tells whether the server lives, whether its models are loaded, and how much it has to do."""

    def __init__(self, service: Service) -> None:
        self._service, self._ready = service, False
        self._failure: FacecliError | None = None

    async def warm(self) -> None:
        """Load the models of the usual questions; /v1/ready tells a failure."""
        try:
            await asyncio.to_thread(self._service.looks.warm)
        except FacecliError as error:
            self._failure = error
            log.error("the models can not be loaded: %s", error)  # noqa: TRY400 # it is told in words
        else:
            self._ready = True

    def router(self) -> APIRouter:
        """Return the endpoints."""
        router = APIRouter(tags=["status"])
        add(router, "GET", "/v1/health", self.health, schema=reference("serve.health"))
        add(router, "GET", "/v1/ready", self.readiness, schema=reference("serve.ready"))
        add(router, "GET", "/metrics", self.metrics, media_type="text/plain", schema={"type": "string"})
        return router

    async def health(self) -> Response:
        """Tell that the server answers."""
        return answer({"status": "ok", "version": __version__})

    async def readiness(self) -> Response:
        """Tell that the models are loaded."""
        if self._failure is not None:
            raise self._failure
        if not self._ready:
            raise RefusalError(503, "starting", "the models are being loaded", headers={"Retry-After": "1"})
        return answer({"status": "ready"})

    async def metrics(self, request: Request) -> Response:
        """Tell the numbers of the queue in the text form of Prometheus."""
        queue = self._service.queue
        counts = request.app.state.counts
        lines = [
            "# HELP facecli_work Requests that are at work or wait.",
            "# TYPE facecli_work gauge",
            f"facecli_work {queue.taken}",
            "# HELP facecli_work_most Requests that may be at work or wait.",
            "# TYPE facecli_work_most gauge",
            f"facecli_work_most {queue.most}",
            "# HELP facecli_answers_total Answers by status of HTTP.",
            "# TYPE facecli_answers_total counter",
            *(f'facecli_answers_total{{status="{status}"}} {count}' for status, count in sorted(counts.items())),
        ]
        return Response("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")
