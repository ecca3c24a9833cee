"""The form of requests and errors of CompreFace's services."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Query
from starlette.responses import Response

from facecli.errors import FacecliError
from facecli.server.refusals import RefusalError, status_of
from facecli.server.routes.answers import answer

NO_FACE, UNDEFINED = 28, 0  # CompreFace's code for a picture without a face, and for what it has no code for
ERROR = {
    "type": "object",
    "required": ["message", "code"],
    "properties": {"message": {"type": "string"}, "code": {"type": "integer"}},
}
Score = Annotated[float, Query(ge=0, le=1, alias="det_prob_threshold")]
Endpoint = Callable[..., Awaitable[Response]]


async def _options(
    limit: Annotated[int, Query(ge=0, le=1000)] = 0,
    prediction_count: Annotated[int, Query(ge=1, le=1000)] = 1,
    min_score: Score = 0.0,
    face_plugins: Annotated[str, Query(max_length=200)] = "",
    *,
    status: Annotated[bool, Query()] = False,
) -> tuple[Any, ...]:
    plugins = tuple(name for name in map(str.strip, face_plugins.split(",")) if name)
    return limit, prediction_count, min_score, plugins, status


Wished = Annotated[tuple[Any, ...], Depends(_options)]


def in_its_words(endpoint: Endpoint) -> Endpoint:
    """Let an endpoint tell its errors as CompreFace does: message and code."""

    @functools.wraps(endpoint)
    async def told(*values: Any, **named: Any) -> Response:
        try:
            return await endpoint(*values, **named)
        except (FacecliError, RefusalError) as error:
            status = status_of(error)
            code = NO_FACE if error.as_dict()["code"] == "no_face" else UNDEFINED
            message = "No face is found in the given image" if code == NO_FACE else error.as_dict()["message"]
            headers = error.headers if isinstance(error, RefusalError) else {}
            return answer({"message": message, "code": code}, 400 if status == 422 else status, headers)

    return told
