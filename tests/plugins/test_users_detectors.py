"""A detector that a user has added with `facecli models add --kind detector`, through the real command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from facecli.plugins.detectors import retinaface, scrfd

MINE = ("--name", "my-scrfd", "--kind", "detector", "--family", "scrfd")


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment with a model store of its own."""
    return {"FACECLI_HOME": str(tmp_path / "home")}


@pytest.fixture
def file(toy_detector: Callable, tmp_path: Path) -> Callable[..., Path]:
    """The file of a toy network: a bright cell of 16 px is a face."""

    def make(family: Any = scrfd.FAMILY, **how: Any) -> Path:
        toy_detector(family, **how)
        return next(tmp_path.glob(f"{family.name}-*.onnx"))

    return make


def test_a_file_of_a_known_layout_is_a_detector_by_name(
    run_cli: Callable, home: dict[str, str], file: Callable, tmp_path: Path
) -> None:
    done = run_cli("models", "add", file(batch="n", fixed=None), *MINE, "--licence", "MIT", "--json", env=home)
    assert done.returncode == 0, done.stderr
    assert (done.json["kind"], done.json["use"]) == ("detector", "--detector my-scrfd")
    pixels = np.zeros((128, 160, 3), np.uint8)
    pixels[48:64, 32:48] = 255
    cv2.imwrite(str(tmp_path / "cell.png"), pixels)
    words = ("--detector", "my-scrfd", "-p", "my-scrfd.size=160", "-p", "my-scrfd.multi_scale=never")
    found = run_cli("detect", tmp_path / "cell.png", *words, "--json", env=home)
    assert found.returncode == 0, found.stderr
    (face,) = found.json["images"][0]["faces"]
    assert face["bbox"] == pytest.approx([16, 32, 64, 80], abs=0.1)
    assert len(face["landmarks"]) == 5
    assert found.json["detector"]["models"][0]["licence"] == "MIT"
    assert found.json["detector"]["models"][0]["files"][0]["sha256"] == done.json["sha256"]
    told = run_cli("models", "info", "my-scrfd", "--json", env=home).json["model"]
    assert (told["kind"], told["family"]) == ("detector", "scrfd")
    assert told["preprocessing"]["std"] == [128.0]  # as the family's own files have it
    listed = run_cli("plugins", "list", "--json", env=home).json["plugins"]
    assert [row["kind"] for row in listed if row["name"] == "my-scrfd"] == ["detectors"]
    assert run_cli("models", "rm", "my-scrfd", env=home).returncode == 0
    gone = run_cli("detect", tmp_path / "cell.png", "--detector", "my-scrfd", env=home)
    assert (gone.returncode, len(gone.errors)) == (2, 1)
    assert "there is no detector 'my-scrfd'" in gone.errors[0]


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("size=320", "alone, not of 320; leave my-scrfd.size out"),
        ("nms_threshold=2", "my-scrfd can not work with these parameters"),
        ("multi_scale=always", "my-scrfd.small_size 160 is not below the 160 px"),
    ],
)
def test_errors_name_it_as_its_user_does(
    run_cli: Callable, home: dict[str, str], file: Callable, examples: Path, parameter: str, message: str
) -> None:
    assert run_cli("models", "add", file(), *MINE, env=home).returncode == 0
    words = ("--detector", "my-scrfd", "-p", f"my-scrfd.{parameter}")
    done = run_cli("detect", examples / "collins.jpg", *words, env=home)
    assert (done.returncode, len(done.errors)) == (2, 1), done.stderr
    assert message in done.errors[0]


def test_options_say_how_pixels_are_prepared(run_cli: Callable, home: dict[str, str], file: Callable) -> None:
    words = ("--colour", "BGR", "--mean", "1,2,3", "--std", "4")
    done = run_cli("models", "add", file(), *MINE, *words, env=home)
    assert done.returncode == 0, done.stderr
    how = run_cli("models", "info", "my-scrfd", "--json", env=home).json["model"]["preprocessing"]
    assert (how["colour"], how["mean"], how["std"]) == ("BGR", [1, 2, 3], [4])


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("--name", "x", "--kind", "detector"), 2, "a detector needs its family; --family is one of retinaface, scrfd"),
        (("--name", "x", "--kind", "detector", "--family", "mtcnn"), 2, "there is no family mtcnn"),
        (("--name", "scrfd", *MINE[2:]), 2, "there is a plugin scrfd already"),
        (("--name", "scrfd/500m", *MINE[2:]), 4, "a detector's id has no /"),
        ((*MINE, "--family", "yunet"), 4, "has 9 outputs, yunet with landmarks 12"),
        ((*MINE, "--family", "retinaface"), 4, "has 9 outputs, retinaface with landmarks 3"),
        ((*MINE, "--crop", "arcface"), 4, "a detector has no crop"),
        ((*MINE, "--labels", "a,b", "--logits"), 4, "a detector has no crop, dim, attribute, labels"),
        ((*MINE, "--colour", "grey", "--mean", "0", "--std", "1"), 4, "a detector takes coloured pictures"),
        (
            ("--name", "x", "--kind", "recognizer", "--family", "scrfd"),
            2,
            "too little is known of x; add --crop, --dim",
        ),
    ],
)
def test_a_file_or_description_that_does_not_fit_is_refused(
    run_cli: Callable, home: dict[str, str], file: Callable, words: tuple[str, ...], status: int, message: str
) -> None:
    done = run_cli("models", "add", file(), *words, env=home)
    assert (done.returncode, len(done.errors)) == (status, 1), done.stderr
    assert message in done.errors[0]
    assert not list(Path(home["FACECLI_HOME"]).rglob("*.json"))


def test_outputs_of_another_network_with_as_many_are_refused(
    run_cli: Callable, home: dict[str, str], file: Callable
) -> None:
    words = ("--name", "x", "--kind", "detector", "--family", "yolov5-face")
    done = run_cli("models", "add", file(retinaface.FAMILY), *words, env=home)
    assert (done.returncode, len(done.errors)) == (4, 1), done.stderr
    assert "this file's output 0 is (1, 840, 4), of yolov5-face it would be (1, 3, 16, 20, 16)" in done.errors[0]


def test_the_name_of_a_model_does_not_decide_its_layout(run_cli: Callable, home: dict[str, str], shared: Path) -> None:
    """`s` of the catalogue's yolov5-face ends in rows, this file in maps."""
    file = shared / "models" / "yolov5n-0.5.onnx"
    words = ("models", "add", file, "--name", "s", "--kind", "detector", "--family")
    like = run_cli(*words, "yolov5-face/s", env=home)
    assert "this file has 3 outputs, yolov5-face with landmarks 1" in like.errors[0]
    assert run_cli(*words, "yolov5-face", env=home).returncode == 0


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("scrfd_2.5g_kps.onnx", "scrfd"),
        ("yunet_n_dynamic.onnx", "yunet"),
        ("yolov5n-0.5.onnx", "yolov5-face"),
        ("yolov8-lite-t.onnx", "yolov8-face"),
    ],
)
def test_published_files_find_the_portrait(
    run_cli: Callable, home: dict[str, str], shared: Path, examples: Path, name: str, family: str
) -> None:
    added = run_cli(
        "models", "add", shared / "models" / name, "--name", "mine", "--kind", "detector", "--family", family, env=home
    )
    assert added.returncode == 0, added.stderr
    done = run_cli("detect", examples / "collins.jpg", "--detector", "mine", "--json", env=home)
    assert [image["faces_found"] for image in done.json["images"]] == [1]
