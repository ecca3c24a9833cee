"""A way past the framework, whose layers take longer than all else around the models of a question about a picture."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from facecli.server.bodies import Receive
from facecli.server.gate import App, Scope, Send
from facecli.server.refusals import invalid

# (method, path) -> what checks the query, and what answers
Endpoints = Mapping[tuple[str, str], tuple[type[BaseModel], Callable[[Request, Any], Awaitable[Response]]]]


class Direct:
    """Answers some endpoints itself, and leaves everything else to an app. Errors are raised for the gate to tell."""

    def __init__(self, app: App, endpoints: Endpoints) -> None:
        self._app, self._endpoints = app, endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises RefusalError for a query that makes no sense, and what the endpoint raises."""
        found = self._endpoints.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        query, endpoint = found
        request = Request(scope, receive)
        try:
            asked = query.model_validate(dict(request.query_params))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise invalid(first["loc"], first["msg"]) from None
        response = await endpoint(request, asked)
        await response(scope, receive, send)
