"""Pictures and texts out of a request: a form, the bytes of a picture, or JSON that names a picture's address."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from facecli.errors import InputError
from facecli.pictures.memory import from_bytes
from facecli.pictures.sources import Source, failing
from facecli.redaction import shortened
from facecli.server.refusals import RefusalError

MOST_PICTURES = 200  # of one request
MOST_FIELDS = 20  # texts beside them
LONGEST_TEXT = 10_000  # bytes of one
RAW = ("application/octet-stream",)

Fetch = Callable[[str], Source]  # an address -> the picture that is there


@dataclass(frozen=True, slots=True)
class Sent:
    """The content of a request. pictures: field's name -> pictures, in order. texts: field's name -> text.

    values: the whole of a JSON body, whose values may be more than texts.
    """

    pictures: dict[str, list[Source]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def picture(self, name: str) -> Source:
        """Return the one picture of a field. Raises RefusalError if there is none or more than one."""
        found = self.pictures.get(name, [])
        if len(found) != 1:
            hint = "send a picture's bytes, a form with that field, or JSON with its address"
            raise RefusalError(400, "usage", f"one picture {name} is needed, and {len(found)} came", hint=hint)
        return found[0]

    def many(self, name: str) -> list[Source]:
        """Return the pictures of a field, which may also be spelled name[]. Raises RefusalError if there is none."""
        found = [*self.pictures.get(name, []), *self.pictures.get(f"{name}[]", [])]
        if not found:
            raise RefusalError(400, "usage", f"no picture came in {name}", hint=f"send a form with pictures in {name}")
        return found

    def text(self, name: str) -> str:
        """Return the text of a field. Raises RefusalError if it is missing."""
        if name not in self.texts:
            raise RefusalError(400, "usage", f"{name} is missing")
        return self.texts[name]


async def sent(request: Request, names: Sequence[str], fetch: Fetch) -> Sent:
    """Return the content of a request. names: fields of pictures; the first is that of a body that is a picture.

    fetch: gives the picture of an address, in `NAME_url`. Raises RefusalError for a content that can not be read.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type.startswith("image/") or media_type in RAW:
        data = await request.body()
        return Sent({names[0]: [_picture(data, names[0])]})
    if media_type == "multipart/form-data":
        return await _form(request)
    if media_type == "application/json":
        return _json(await request.body(), names, fetch)
    hint = "send image/jpeg, multipart/form-data or application/json"
    shown = shortened(media_type, 100) or "a body without a type"
    raise RefusalError(415, "media_type", f"{shown} is not read", hint=hint)


async def _form(request: Request) -> Sent:
    found = Sent()
    size = int(request.headers.get("content-length", "0") or 0)

    async def stream() -> AsyncGenerator[bytes, None]:
        yield await request.body()

    parser = MultiPartParser(
        request.headers, stream(), max_files=MOST_PICTURES, max_fields=MOST_FIELDS, max_part_size=LONGEST_TEXT
    )
    parser.spool_max_size = max(size, 2**30)  # pictures of faces stay out of temporary files
    try:
        form = await parser.parse()
    except (MultiPartException, ValueError, KeyError) as error:
        reason = getattr(error, "message", "it is damaged")
        raise RefusalError(400, "usage", f"the form can not be read: {shortened(str(reason), 200)}") from error
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            data = await value.read()
            found.pictures.setdefault(name, []).append(_picture(data, value.filename or name))
        else:
            found.texts[name] = _sound(name, value)
    await form.close()
    return found


def _json(body: bytes, names: Sequence[str], fetch: Fetch) -> Sent:
    values = json_object(body)
    texts = {name: _sound(name, value) for name, value in values.items() if isinstance(value, str)}
    addresses = {name: texts[f"{name}_url"] for name in names if f"{name}_url" in texts}
    return Sent({name: [fetch(address)] for name, address in addresses.items()}, texts, values)


def json_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object that a body is. Raises RefusalError if it is none."""
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusalError(400, "usage", "the body is not JSON") from error
    if not isinstance(values, dict):
        raise RefusalError(400, "usage", "the body is not a JSON object")
    return values


def _sound(name: str, text: str) -> str:
    """Return a text. Raises RefusalError for one with half of a surrogate pair, which UTF-8 can not hold."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = f"{shortened(name, 100)!r} has a sign that is no character"
        raise RefusalError(400, "usage", message, hint="send it in UTF-8") from error
    return text


def _picture(data: bytes, name: str) -> Source:
    shown = shortened(name.encode("utf-8", "replace").decode().replace("\\", "/").rpartition("/")[2], 200) or "image"
    return from_bytes(data, shown) if data else failing(shown, InputError(f"{shown} is empty"))
