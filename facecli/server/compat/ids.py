"""Ids of faces in the form that CompreFace's clients know: UUIDs."""

from __future__ import annotations

import uuid

from facecli.server import refusals


def image_id_of(face: int) -> str:
    """Return the id of a face in the form of a UUID."""
    return str(uuid.UUID(int=face))


def number_of(image_id: str) -> int:
    """Return the face that an id stands for. Raises RefusalError for what is no such id."""
    try:
        number = uuid.UUID(image_id).int
    except ValueError:
        raise refusals.missing("image") from None
    if number > 2**62:
        raise refusals.missing("image")
    return number
