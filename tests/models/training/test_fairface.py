"""FairFace's zip becomes faces with three targets; what is another file is told as such."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from facecli.errors import InputError  # noqa: E402
from facecli.models.training import fairface, program, published  # noqa: E402

RECIPE = """
seed = 1
holdout = 0.2
heads = { age = 1.0, gender = 1.0, race = 1.0 }

[student]
network = "residual"
side = 16
options = { inputs = 3, stem = 8, stages = [[8, 1]] }
schedule = { epochs = 2, batch = 32, rate = 0.1, bf16 = false, ema = 0.5 }
augmentation = { flip = true }
"""
HEAD = "file,split,age,gender,race,service_test"


def png(picture: np.ndarray) -> bytes:
    return cv2.imencode(".png", picture[:, :, ::-1])[1].tobytes()


@pytest.fixture
def write(tmp_path: Path):
    """Write a zip of rows (split, age, gender, race) and their pictures; women are red here, men blue."""

    def written(rows: list[tuple[str, str, str, str]], head: str = HEAD, side: int = fairface.SIDE) -> Path:
        labels = io.StringIO()
        rng = np.random.default_rng(0)
        with zipfile.ZipFile(tmp_path / "faces.zip", "w") as archive:
            print(head, file=labels)
            for number, row in enumerate(rows):
                picture = rng.integers(0, 60, (side, side, 3), dtype=np.uint8)
                picture[:, :, 0 if row[2] == "Female" else 2] += 150
                archive.writestr(f"{row[0]}/{number}.png", png(picture))
                print(f"{row[0]}/{number}.png", *row, "True", sep=",", file=labels)
            archive.writestr("labels.csv", labels.getvalue())
        return tmp_path / "faces.zip"

    return written


def test_a_split_is_read_with_one_target_for_each_head(write) -> None:
    path = write(
        [
            ("train", "0-2", "Female", "Indian"),
            ("val", "3-9", "Male", "White"),
            ("train", "more than 70", "Male", "East Asian"),
        ]
    )
    pixels, targets = fairface.faces(path, "train")
    assert (pixels.shape, pixels.dtype) == ((2, 112, 112, 3), np.uint8)
    assert [picture.mean((0, 1)).argmax() for picture in pixels] == [0, 2]  # RGB
    assert {head: list(target.argmax(1)) for head, target in targets.items()} == {
        "age": [0, 8],
        "gender": [0, 1],
        "race": [6, 0],
    }
    assert all((target.sum(1) == 1).all() and target.dtype == np.float32 for target in targets.values())
    assert len(fairface.faces(path, "val")[0]) == 1


def test_it_learns_and_never_sees_the_faces_that_judge_it(write, tmp_path: Path) -> None:
    people = [("train", "20-29", gender, race) for gender in fairface.GENDERS for race in fairface.RACES]
    path = write([*people * 8, ("val", "of no bin", "Female", "White")])  # which would be refused if it were read
    recipe = tmp_path / "small.toml"
    recipe.write_text(RECIPE, "utf-8")
    given = ["--data", path, "--out", tmp_path / "out", "--config", recipe, "--threads", 1]
    assert program.main(fairface.TASK, list(map(str, given))) == 0
    network = published.read(tmp_path / "out" / "fairface.pt")
    assert dict(network.answer.heads) == {"age": 9, "gender": 2, "race": 7}
    facts = json.loads((tmp_path / "out" / "calibration.json").read_text("utf-8"))
    assert facts["accuracy_gender"] == 1
    assert 0 <= facts["accuracy_race"] < 0.5  # nothing tells it


@pytest.mark.parametrize(
    ("rows", "more", "told"),
    [
        ([("train", "twenty", "Male", "White")], {}, "no faces to learn from"),
        ([("train", "20-29", "Male", "White")], {"head": "file,split,age,sex,race,service_test"}, "gender"),
        ([("train", "20-29", "Male", "White")], {"side": 64}, "is no picture of 112x112 px"),
        ([("val", "20-29", "Male", "White")], {}, "no faces to learn from"),
    ],
)
def test_another_file_is_told(write, rows, more: dict, told: str) -> None:
    with pytest.raises(InputError, match=told) as failure:
        fairface.faces(write(rows, **more), "train")
    assert "labels.csv" in (failure.value.hint or "")


def test_no_zip_and_no_file_are_told(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"no zip")
    for name, told in (("x.zip", "no faces to learn from"), ("missing.zip", "can not be read")):
        with pytest.raises(InputError, match=told):
            fairface.faces(tmp_path / name, "train")
