"""Messages in the wire format of Protocol Buffers (protobuf.dev, "Encoding"): their fields, read and written.

The package onnx, which would do it, is not here where models are only run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class Field(NamedTuple):
    """A field of a message.

    whole: with its number and length. content: of a text or a message; empty for a number. value: of an integer.
    """

    number: int
    whole: memoryview
    content: memoryview
    value: int = 0


def fields(message: memoryview) -> Iterator[Field]:
    """Yield the fields of a message in their order. Raises ValueError where the bytes are no message."""
    place = 0
    while place < len(message):
        start = place
        key, place = _read_varint(message, place)
        content, value = message[:0], 0
        if (kind := key & 7) == _VARINT:
            value, place = _read_varint(message, place)
        elif kind == _BYTES:
            length, place = _read_varint(message, place)
            content = message[place : place + length]
            place += length
        elif kind in (_FIXED64, _FIXED32):
            place += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"no ONNX model: a field of kind {kind}")
        if place > len(message):
            raise ValueError("no ONNX model: it ends within a field")
        yield Field(key >> 3, message[start:place], content, value)


def contents(message: memoryview, *numbers: int) -> Iterator[memoryview]:
    """Yield the contents of the fields that have one of these numbers."""
    return (field.content for field in fields(message) if field.number in numbers)


def field(number: int, parts: Sequence[bytes | memoryview]) -> list[bytes | memoryview]:
    """Return the parts of a text or message field, of which the content is made of `parts`."""
    return [_varint(number << 3 | _BYTES), _varint(sum(map(len, parts))), *parts]


def _read_varint(message: memoryview, place: int) -> tuple[int, int]:
    """Return the number that begins at a place, and the place behind it."""
    number = 0
    for shift in range(0, 70, 7):  # ten bytes at most
        if place >= len(message):
            break
        byte = message[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return number, place
    raise ValueError("no ONNX model: a number that does not end")


def _varint(number: int) -> bytes:
    """Return a number as Protocol Buffers write it: seven bits a byte, the lowest first."""
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])
