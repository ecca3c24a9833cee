"""Write an ONNX graph around a network: nodes before it, the network, nodes after it.

All operators used here have inputs and attributes that mean one thing from opset 11 to today, so a network of any such
opset is kept as it is. (The axes of sums, for one, moved from an attribute to an input.)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from facecli.errors import ExportError

if TYPE_CHECKING:
    from numpy.typing import NDArray

OLDEST_OPSET = 11
Shape = Sequence[int | str]  # lengths of axes; a name stands for a free axis


class Graph:
    """A graph under construction, with nodes in the order in which they are added.

    network: the model in the middle; its opset becomes the graph's. Raises ExportError for an opset below 11.
    """

    def __init__(self, network: onnx.ModelProto) -> None:
        self.network = compose.add_prefix(network, "network/")
        self.opset = next((o.version for o in network.opset_import if o.domain in ("", "ai.onnx")), 0)
        if self.opset < OLDEST_OPSET:
            raise ExportError(
                f"the network is of opset {self.opset}, preprocessing is embedded from {OLDEST_OPSET} on",
                hint="raise it with onnx.version_converter",
            )
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, kind: int, shape: Shape) -> str:
        """Add an input of the graph; return its name. kind: one of TensorProto's types."""
        self._inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def constant(self, value: Any, dtype: type[np.generic] = np.float32) -> str:
        """Add a constant; return its name."""
        name = f"constant_{len(self._constants)}"
        array: NDArray[Any] = np.asarray(value, dtype)
        self._constants.append(numpy_helper.from_array(array, name))
        return name

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output; return that output's name."""
        name = f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def shape(self, value: str, *shape: int) -> str:
        """Add a reshape, with -1 as in NumPy and 0 for an axis that keeps its length; return its output's name."""
        return self.node("Reshape", value, self.constant(shape, np.int64))

    def run_network(self, value: str) -> list[str]:
        """Add the network with this value as its input; return the names of its outputs, in its order.

        Raises ExportError for a network with several inputs.
        """
        network = self.network.graph
        constants = {tensor.name for tensor in network.initializer}
        names = [entry.name for entry in network.input if entry.name not in constants]
        if len(names) != 1:
            raise ExportError(f"a network with {len(names)} inputs can not be fed with one picture")
        self._nodes.append(helper.make_node("Identity", [value], names, name="network"))
        self._nodes.extend(network.node)
        self._constants.extend(network.initializer)
        return [entry.name for entry in network.output]

    def output(self, value: str, name: str, shape: Shape, kind: int = TensorProto.FLOAT) -> None:
        """Make a value an output of the graph, under this name."""
        self._nodes.append(helper.make_node("Identity", [value], [name], name=name))
        self._outputs.append(helper.make_tensor_value_info(name, kind, shape))

    def model(self, facts: Mapping[str, str]) -> onnx.ModelProto:
        """Return the finished model. facts: metadata beside the network's own, without the prefix "facecli."."""
        graph = helper.make_graph(self._nodes, "facecli", self._inputs, self._outputs, self._constants)
        source = self.network
        model = helper.make_model(graph, opset_imports=source.opset_import, functions=source.functions)
        model.ir_version, model.producer_name = source.ir_version, "facecli"
        metadata = {entry.key: entry.value for entry in source.metadata_props}
        metadata |= {f"facecli.{key}": value for key, value in facts.items()}
        for key, value in sorted(metadata.items()):
            model.metadata_props.add(key=key, value=value)
        return model
