"""The forms in which endpoints answer, and what they say of themselves in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from facecli.server.caller import Caller
from facecli.server.refusals import dumps
from facecli.server.schemas import reference

PICTURE = {"type": "string", "format": "binary"}
BASE64 = {"type": "string", "contentEncoding": "base64"}
ADDRESS = {"type": "string", "description": "The address of a picture, of a host that the server may ask"}
FAILURES = {
    "400": "The request makes no sense",
    "401": "A key is needed",
    "403": "The key's scope is too small, or another site's page asks",
    "404": "There is no such thing",
    "405": "The address knows other methods alone",
    "408": "The body came too slowly",
    "409": "It is there already, or is somebody else's",
    "413": "The body is too large",
    "415": "The body is of another type",
    "422": "The picture can not be used",
    "429": "Too many requests",
    "503": "The server has no time, or a model is missing",
}
ERROR = reference("serve.error")


def caller(request: Request) -> Caller:
    """Return the sender of a request, as the gate has found out."""
    found: Caller = request.state.caller
    return found


def answer(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a document as the answer of a request."""
    return Response(dumps(document), status, headers, "application/json")


def pictures_body(
    names: Sequence[str],
    *,
    raw: bool = False,
    encoded: bool = False,
    texts: Sequence[str] = (),
    optional: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the OpenAPI description of a body with pictures: a form, or JSON with their addresses.

    raw: one picture's bytes may be all of it. encoded: the JSON has the pictures in base64 instead. texts, optional:
    fields beside the pictures that must and may be there.
    """
    others: dict[str, Any] = {name: {"type": "string"} for name in (*texts, *optional)}
    inside = dict.fromkeys(names, BASE64) if encoded else {f"{name}_url": ADDRESS for name in names}
    content: dict[str, Any] = {
        "multipart/form-data": _object({**dict.fromkeys(names, PICTURE), **others}, [*names, *texts]),
        "application/json": _object({**inside, **others}, [*inside, *texts]),
    }
    if raw:
        content["image/jpeg"] = {"schema": PICTURE}
    return {"required": True, "content": content}


def json_body(properties: dict[str, Any], required: Sequence[str]) -> dict[str, Any]:
    """Return the OpenAPI description of a JSON body."""
    return {"required": True, "content": {"application/json": _object(properties, required)}}


def _object(properties: dict[str, Any], required: Sequence[str]) -> dict[str, Any]:
    return {"schema": {"type": "object", "required": list(required), "properties": properties}}


def add(
    router: APIRouter,
    method: str,
    path: str,
    endpoint: Callable[..., Any],
    *,
    body: dict[str, Any] | None = None,
    good: Sequence[int] = (200,),
    media_type: str = "application/json",
    schema: dict[str, Any] | None = None,
    failure: dict[str, Any] | None = None,
) -> None:
    """Add an endpoint.

    body, good, media_type, schema, failure: its content, statuses and answers in the OpenAPI document.
    """
    content = {media_type: {"schema": schema or {"type": "object"}}}
    responses: dict[int | str, dict[str, Any]] = {
        str(status): {"description": "Done", **({} if status == 204 else {"content": content})} for status in good
    }
    told = ERROR if failure is None else {"anyOf": [failure, ERROR]}
    responses |= {
        status: {
            "description": text,
            "content": {"application/json": {"schema": told}},
        }
        for status, text in FAILURES.items()
    }
    router.add_api_route(
        path,
        endpoint,
        methods=[method],
        response_class=Response,
        status_code=good[0],
        responses=responses,
        openapi_extra=None if body is None else {"requestBody": body},
    )
