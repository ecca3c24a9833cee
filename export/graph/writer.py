"""Write an ONNX graph operator by operator, with its constants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    import onnx
    from numpy.typing import NDArray

# The first ONNX Runtime that reads this version of the file format is older than every one that facecli runs with.
IR_VERSION = 8
Axes = tuple[int | str, ...]  # the length of each axis, or the name of a free one


class GraphWriter:
    """A graph that grows by operators; every value is float32 unless an operator says otherwise."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, name: str, values: NDArray[Any] | np.generic) -> str:
        """Add a constant, of the type that it has, and return its name."""
        import onnx

        self._constants.append(onnx.numpy_helper.from_array(np.asarray(values, order="C"), name))
        return name

    def add(self, operator: str, inputs: list[str], *outputs: str, **attributes: Any) -> str:
        """Add an operator of the standard set, and return the name of its first output."""
        import onnx

        self._nodes.append(onnx.helper.make_node(operator, inputs, outputs, **attributes))
        return outputs[0]

    def model(
        self,
        inputs: dict[str, Axes],
        outputs: dict[str, Axes],
        opset: int,
        types: Mapping[str, npt.DTypeLike] | None = None,
    ) -> onnx.ModelProto:
        """Return the model of the graph. inputs, outputs: name -> axes. types: those that are not float32."""
        import onnx

        helper, types = onnx.helper, types or {}

        def entry(name: str, axes: Axes) -> onnx.ValueInfoProto:
            kind = helper.np_dtype_to_tensor_dtype(np.dtype(types.get(name, np.float32)))
            return helper.make_tensor_value_info(name, kind, axes)

        entries, results = ([entry(*item) for item in values.items()] for values in (inputs, outputs))
        graph = helper.make_graph(self._nodes, "network", entries, results, self._constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=IR_VERSION)
