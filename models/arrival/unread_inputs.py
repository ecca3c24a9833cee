"""Repair of an ONNX file that lists inputs which no node reads: ONNX Runtime would demand an array for each of them.

The numbers of the fields are those of onnx.proto.
"""

from __future__ import annotations

from facecli.models.arrival.protobuf import contents, field, fields

_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INPUT, _GRAPH_OUTPUT = 1, 11, 12
_NODE_INPUT, _NODE_ATTRIBUTE = 1, 5
_ATTRIBUTE_GRAPHS = (6, 11)  # g and graphs: the bodies of loops and branches, which read the outer graph's values
_VALUE_NAME = 1


def drop_unread_inputs(model: bytes) -> tuple[bytes, tuple[str, ...]]:
    """Return an ONNX model without the inputs that nothing reads, and the names of those inputs.

    The rest of the file stays as it is, byte for byte. Raises ValueError if the bytes are no ONNX model.
    """
    parts: list[bytes | memoryview] = []
    dropped: list[str] = []
    for part in fields(memoryview(model)):
        if part.number == _MODEL_GRAPH:
            kept, names = _kept(part.content)
            dropped += names
            parts += field(_MODEL_GRAPH, kept)
        else:
            parts.append(part.whole)
    return (b"".join(parts), tuple(dropped)) if dropped else (model, ())


def _kept(graph: memoryview) -> tuple[list[memoryview], list[str]]:
    """Return the fields of a graph that stay, and the names of the inputs that do not."""
    parts = list(fields(graph))
    read = _read_by_nodes(graph) | {_name(part.content) for part in parts if part.number == _GRAPH_OUTPUT}
    unread = {_name(part.content) for part in parts if part.number == _GRAPH_INPUT} - read
    kept = [part.whole for part in parts if part.number != _GRAPH_INPUT or _name(part.content) not in unread]
    return kept, [name.decode("utf-8", "replace") for name in sorted(unread)]


def _read_by_nodes(graph: memoryview) -> set[bytes]:
    """Return the names of all values that nodes read, in the graph and in the graphs inside its nodes."""
    read: set[bytes] = set()
    graphs = [graph]
    while graphs:
        for node in contents(graphs.pop(), _GRAPH_NODE):
            read.update(map(bytes, contents(node, _NODE_INPUT)))
            for attribute in contents(node, _NODE_ATTRIBUTE):
                graphs += contents(attribute, *_ATTRIBUTE_GRAPHS)
    return read


def _name(value: memoryview) -> bytes:
    return next(map(bytes, contents(value, _VALUE_NAME)), b"")
