"""What an exported file says of its axes is what the recipe states and what its source has."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facecli.contract import ExportPart
from facecli.errors import ExportError
from facecli.export.proof.axes import DeclaredAxes, check
from facecli.export.proof.parity import Figures


def part(**changes) -> ExportPart:
    def sample(batch: int, variant: int):
        return (np.zeros((batch, 3, 8 + variant), np.float32),)

    axes = {"x": {0: "batch", 2: "width"}}
    return replace(ExportPart("net.onnx", None, ("x",), ("y",), sample, axes, Path("weights")), **changes)


def row(inputs, shape) -> Figures:
    return Figures("y", "random", (inputs,), shape, 0.0, 0.0, 1e-5, None)


# The source gives half as many columns as its input has, and two rows more than that.
ROWS = [
    row((n, 3, width), (n, 7, width, width // 2, 2))
    for n, width in ((1, 8), (3, 8), (8, 8), (1, 10), (1, 12))
]  # fmt: skip
RIGHT = ("batch", 7, "width", "y_3", 2)
STATED = {"y": {0: "batch", 2: "width", 3: "y_3"}}


def judge(axes, *, inputs=("batch", 3, "width"), rows=ROWS, **changes):
    check(part(**changes), "net.onnx", DeclaredAxes({"x": inputs}, {"y": axes}), rows)


@pytest.mark.parametrize("stated", [None, STATED])
def test_axes_that_are_right(stated):
    judge(RIGHT, output_axes=stated)


def test_an_axis_that_is_as_long_only_here_may_have_a_name_of_its_own():
    judge(("batch", 7, "2*(width//2)", "y_3", 2))


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        (None, "output 'y' is declared nowhere, its source gives"),
        (("batch", 7, "width", "y_3"), r"is declared \(batch, 7, width, y_3\), its source gives \(1, 7, 8, 4, 2\)"),
        ((2, 7, "width", "y_3", 2), r"declared \(2, 7, width, y_3, 2\), axis 0 must be batch, as its input's"),
        (("n", 7, "width", "y_3", 2), "axis 0 must be batch, as its input's"),
        (("batch", 8, "width", "y_3", 2), "axis 1 must be 7"),
        (("batch", 7, "batch", "y_3", 2), "axis 2 must be width, as its input's"),
        (("batch", 7, "width", 4, 2), "axis 3 must be free"),
    ],
)
def test_what_is_not_as_the_source_has_it(axes, message):
    with pytest.raises(ExportError, match=rf"^net\.onnx: .*{message}"):
        judge(axes)


@pytest.mark.parametrize(
    ("axes", "stated", "message"),
    [
        (("batch", 7, "width", "n", 2), STATED, "axis 3 must be 'y_3', as the recipe states"),
        (("batch", "n", "width", "y_3", 2), STATED, "axis 1 must be 7"),
        (RIGHT, {"y": {0: "batch", 2: "width"}}, "axis 3 must be stated by the recipe: its length changes"),
        (RIGHT, {"y": {0: "batch", 1: "n", 2: "width", 3: "y_3"}}, "axis 1 must be 'n', as the recipe states"),
        (RIGHT, {}, "axis 0 must be stated by the recipe"),
    ],
)
def test_what_is_not_as_the_recipe_states_it(axes, stated, message):
    with pytest.raises(ExportError, match=message):
        judge(axes, output_axes=stated)


def test_a_length_that_depends_on_values_may_be_free():
    rows = [row((n, 3, 8), (n, 5)) for n in (1, 3)]
    judge(("batch", "found"), rows=rows)
    judge(("batch", None), rows=rows)
    with pytest.raises(ExportError, match="axis 1 must be 5"):
        judge(("batch", 6), rows=rows)


@pytest.mark.parametrize("inputs", [("n", 3, "width"), ("batch", 3, 8), ("batch", None, "width"), None])
def test_an_input_has_the_recipe_s_names(inputs):
    with pytest.raises(ExportError, match=r"the recipe frees \{0: 'batch', 2: 'width'\}"):
        judge(RIGHT, inputs=inputs)


def test_they_stand_in_the_report(crop_recipe, tmp_path):
    from facecli.export.request import ExportRequest
    from facecli.export.run import export_recipe
    from facecli.export.target import Target

    recipe = crop_recipe()
    build = recipe.build

    def stated(weights):
        return tuple(replace(one, output_axes={"embeddings": {0: "batch"}}) for one in build(weights))

    request = ExportRequest(recipe=replace(recipe, build=stated), target=Target("fp16", ort=True))
    result = export_recipe(request, tmp_path)
    for file in result.files:
        report = json.loads(file.report.read_text())
        assert report["axes"] == {"inputs": {"crops": ["batch", 3, 32, 32]}, "outputs": {"embeddings": ["batch", 8]}}

    def wrong(weights):
        return tuple(replace(one, output_axes={"embeddings": {0: "batch", 1: "dim"}}) for one in build(weights))

    with pytest.raises(ExportError, match=r"small\.onnx: output 'embeddings' is declared \(batch, 8\), axis 1 must be"):
        export_recipe(ExportRequest(recipe=replace(recipe, build=wrong)), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_file_that_fixes_what_is_free_is_found(crop_recipe, tmp_path, monkeypatch):
    """ONNX Runtime only warns of it."""
    from facecli.export.graph import clean as cleaning
    from facecli.export.request import ExportRequest
    from facecli.export.run import export_recipe

    original = cleaning.clean

    def fixed(model, own):
        original(model, own)
        model.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 2  # what it was traced with

    monkeypatch.setattr(cleaning, "clean", fixed)
    with pytest.raises(ExportError, match=r"output 'embeddings' is declared \(2, 8\), axis 0 must be batch"):
        export_recipe(ExportRequest(recipe=crop_recipe()), tmp_path / "out")
