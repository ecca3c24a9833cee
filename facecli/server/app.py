"""The app of a server: all endpoints behind one gate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from facecli.errors import FacecliError
from facecli.server import refusals
from facecli.server.direct import Direct
from facecli.server.gate import App, Gate
from facecli.server.refusals import RefusalError
from facecli.server.routes.accounts import AccountRoutes
from facecli.server.routes.answers import answer
from facecli.server.routes.compreface import CompreFaceRoutes
from facecli.server.routes.deepface import DeepFaceRoutes
from facecli.server.routes.earlier import EarlierRoutes
from facecli.server.routes.jobs import JobRoutes
from facecli.server.routes.keys import KeyRoutes
from facecli.server.routes.live import LiveRoutes
from facecli.server.routes.pages import PageRoutes
from facecli.server.routes.people import PeopleRoutes
from facecli.server.routes.pictures import Pictures
from facecli.server.routes.review import ReviewRoutes
from facecli.server.routes.status import Status
from facecli.server.routes.subjects import SubjectRoutes
from facecli.server.schemas import with_components
from facecli.server.service import Service
from facecli.version import __version__

USUAL = (PeopleRoutes, ReviewRoutes, JobRoutes, AccountRoutes, KeyRoutes, EarlierRoutes, LiveRoutes)
OTHERS = {"compreface": (CompreFaceRoutes, SubjectRoutes), "deepface": (DeepFaceRoutes,)}
CODES = {404: "not_found", 405: "method"}


class Described(FastAPI):
    """An app whose OpenAPI document has the schemas of docs/schemas, read when it is asked for."""

    def openapi(self) -> dict[str, Any]:
        """Return the document."""
        if self.openapi_schema is None:
            self.openapi_schema = with_components(super().openapi())
        return self.openapi_schema


def make_app(service: Service) -> App:
    """Return the ASGI app of a server; it closes the service when it ends."""
    status = Status(service)

    @asynccontextmanager
    async def living(_app: FastAPI) -> AsyncIterator[None]:
        warming = asyncio.create_task(status.warm())
        if service.watch is not None:
            service.watch.start()
        yield
        warming.cancel()
        service.close()

    app = Described(title="facecli", version=__version__, lifespan=living, docs_url=None, redoc_url=None)
    app.include_router(status.router())
    pictures = Pictures(service)
    app.include_router(pictures.router())
    for routes in USUAL:
        app.include_router(routes(service).router())
    for name in service.settings.compat:
        for own in OTHERS[name]:
            app.include_router(own(service).router())
    app.include_router(PageRoutes().router())
    for kind in (FacecliError, RefusalError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _told)
    app.add_exception_handler(Exception, _told)  # then it is raised again, and the gate logs it
    gate = Gate(Direct(app, pictures.direct()), service.settings, service.access)
    app.state.counts = gate.counts
    return gate


async def _told(request: Request, error: Exception) -> Response:
    """Return the answer that tells an error."""
    failure = _as_ours(error)
    headers = failure.headers if isinstance(failure, RefusalError) else {}
    status = refusals.status_of(failure)
    return answer(refusals.document(failure, request.state.request_id), status, headers)


def _as_ours(error: Exception) -> FacecliError | RefusalError:
    """Return an error of the framework as one of ours, which tells no value that was sent."""
    if isinstance(error, (FacecliError, RefusalError)):
        return error
    if isinstance(error, RequestValidationError):
        first: dict[str, Any] = error.errors()[0]
        return refusals.invalid(first["loc"][1:], first["msg"])
    if isinstance(error, HTTPException):
        text = "there is nothing at this address" if error.status_code == 404 else str(error.detail)
        given = dict(error.headers or {})
        return RefusalError(error.status_code, CODES.get(error.status_code, "usage"), text, headers=given)
    return refusals.failed()
