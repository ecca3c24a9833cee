from __future__ import annotations

import pytest

from facecli.export.graph.nearest import graph
from facecli.gallery.quantized import PROBE_MOST, PROBE_ZERO
from facecli.gallery.scan import GRAPH


def test_graph_in_the_wheel_is_the_one_that_the_script_writes():
    onnx = pytest.importorskip("onnx")
    written, made = onnx.load(str(GRAPH)), graph()
    onnx.checker.check_model(made)
    assert written.graph == made.graph
    assert (written.ir_version, written.opset_import[0].version) == (made.ir_version, made.opset_import[0].version)


def test_codes_of_a_probe_fit_the_graph():
    assert PROBE_ZERO > PROBE_MOST and PROBE_ZERO + PROBE_MOST <= 127
