"""The graph that a gallery is searched with: `python -m facecli.export.graph.nearest` writes gallery/nearest.onnx anew.

Integer products of probes and templates, each template's by its own scale, and the largest of them. The templates are
an input: a gallery changes, the graph does not.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from facecli.export.graph.writer import Axes, GraphWriter

if TYPE_CHECKING:
    import onnx

OPSET = 17
ZERO = 64  # of a probe's codes, which are 1 to 127: ONNX Runtime's kernels for CPUs without VNNI add two products of
# codes up to 255 in 16 bits, which overflow; of codes up to 127 they do not.


def graph() -> onnx.ModelProto:
    """Return the graph.

    probes: (probes, dim) uint8, zero at ZERO. codes: (dim, rows) int8. scales: (rows,) float32. count: (1,) int64, at
    most rows. values: (probes, count) float32, products times scale, descending; rows: (probes, count) int64.
    """
    writer = GraphWriter()
    writer.constant("zero", np.uint8(ZERO))
    writer.add("MatMulInteger", ["probes", "codes", "zero"], "products")
    writer.add("Cast", ["products"], "floats", to=1)  # float32
    writer.add("Mul", ["floats", "scales"], "similarities")
    writer.add("TopK", ["similarities", "count"], "values", "rows")
    inputs: dict[str, Axes] = {
        "probes": ("probes", "dim"),
        "codes": ("dim", "templates"),
        "scales": ("templates",),
        "count": (1,),
    }
    outputs: dict[str, Axes] = {"values": ("probes", "most"), "rows": ("probes", "most")}
    types = {"probes": np.uint8, "codes": np.int8, "count": np.int64, "rows": np.int64}
    return writer.model(inputs, outputs, OPSET, types)


if __name__ == "__main__":
    Path(str(files("facecli") / "gallery" / "nearest.onnx")).write_bytes(graph().SerializeToString())
