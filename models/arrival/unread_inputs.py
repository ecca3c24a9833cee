"""Repair of an ONNX file that lists inputs which no node reads: ONNX Runtime would demand an array for each of them.

The bytes are read as Protocol Buffers lay them out (protobuf.dev, "Encoding"), because the package onnx is not here
where models are only run. The numbers of the fields are those of onnx.proto.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INPUT, _GRAPH_OUTPUT = 1, 11, 12
_NODE_INPUT, _NODE_ATTRIBUTE = 1, 5
_ATTRIBUTE_GRAPHS = (6, 11)  # g and graphs: the bodies of loops and branches, which read the outer graph's values
_VALUE_NAME = 1
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class _Field(NamedTuple):
    """A field of a message. whole: with its number and length. content: of a text or a message; empty for a number."""

    number: int
    whole: memoryview
    content: memoryview


def drop_unread_inputs(model: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return an ONNX model without the inputs that nothing reads, and the names of those inputs.

    The rest of the file stays as it is, byte for byte. Raises ValueError if the bytes are no ONNX model.
    """
    parts: list[bytes | memoryview] = []
    dropped: list[str] = []
    for field in _fields(memoryview(model)):
        if field.number == _MODEL_GRAPH:
            kept, names = _kept(field.content)
            dropped += names
            parts += [_varint(_MODEL_GRAPH << 3 | _BYTES), _varint(sum(map(len, kept))), *kept]
        else:
            parts.append(field.whole)
    return (b"".join(parts), tuple(dropped)) if dropped else (model, ())


def _kept(graph: memoryview) -> tuple[list[memoryview], list[str]]:
    """Return the fields of a graph that stay, and the names of the inputs that do not."""
    fields = list(_fields(graph))
    read = _read_by_nodes(graph) | {_name(field.content) for field in fields if field.number == _GRAPH_OUTPUT}
    unread = {_name(field.content) for field in fields if field.number == _GRAPH_INPUT} - read
    kept = [field.whole for field in fields if field.number != _GRAPH_INPUT or _name(field.content) not in unread]
    return kept, [name.decode("utf-8", "replace") for name in sorted(unread)]


def _read_by_nodes(graph: memoryview) -> set[bytes]:
    """Return the names of all values that nodes read, in the graph and in the graphs inside its nodes."""
    read: set[bytes] = set()
    graphs = [graph]
    while graphs:
        for node in _contents(graphs.pop(), _GRAPH_NODE):
            read.update(map(bytes, _contents(node, _NODE_INPUT)))
            for attribute in _contents(node, _NODE_ATTRIBUTE):
                graphs += _contents(attribute, *_ATTRIBUTE_GRAPHS)
    return read


def _name(value: memoryview) -> bytes:
    return next(map(bytes, _contents(value, _VALUE_NAME)), b"")


def _contents(message: memoryview, *numbers: int) -> Iterator[memoryview]:
    return (field.content for field in _fields(message) if field.number in numbers)


def _fields(message: memoryview) -> Iterator[_Field]:
    """Yield the fields of a message in their order. Raises ValueError where the bytes are no message."""
    place = 0
    while place < len(message):
        start = place
        key, place = _read_varint(message, place)
        content = message[:0]
        if (kind := key & 7) == _VARINT:
            _, place = _read_varint(message, place)
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
        yield _Field(key >> 3, message[start:place], content)


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
