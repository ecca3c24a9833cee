"""The graph that a gallery is searched with: `python -m facecli.export.graph.nearest` writes gallery/nearest.onnx anew.

Integer products of probes and templates, each template's by its own scale, and the largest of them. The templates are
an input: a gallery changes, the graph does not.

The zero of the probes' codes is taken off by hand, as a number of each template: MatMulInteger with a zero lays out all
templates anew each time, which takes five times as long as the products of one probe do.
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


def graph() -> onnx.ModelProto:
    """Return the graph.

    probes: (probes, dim) uint8, at most 127: ONNX Runtime's kernels for CPUs without VNNI add two products in 16 bits,
    which codes up to 255 overflow. codes: (blocks, dim, rows) int8: many blocks in one run keep all cores at work.
    offsets: (blocks, 1, rows) int32, the product of each row with the zero of the probes. scales: (blocks, 1, rows)
    float32. count: (1,) int64, at most rows. values: (blocks, probes, count) float32, products less offset times scale,
    descending; rows: (blocks, probes, count) int64, within the block.
    """
    writer = GraphWriter()
    writer.add("MatMulInteger", ["probes", "codes"], "unsigned")
    writer.add("Sub", ["unsigned", "offsets"], "products")
    writer.add("Cast", ["products"], "floats", to=1)  # float32
    writer.add("Mul", ["floats", "scales"], "similarities")
    writer.add("TopK", ["similarities", "count"], "values", "rows")
    inputs: dict[str, Axes] = {
        "probes": ("probes", "dim"),
        "codes": ("blocks", "dim", "rows"),
        "offsets": ("blocks", 1, "rows"),
        "scales": ("blocks", 1, "rows"),
        "count": (1,),
    }
    outputs: dict[str, Axes] = dict.fromkeys(("values", "rows"), ("blocks", "probes", "most"))
    types = {"probes": np.uint8, "codes": np.int8, "offsets": np.int32, "count": np.int64, "rows": np.int64}
    return writer.model(inputs, outputs, OPSET, types)


if __name__ == "__main__":
    Path(str(files("facecli") / "gallery" / "nearest.onnx")).write_bytes(graph().SerializeToString())
