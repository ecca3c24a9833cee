"""Make an ONNX model fit to be published: named axes, metadata, and no traces of the machine that it was made on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnx

    from facecli.contract import ExportPart


def clean(model: onnx.ModelProto, part: ExportPart) -> None:
    """Name the free axes and drop doc strings, source locations and intermediate shapes, in place.

    The exporter writes stack traces with paths of the machine into every node. Without them a file does not
    tell who made it, and two exports of the same weights are equal byte for byte.
    """
    graph = model.graph
    for described in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        _forget(described)
    graph.ClearField("value_info")
    _name_axes(graph, part)
    model.producer_name, model.producer_version = "facecli", ""


def compact(model: onnx.ModelProto) -> None:
    """Give the inner values of a graph short names, and its nodes none, in place; a graph with subgraphs is unchanged.

    Quantization makes four tensors of each one, with names as long as their history: a tenth of a small model's file.
    """
    graph = model.graph
    if any(attribute.HasField("g") or attribute.graphs for node in graph.node for attribute in node.attribute):
        return
    outer = {value.name for value in (*graph.input, *graph.output)} | {""}
    inner = dict.fromkeys(name for node in graph.node for name in (*node.input, *node.output) if name not in outer)
    inner |= dict.fromkeys(tensor.name for tensor in graph.initializer if tensor.name not in outer)
    short = {name: name for name in outer} | {name: f"_{number:x}" for number, name in enumerate(inner)}
    for node in graph.node:
        node.ClearField("name")
        node.input[:] = [short[name] for name in node.input]
        node.output[:] = [short[name] for name in node.output]
    for tensor in graph.initializer:
        tensor.name = short[tensor.name]


def describe(model: onnx.ModelProto, facts: Mapping[str, str]) -> None:
    """Replace the model's metadata by these facts, under "facecli.<name>"."""
    model.ClearField("metadata_props")
    for name, value in sorted(facts.items()):
        model.metadata_props.add(key=f"facecli.{name}", value=value)


def _forget(described: Any) -> None:
    """Clear the doc string and the metadata of a model, graph, node, value or tensor."""
    described.ClearField("doc_string")
    if any(field.name == "metadata_props" for field in described.DESCRIPTOR.fields):
        described.ClearField("metadata_props")


def _name_axes(graph: onnx.GraphProto, part: ExportPart) -> None:
    """Give free axes the recipe's names.

    An output's axis that the recipe does not name gets the name of the input axis it is tied to, or "<output>_<axis>".
    """
    names: dict[str, str] = {}  # the exporter's name of an axis -> the recipe's
    for value in graph.input:
        for axis, name in part.dynamic_axes.get(value.name, {}).items():
            dim = value.type.tensor_type.shape.dim[axis]
            names[dim.dim_param] = name
            if not dim.HasField("dim_value"):
                dim.dim_param = name
    for value in graph.output:
        stated = (part.output_axes or {}).get(value.name, {})
        for axis, dim in enumerate(value.type.tensor_type.shape.dim):
            if not dim.HasField("dim_value"):
                dim.dim_param = stated.get(axis) or names.get(dim.dim_param, f"{value.name}_{axis}")
