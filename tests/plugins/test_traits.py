"""Our network of age, gender and race: one file, one run per face, four attributes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facecli.labels import LABELS
from facecli.models.store import ModelStore
from facecli.plugins.attributes.facecli_traits import AGES, HEADS, sorted_into

RACES = np.float32([0.25, 0.125, 0.0625, 0.0625, 0.125, 0.125, 0.25])


def constant(onnx: Any, path: Path) -> None:
    """A network of the same outputs, which are the same for every crop: ages 20-29 or 30-39, a man, RACES."""
    helper, float32 = onnx.helper, onnx.TensorProto.FLOAT
    rows = {"age": np.float32([0, 0, 0, 0.5, 0.5, 0, 0, 0, 0]), "gender": np.float32([0.25, 0.75]), "race": RACES}
    nodes = [
        helper.make_node("ReduceMean", ["crops"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Mul", ["mean", "none"], ["zero"]),
        helper.make_node("Unsqueeze", ["zero", "last"], ["column"]),
        *(helper.make_node("Add", ["column", f"{head}_row"], [head]) for head in rows),
    ]
    constants = {"none": np.float32(0), "last": np.int64([1])} | {f"{head}_row": row for head, row in rows.items()}
    graph = helper.make_graph(
        nodes,
        "constant",
        [helper.make_tensor_value_info("crops", float32, ["n", 3, 96, 96])],
        [helper.make_tensor_value_info(head, float32, ["n", width]) for head, width in HEADS.items()],
        [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


@pytest.fixture(scope="module")
def with_network(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A store that has such a network as facecli-traits."""
    onnx = pytest.importorskip("onnx", reason="making a model needs onnx")
    folder = tmp_path_factory.mktemp("traits")
    constant(onnx, folder / "facecli_traits.onnx")
    ModelStore(folder / "home").register("facecli-traits", [folder / "facecli_traits.onnx"], {})
    return {"FACECLI_HOME": str(folder / "home")}


def test_four_attributes_of_one_file(run_cli: Callable, examples: Path, with_network: dict[str, str]) -> None:
    names = "age,gender,race,race7"
    done = run_cli("analyze", examples / "hopper.jpg", "--attributes", names, "--json", env=with_network)
    assert done.returncode == 0, done.errors
    (face,) = done.json["images"][0]["faces"]
    assert face["age"] == {"value": 30.0, "spread": 5.77, "low": 22.0, "high": 38.0}
    assert face["gender"] == {"label": "man", "probabilities": {"woman": 0.25, "man": 0.75}}
    assert face["race"]["label"] is None  # asian, with 0.375, does not reach the floor
    assert face["race"]["probabilities"]["asian"] == 0.375
    assert list(face["race7"]["probabilities"]) == list(LABELS["race7"])
    plugins = done.json["attributes"]
    assert {name: own["models"][0]["id"] for name, own in plugins.items()} == dict.fromkeys(
        names.split(","), "facecli-traits"
    )


def test_a_table_and_a_csv_have_the_interval(run_cli: Callable, examples: Path, with_network: dict[str, str]) -> None:
    words = ("analyze", examples / "hopper.jpg", "--attributes", "age,gender", "--format")
    header, row = run_cli(*words, "csv", env=with_network).stdout.decode().splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    assert [cells[f"age{part}"] for part in ("", " spread", " low", " high")] == ["30.0", "5.77", "22.0", "38.0"]
    wide = with_network | {"COLUMNS": "200"}
    assert "30 (22 to 38)" in run_cli(*words, "table", env=wide).stdout.decode()


def test_race_is_not_answered_unless_it_is_named(
    run_cli: Callable, examples: Path, with_network: dict[str, str]
) -> None:
    face = run_cli("analyze", examples / "hopper.jpg", "--json", env=with_network).json["images"][0]["faces"][0]
    assert not {"race", "race7"} & face.keys()


def test_boxes_with_one_word_are_added_up() -> None:
    rows = sorted_into(LABELS["race"], RACES[None])
    assert dict(zip(LABELS["race"], rows[0].tolist(), strict=True)) == {
        "asian": 0.375,
        "indian": 0.25,
        "black": 0.0625,
        "white": 0.0625,
        "middle eastern": 0.125,
        "latino hispanic": 0.125,
    }
    assert len(AGES) == HEADS["age"]
