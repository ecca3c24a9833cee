from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from facecli.models import catalogue
from facecli.models.store import ModelStore

LABELS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]


@pytest.fixture(scope="module")
def with_model(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A store in which emotion/mini-xception is a tiny network made here: what is tested is the way to it."""
    onnx = pytest.importorskip("onnx")
    folder = tmp_path_factory.mktemp("emotion")
    spec = catalogue.load("emotion/mini-xception")
    helper = onnx.helper
    nodes = [
        helper.make_node("ReduceMean", ["crops"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["mean", "w"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("crops", 1, ["n", 1, 64, 64])],
        [helper.make_tensor_value_info("probabilities", 1, ["n", 7])],
        [helper.make_tensor("w", 1, [1, 7], [0.0, 1, 2, 9, 4, 5, 6])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path = folder / spec.files[0].name
    onnx.save(model, path)
    ModelStore(folder / "home").register(spec.id, [path], {})
    return {"FACECLI_HOME": str(folder / "home")}


def test_a_model_that_is_not_here_says_how_to_get_it(run_cli: Callable, examples: Path) -> None:
    done = run_cli("emotion", examples / "hopper.jpg", "--model", "mini-xception", "--json")
    assert done.returncode == 4
    assert len(done.errors) == 1
    assert "emotion/mini-xception" in done.errors[0]
    assert "facecli export mini-xception --weights" in done.errors[0]
    assert "facecli[export]" in done.errors[0]
    assert "https://github.com/oarriaga/face_classification" in done.errors[0]


def test_every_probability_and_the_likeliest(run_cli: Callable, examples: Path) -> None:
    answer = run_cli("emotion", examples / "hopper.jpg", "--json").json
    emotion = answer["images"][0]["faces"][0]["emotion"]
    assert list(emotion["probabilities"]) == LABELS
    assert sum(emotion["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert emotion["label"] == max(emotion["probabilities"], key=emotion["probabilities"].get)
    assert answer["attributes"]["emotion"]["plugin"] == "emotion/facecli-resnet"


def test_our_own_model_stays_the_default_beside_another(
    run_cli: Callable, examples: Path, with_model: dict[str, str]
) -> None:
    for command in ("emotion", "analyze"):
        answer = run_cli(command, examples / "hopper.jpg", "--json", env=with_model).json
        assert answer["attributes"]["emotion"]["plugin"] == "emotion/facecli-resnet"


def test_smiles_are_happy_without_network_or_setup(run_cli: Callable, examples: Path) -> None:
    for name in ("collins.jpg", "collins_variant.jpg"):
        faces = run_cli("emotion", examples / name, "--json", env={"FACECLI_OFFLINE": "1"}).json["images"][0]["faces"]
        assert faces[0]["emotion"]["label"] == "happy"


def test_below_the_floor_no_label_is_told(run_cli: Callable, tmp_path: Path) -> None:
    """Random squares look like nothing in particular: some answers are below the floor, some are not."""
    for seed in range(40):
        squares = np.random.default_rng(seed).integers(0, 256, (4, 4)).astype(np.uint8)
        cv2.imwrite(str(tmp_path / f"{seed}.png"), np.kron(squares, np.ones((12, 12), np.uint8)))
    done = run_cli("emotion", tmp_path, "--no-detect", "--json")
    answers = [image["faces"][0]["emotion"] for image in done.json["images"]]
    floor = catalogue.load("emotion/facecli-resnet").floor
    below = [max(answer["probabilities"].values()) < floor for answer in answers]
    assert [answer["label"] is None for answer in answers] == below
    assert set(below) == {True, False}
    assert all(list(answer["probabilities"]) == LABELS for answer in answers)


def test_analyze_gives_the_same_under_the_same_name(
    run_cli: Callable, examples: Path, with_model: dict[str, str]
) -> None:
    alone = run_cli("emotion", examples / "hopper.jpg", "--model", "mini-xception", "--json", env=with_model).json
    joined = run_cli("analyze", examples / "hopper.jpg", "-a", "emotion/mini-xception", "--json", env=with_model).json
    assert joined["schema"] == "facecli.analyze/2"
    assert joined["images"][0]["faces"][0]["emotion"] == alone["images"][0]["faces"][0]["emotion"]


def test_labels_restrict_what_is_shown(run_cli: Callable, examples: Path) -> None:
    done = run_cli("emotion", examples / "hopper.jpg", "--labels", "sad,happy", "--json").json
    assert set(done["images"][0]["faces"][0]["emotion"]["probabilities"]) == {"happy", "sad"}
    assert run_cli("emotion", examples / "hopper.jpg", "--labels", "hungry").returncode == 2


def test_csv_has_a_column_per_label_that_is_shown(run_cli: Callable, examples: Path) -> None:
    def rows(*options: str) -> list[dict[str, str]]:
        done = run_cli("emotion", "missing.jpg", examples / "hopper.jpg", "-f", "csv", *options)
        return list(csv.DictReader(io.StringIO(done.stdout.decode())))

    failed, row = rows()
    assert list(row)[-8:] == ["emotion", *LABELS]
    assert (failed["error"], failed["emotion"]) == ("input", "")
    assert float(row["happy"]) >= 0
    assert list(rows("--labels", "sad,happy")[1])[-3:] == ["emotion", "happy", "sad"]


def test_no_detect_is_flagged(run_cli: Callable, examples: Path) -> None:
    image = run_cli("emotion", examples / "hopper.jpg", "--no-detect", "--json").json["images"][0]
    assert image["detected"] is False
    assert image["faces"][0]["bbox"] is None
    assert list(image["faces"][0]["emotion"]["probabilities"]) == list(LABELS)


def test_annotate_draws_bars(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    run_cli("emotion", examples / "hopper.jpg", "--annotate", out)
    changed = (cv2.imread(str(out)) != cv2.imread(str(examples / "hopper.jpg"))).any(-1)
    assert changed.mean() > 0.03


def test_haar_is_enough_for_a_bbox_crop(run_cli: Callable, examples: Path) -> None:
    done = run_cli("emotion", examples / "hopper.jpg", "--detector", "haar", "--json")
    assert done.returncode == 0
    assert done.json["images"][0]["faces"][0]["landmarks"] is None


def test_an_unknown_attribute_or_model(run_cli: Callable, examples: Path) -> None:
    done = run_cli("analyze", examples / "hopper.jpg", "-a", "mood")
    assert done.returncode == 2
    assert "emotion" in done.errors[0]
    assert run_cli("emotion", examples / "hopper.jpg", "--model", "nothing").returncode == 2


@pytest.mark.usefixtures("torch")
def test_the_real_model_on_real_faces(run_cli: Callable, examples: Path, shared: Path, tmp_path: Path) -> None:
    env = {"FACECLI_HOME": str(tmp_path)}
    exported = run_cli(
        "export", "mini-xception", "--weights", shared / "models" / "fer2013_mini_xception.hdf5", env=env
    )
    assert exported.returncode == 0, exported.errors
    done = run_cli("emotion", examples / "collins.jpg", "--model", "mini-xception", "--json", env=env)
    faces = done.json["images"][0]["faces"]
    assert faces[0]["emotion"]["label"] == "happy"  # she smiles


def test_it_follows_whom_it_is_told_to(run_cli: Callable, examples: Path) -> None:
    told = {}
    for follow in ("both", "fer2013", "ferplus"):
        done = run_cli("emotion", examples / "hopper.jpg", "-p", f"emotion/facecli-resnet.follow={follow}", "--json")
        assert done.json["attributes"]["emotion"]["parameters"] == {"follow": follow}
        told[follow] = done.json["images"][0]["faces"][0]["emotion"]["probabilities"]
        assert sum(told[follow].values()) == pytest.approx(1, abs=1e-3)
    assert told["both"] != told["fer2013"] != told["ferplus"]
    done = run_cli("emotion", examples / "hopper.jpg", "-p", "emotion/facecli-resnet.follow=nobody")
    assert (done.returncode, done.errors) == (
        2,
        ["facecli: error: emotion/facecli-resnet can not follow 'nobody'; it follows both, fer2013, ferplus"],
    )
