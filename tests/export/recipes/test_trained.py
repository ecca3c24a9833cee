"""From a training's result to an ONNX file that is small and agrees."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from facecli.models import catalogue

MOST_BYTES = 2_500_000


@pytest.mark.usefixtures("torch")
def test_without_weights_it_says_where_they_come_from(run_cli: Callable, tmp_path: Path) -> None:
    done = run_cli("export", "emotion", "-o", tmp_path)
    assert done.returncode == 1
    assert len(done.errors) == 1
    assert "python -m facecli.models.training.emotion --data" in done.errors[0]


@pytest.mark.usefixtures("torch")
def test_the_way_to_weights_of_an_attribute_is_told_whole(run_cli: Callable, tmp_path: Path) -> None:
    done = run_cli("export", "attribute", "-o", tmp_path, "--no-register")
    assert done.returncode == 1
    assert "facecli.models.training.attribute --data FACES.npz --out FOLDER --config TOML" in done.errors[0]


@pytest.mark.usefixtures("torch")
def test_a_file_that_is_no_network_is_refused(run_cli: Callable, tmp_path: Path) -> None:
    (tmp_path / "emotion.pt").write_bytes(b"no network")
    done = run_cli("export", "emotion", "--weights", tmp_path / "emotion.pt", "-o", tmp_path / "out")
    assert done.returncode == 1
    assert "emotion.pt is no trained network of facecli" in done.errors[0]
    assert list((tmp_path / "out").iterdir() if (tmp_path / "out").exists() else []) == []


def test_a_trained_network_is_exported_and_answers(torch, run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    from facecli.models.training import published
    from facecli.models.training.config import Schedule, Stage
    from facecli.models.training.networks import ResidualNetwork

    torch.manual_seed(0)
    options = {"stem": 32, "stages": [[64, 1]]}  # kernels that are large enough not to be unpacked
    network = ResidualNetwork(14, **options)
    network(torch.rand(8, 1, 48, 48))
    answer = published.Answer(heads={"fer2013": 7, "ferplus": 7}, share=0.5, temperature=1.3)
    stage = Stage(network="residual", side=48, schedule=Schedule(epochs=1, batch=8, rate=0.1), options=options)
    published.write(tmp_path / "emotion.pt", network.eval(), stage, answer)
    done = run_cli("export", "emotion", "--weights", tmp_path / "emotion.pt", "-o", tmp_path / "out", "--json")
    assert done.returncode == 0, done.errors
    (file,) = done.json["files"]
    assert file["outputs"][0]["max_difference"] <= file["tolerance"] == 1e-5
    import onnx

    kinds = {entry.data_type for entry in onnx.load(file["path"]).graph.initializer}
    assert onnx.TensorProto.INT8 in kinds  # what makes the file small


def test_the_shipped_file_is_small_and_says_what_it_is_from() -> None:
    onnx = pytest.importorskip("onnx")
    spec = catalogue.load("emotion/facecli-resnet")
    (file,) = spec.files
    assert file.path is not None
    assert file.path.stat().st_size <= MOST_BYTES
    facts = {entry.key: entry.value for entry in onnx.load(file.path).metadata_props}
    assert facts["facecli.recipe"] == "emotion"
    assert facts["facecli.model"] == spec.id
    assert "unclear" in (spec.training_data or "")  # FER2013's terms are
