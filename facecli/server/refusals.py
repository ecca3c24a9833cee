"""Answers of a server that refuses or fails: a status of HTTP and the error as the command line writes it in JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from facecli.errors import FacecliError
from facecli.redaction import shortened, without_secrets
from facecli.version import __version__

# Status of HTTP for the codes of facecli's errors; others are 500: a bug, or a plugin's.
STATUS = {
    "usage": 400,
    "plugin": 400,  # one that the request named
    "duplicate": 409,
    "conflict": 409,
    "input": 422,
    "decode": 422,
    "fetch": 422,
    "no_face": 422,
    "ambiguous_face": 422,
    "low_quality": 422,
    "enough": 422,
    "output": 503,
    "gallery": 503,
    "model": 503,
    "device": 503,
}


class RefusalError(Exception):
    """A request that the server does not answer. status: of HTTP. code, message, hint: as of a FacecliError.

    headers: to send with it, such as Retry-After.
    """

    def __init__(
        self, status: int, code: str, message: str, *, hint: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.hint, self.headers = status, code, hint, headers or {}

    def as_dict(self) -> dict[str, str | None]:
        """Return the refusal as it appears in JSON."""
        return {"code": self.code, "message": shortened(without_secrets(str(self))), "hint": self.hint}


def missing(noun: str) -> RefusalError:
    """Return the refusal for something that is not there. noun: such as "person"."""
    return RefusalError(404, "not_found", f"there is no such {noun}", hint=None)


def invalid(place: Sequence[str | int], message: str) -> RefusalError:
    """Return the refusal for a value of the wrong kind. place: the way to it. message: what it must be."""
    return RefusalError(400, "usage", shortened(f"{'.'.join(map(str, place))}: {message}", 300))


def failed() -> RefusalError:
    """Return what is told of an unexpected error, whose words are in the server's log alone."""
    return RefusalError(500, "bug", "the server failed", hint="report it")


def status_of(error: FacecliError | RefusalError) -> int:
    """Return the status of HTTP for an error."""
    return error.status if isinstance(error, RefusalError) else STATUS.get(error.code, 500)


def document(error: FacecliError | RefusalError, request_id: str) -> dict[str, Any]:
    """Return the body of an answer that tells an error; the id is in the server's log, too."""
    return {
        "schema": "facecli.error/1",
        "version": __version__,
        "error": error.as_dict(),
        "request_id": request_id,
    }


def dumps(value: Any) -> bytes:
    """Return a document as JSON in UTF-8; bytes of file names that are no UTF-8 become question marks."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
