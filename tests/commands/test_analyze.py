from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from facecli.models import catalogue
from facecli.models.store import ModelStore


def tiny(onnx: Any, path: Path, channels: int, weights: np.ndarray, bias: np.ndarray, *, softmax: bool) -> None:
    """A network that sees the mean of each channel: rows of mean @ weights + bias, softmax or not."""
    helper, float32 = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [
        helper.make_node("ReduceMean", ["crops"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("Gemm", ["mean", "weights", "bias"], ["logits" if softmax else "rows"]),
    ]
    nodes += [helper.make_node("Softmax", ["logits"], ["rows"], axis=1)] if softmax else []
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("crops", float32, ["n", channels, "h", "w"])],
        [helper.make_tensor_value_info("rows", float32, ["n", len(bias)])],
        [onnx.numpy_helper.from_array(np.float32(v), n) for n, v in (("weights", weights), ("bias", bias))],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


@pytest.fixture(scope="module")
def with_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A store with an emotion, a gender and an anti-spoofing model made here: a face is real where it is dark."""
    onnx = pytest.importorskip("onnx", reason="making a model needs onnx")
    folder = tmp_path_factory.mktemp("analyze")
    store = ModelStore(folder / "home")
    nets = {
        "emotion/deepface": (1, np.zeros((1, 7)), np.arange(7.0), True),
        "gender/mini-xception": (1, np.zeros((1, 2)), np.array([1.0, 0.0]), True),
        "minifasnet-v2": (3, np.repeat([[0, -0.2, 0]], 3, 0), np.array([0, 99.0, 0]), False),
        "minifasnet-v1se": (3, np.zeros((3, 3)), np.array([0, 0.7, 0]), False),
    }
    for model_id, (channels, weights, bias, softmax) in nets.items():
        spec = catalogue.load(model_id)
        path = folder / spec.files[0].name
        tiny(onnx, path, channels, weights, bias, softmax=softmax)
        store.register(model_id, [path], {})
    return {"FACECLI_HOME": str(folder / "home")}


@pytest.fixture(scope="module")
def light(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portrait that the model made here takes for a fake."""
    path = tmp_path_factory.mktemp("light") / "light.png"
    picture = cv2.imread(str(examples / "collins.jpg"))
    cv2.imwrite(str(path), (255 - (255 - picture.astype(int)) // 3).astype(np.uint8))
    return path


def test_all_in_one_record(run_cli: Callable, examples: Path, with_models: dict[str, str]) -> None:
    others = "gender/mini-xception,spoof,pose,quality"
    answer = run_cli(
        "analyze", examples / "hopper.jpg", "-a", f"emotion/deepface,{others}", "--json", env=with_models
    ).json
    assert {name: own["plugin"] for name, own in answer["attributes"].items()} == {
        "emotion": "emotion/deepface",
        "gender": "gender/mini-xception",
        "spoof": "spoof/minifasnet",
    }
    assert answer["measures"] == ["pose", "quality"]
    face = answer["images"][0]["faces"][0]
    assert list(face) == ["index", "bbox", "score", "landmarks", "emotion", "gender", "spoof", "pose", "quality"]
    assert face["emotion"]["label"] == "neutral" and list(face["emotion"]["probabilities"])[-1] == "neutral"
    assert face["gender"] == {"label": "woman", "probabilities": {"woman": 0.7311, "man": 0.2689}}
    assert sum(face["spoof"]["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert abs(face["pose"]["yaw"]) < 10 and abs(face["pose"]["roll"]) < 10
    assert face["quality"]["score"] > 0.9
    assert [model["id"] for model in answer["attributes"]["spoof"]["models"]] == ["minifasnet-v2", "minifasnet-v1se"]


def test_measures_need_no_model(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    env = {"FACECLI_HOME": str(tmp_path)}
    done = run_cli("analyze", examples / "hopper.jpg", "-a", "quality,pose,quality", "--json", env=env)
    assert (done.returncode, done.json["attributes"], done.json["measures"]) == (0, {}, ["quality", "pose"])
    assert list(done.json["images"][0]["faces"][0])[-2:] == ["quality", "pose"]


def test_csv_and_table_have_the_measures(run_cli: Callable, examples: Path) -> None:
    pictures = ["missing.jpg", examples / "hopper.jpg"]
    done = run_cli("analyze", *pictures, "-a", "pose,quality", "-f", "csv")
    failed, row = csv.DictReader(io.StringIO(done.stdout.decode()))
    parts = ["pose yaw", "pose pitch", "pose roll", "quality score", "quality size", "quality sharpness"]
    assert list(row)[-9:-3] == parts
    assert failed["error"] == "input" and failed["pose yaw"] == ""
    assert float(row["quality sharpness"]) > 100
    table = run_cli("analyze", examples / "hopper.jpg", "-a", "pose", "-f", "table", env={"COLUMNS": "200"})
    assert b"yaw" in table.stdout and b"roll" in table.stdout


def test_embed_adds_the_embedding_of_each_face(run_cli: Callable, examples: Path) -> None:
    words = ("analyze", examples / "hopper.jpg", "-a", "emotion,pose", "--embed")
    answer = run_cli(*words, "--json").json
    embedded = run_cli("embed", examples / "hopper.jpg", "--json").json
    assert list(answer) == ["schema", "version", "detector", "recognizer", "attributes", "measures", "images", "error"]
    assert answer["recognizer"] == embedded["recognizer"]
    assert (answer["recognizer"]["dim"], answer["recognizer"]["normalized"]) == (128, False)
    (face,) = answer["images"][0]["faces"]
    assert list(face) == ["index", "bbox", "score", "landmarks", "emotion", "pose", "embedding"]
    assert face["embedding"] == embedded["images"][0]["faces"][0]["embedding"]
    plain = run_cli("analyze", examples / "hopper.jpg", "--json").json
    assert "recognizer" not in plain and "embedding" not in plain["images"][0]["faces"][0]
    flipped = run_cli(*words, "--flip", "--json").json
    assert flipped["recognizer"]["parameters"]["flip"] is True
    assert flipped["images"][0]["faces"][0]["embedding"] != face["embedding"]


def test_embeddings_in_csv_and_table(run_cli: Callable, examples: Path) -> None:
    words = ("analyze", "missing.jpg", examples / "hopper.jpg", "-a", "emotion,pose", "--embed", "-f")
    failed, row = csv.DictReader(io.StringIO(run_cli(*words, "csv").stdout.decode()))
    names = list(row)
    at = names.index("model")
    assert names[at : at + 4] == ["model", "sha256", "preprocessing_version", "e0"]
    assert names[at + 130 : at + 132] == ["e127", "emotion"]
    assert (row["model"], row["emotion"], failed["e0"], failed["model"]) == (
        "sface",
        "neutral",
        "",
        "sface",
    )
    assert all(np.isfinite(float(row[f"e{number}"])) for number in range(128))
    table = run_cli(*words, "table", env={"COLUMNS": "300"}).stdout.decode()
    assert "128 values" in table and "neutral" in table and "yaw" in table


def test_without_landmarks_there_is_no_pose_but_quality(run_cli: Callable, examples: Path) -> None:
    refused = run_cli("analyze", examples / "hopper.jpg", "-a", "pose", "--detector", "haar")
    assert refused.returncode != 0
    assert "pose is measured by landmarks, which haar does not give" in refused.errors[0]
    crop = run_cli("analyze", examples / "hopper.jpg", "-a", "pose", "--no-detect")
    assert (crop.returncode, len(crop.errors)) == (2, 1)
    done = run_cli("analyze", examples / "hopper.jpg", "-a", "quality", "--detector", "haar", "--json")
    assert done.json["images"][0]["faces"][0]["quality"]["frontality"] is None
    whole = run_cli("analyze", examples / "hopper.jpg", "-a", "quality", "--no-detect", "--json")
    assert whole.json["images"][0]["faces"][0]["quality"]["size"] is None


def test_an_unknown_name_is_told_with_those_that_there_are(run_cli: Callable, examples: Path) -> None:
    done = run_cli("analyze", examples / "hopper.jpg", "-a", "mood")
    assert done.returncode == 2
    assert "age, emotion, gender, pose, quality, race, race7, spoof" in done.errors[0]


def test_a_model_that_is_not_installed_says_how_to_get_it(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    env = {"FACECLI_HOME": str(tmp_path)}
    for name, hint in {
        "spoof": "facecli models pull minifasnet-v2 minifasnet-v1se",
        "race/deepface": "facecli export deepface-race",
    }.items():
        done = run_cli("analyze", examples / "hopper.jpg", "-a", name, env=env)
        assert done.returncode == 4
        assert hint in done.errors[0]


def test_a_preset_brings_its_detector_and_its_models(
    run_cli: Callable, examples: Path, with_models: dict[str, str]
) -> None:
    for words in (("analyze", "-a", "emotion"), ("emotion",)):
        answer = run_cli(*words, examples / "hopper.jpg", "--preset", "deepface", "--json", env=with_models).json
        assert (answer["preset"], answer["detector"]["plugin"]) == ("deepface", "haar")
        assert answer["attributes"]["emotion"]["plugin"] == "emotion/deepface"
    # What is typed wins, and what a project does not have is as without it.
    words = ("analyze", examples / "hopper.jpg", "-a", "emotion/facecli-resnet", "--detector", "mtcnn", "--json")
    answer = run_cli(*words, "--preset", "deepface", env=with_models).json
    assert answer["detector"]["plugin"] == "mtcnn"
    assert answer["attributes"]["emotion"]["plugin"] == "emotion/facecli-resnet"
    every = run_cli("analyze", examples / "hopper.jpg", "--preset", "deepface", env=with_models)
    assert (every.returncode, len(every.errors)) == (4, 1)
    assert "deepface-age" in every.errors[0]  # which the store does not have, nor is another taken
    insightface = run_cli("analyze", examples / "hopper.jpg", "--preset", "insightface", env=with_models)
    assert (insightface.returncode, len(insightface.errors)) == (4, 1)


def test_verify_tells_the_score_of_each_face(run_cli: Callable, examples: Path, with_models: dict[str, str]) -> None:
    pair = [examples / "collins.jpg", examples / "collins_variant.jpg"]
    plain = run_cli("verify", *pair, "--json", env=with_models).json
    assert plain["verified"] and "anti_spoof" not in plain and "spoof" not in plain["images"][0]["face"]
    done = run_cli("verify", *pair, "--anti-spoof", "--exit-code", "--json", env=with_models)
    assert done.returncode == 0
    assert done.json["verified"] is True
    assert done.json["anti_spoof"]["passed"] is True
    assert done.json["anti_spoof"]["plugin"] == "spoof/minifasnet"
    assert done.json["distance"] == plain["distance"]
    assert all(image["face"]["spoof"]["label"] == "real" for image in done.json["images"])


def test_a_fake_is_not_verified_and_the_distance_is_told_all_the_same(
    run_cli: Callable, examples: Path, with_models: dict[str, str], light: Path
) -> None:
    pair = [examples / "collins.jpg", light]
    plain = run_cli("verify", *pair, "--json", env=with_models).json
    assert plain["verified"] is True
    done = run_cli("verify", *pair, "--anti-spoof", "--exit-code", "--json", env=with_models)
    assert done.returncode == 3
    assert done.json["verified"] is False
    assert done.json["distance"] == plain["distance"] <= done.json["threshold"]
    assert done.json["anti_spoof"]["passed"] is False
    assert [image["face"]["spoof"]["label"] for image in done.json["images"]] == ["real", "fake"]
    assert run_cli("verify", *pair, "--anti-spoof", env=with_models).returncode == 0
    table = run_cli("verify", *pair, "--anti-spoof", "--format", "csv", env=with_models).stdout.decode()
    (row,) = csv.DictReader(io.StringIO(table))  # why it is a no shows there too
    assert row["verified"] == "False"
    assert float(row["real_a"]) > 0.5 > float(row["real_b"])


def test_anti_spoof_without_a_picture_around_the_face_or_a_model(
    run_cli: Callable, examples: Path, with_models: dict[str, str], tmp_path: Path
) -> None:
    pair = [examples / "collins.jpg", examples / "collins_variant.jpg"]
    crops = run_cli("verify", *pair, "--anti-spoof", "--no-detect", env=with_models)
    assert (crops.returncode, len(crops.errors)) == (2, 1)
    absent = run_cli("verify", *pair, "--anti-spoof", env={"FACECLI_HOME": str(tmp_path)})
    assert absent.returncode == 4
    assert "facecli models pull minifasnet-v2" in absent.errors[0]
