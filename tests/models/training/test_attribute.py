"""Any attribute needs a file of faces and a recipe: classes, and an age as the mean of years."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from facecli.models.training import attribute, program, published  # noqa: E402

RECIPE = """
seed = 1
holdout = 0.2
heads = { it = 1.0 }

[student]
network = "residual"
side = 24
options = { inputs = 3, stem = 8, stages = [[8, 1], [16, 1]] }
schedule = { epochs = 4, batch = 32, rate = 0.1, bf16 = false, ema = 0.8 }
augmentation = { flip = true, shift = 0.02 }
"""


def pictures(count=400):
    """RGB pictures (N, 24, 24, 3), a red bar whose height tells the class (N,)."""
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 4, count)
    pixels = rng.integers(0, 60, (count, 24, 24, 3), dtype=np.uint8)
    for picture, height in zip(pixels, classes, strict=True):
        picture[6 * height : 6 * height + 4, :, 0] += 150
    return pixels, classes


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(RECIPE, "utf-8")
    return path


def train(tmp_path, recipe, **arrays):
    np.savez(tmp_path / "faces.npz", **arrays)
    given = ["--data", tmp_path / "faces.npz", "--out", tmp_path / "out", "--config", recipe, "--threads", 1]
    return program.main(attribute.TASK, list(map(str, given)))


def test_classes(tmp_path, recipe):
    pixels, classes = pictures()
    assert train(tmp_path, recipe, pixels=pixels, label=classes, names=np.array(["a", "b", "c", "d"])) == 0
    network = published.read(tmp_path / "out" / "attribute.pt")
    assert network.answer.outputs == ("probabilities",)
    facts = json.loads((tmp_path / "out" / "calibration.json").read_text("utf-8"))
    assert facts["names"] == ["a", "b", "c", "d"]
    assert facts["accuracy"] > 0.9  # chance is 0.25


def test_grey_pictures_a_teacher_and_two_rounds(tmp_path, recipe, capsys, run_cli):
    pixels, classes = pictures(100)
    grey = RECIPE.replace("inputs = 3, ", "").replace("shift = 0.02", "shift = 0.02, views = 2")
    taught = "[distillation]\nweight = 0.5\n" + grey[grey.index("[student]") :].replace("[student]", "[teacher]")
    recipe.write_text(grey + taught, "utf-8")
    later = tmp_path / "later.toml"
    text = recipe.read_text("utf-8").replace("weight", 'earlier = ["student"]\nweight')
    later.write_text('after = "mine.toml"\n' + text, "utf-8")
    assert train(tmp_path, later, pixels=pixels[..., 0], label=classes, names=np.array(["a", "b", "c", "d"])) == 0
    told = capsys.readouterr().err
    for line in ("teacher: epoch 4 ", "teachers: view 2 of 2", "student: epoch 4 "):
        assert told.count(line) == 2
    weights = tmp_path / "out" / "attribute.pt"
    done = run_cli("export", "attribute", "--weights", weights, "--no-register", "-o", tmp_path / "made", "--json")
    assert done.returncode == 0, done.errors
    assert done.json["files"][0]["outputs"][0]["max_difference"] < 1e-5
    done = run_cli("export", "emotion", "--weights", weights, "-o", tmp_path / "made")
    assert done.returncode == 1
    assert "answers probabilities, the emotion model probabilities, fer2013, ferplus" in done.errors[0]


def test_an_age_is_the_mean_of_years_and_analyze_tells_it(tmp_path, recipe, run_cli, examples):
    pixels, classes = pictures()
    recipe.write_text('answer = "mean"\n' + RECIPE, "utf-8")
    targets = np.eye(4)[classes] * 9 + 1  # rows need not sum to 1
    assert train(tmp_path, recipe, pixels=pixels, targets=targets, names=np.array(["10", "20", "40", "80"])) == 0
    facts = json.loads((tmp_path / "out" / "calibration.json").read_text("utf-8"))
    assert facts["mean_error"] < 8  # always telling the mean has 20
    weights, made, home = tmp_path / "out" / "attribute.pt", tmp_path / "made", tmp_path / "home"
    done = run_cli("export", "attribute", "--weights", weights, "--no-register", "-o", made, "--json")
    assert done.returncode == 0, done.errors
    cut = "--crop bbox --size 24x24 --square --colour RGB --mean 127.5 --std 127.5"
    told = (
        "--name age/mine --kind attribute --attribute age --licence MIT --commercial-use --source here --summary years"
    )
    done = run_cli(
        "models", "add", made / "attribute.onnx", *cut.split(), *told.split(), env={"FACECLI_HOME": str(home)}
    )
    assert done.returncode == 0, done.errors
    picture = examples / "hopper.jpg"
    done = run_cli("analyze", picture, "--attributes", "age/mine", "--json", env={"FACECLI_HOME": str(home)})
    assert done.returncode == 0, done.errors
    assert 10 <= done.json["images"][0]["faces"][0]["age"]["value"] <= 80


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": None}, "has no faces to learn from"),
        ({"label": None}, "it needs pixels, names, and label or targets"),
        ({"label": np.full(400, 9)}, "label must be integers from 0 to 3"),
        ({"targets": np.ones((400, 3))}, r"targets must be (400, 4), are (400, 3)"),
        ({"targets": np.zeros((400, 4))}, "every row of targets must have numbers from 0 up, and one above 0"),
        ({"targets": np.full((400, 4), "a")}, "has no faces to learn from"),
        ({"pixels": np.zeros((400, 24, 24), np.float32)}, "pixels must be (N, H, W) or (N, H, W, 3) uint8"),
        ({"pixels": np.zeros((400, 24, 24), np.uint8)}, "options do not fit a side of 24 or the pictures"),
    ],
)
def test_data_that_does_not_fit_is_one_line(tmp_path, recipe, capsys, change, message):
    pixels, classes = pictures()
    arrays = {"pixels": pixels, "label": classes, "names": np.array(["a", "b", "c", "d"])} | change
    assert train(tmp_path, recipe, **{name: value for name, value in arrays.items() if value is not None}) in (1, 2)
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_a_mean_needs_numbers_and_one_head(tmp_path, recipe, capsys):
    pixels, classes = pictures()
    names = np.array(["a", "b", "c", "d"])
    recipe.write_text('answer = "mean"\n' + RECIPE, "utf-8")
    assert train(tmp_path, recipe, pixels=pixels, label=classes, names=names) == 1
    assert "the mean of the classes needs numbers as their names" in capsys.readouterr().err
    assert train(tmp_path, recipe, pixels=pixels, label=classes, names=np.array(["1", "2", "3", "nan"])) == 1
    assert "names must be finite numbers, are 1, 2, 3, nan" in capsys.readouterr().err
    recipe.write_text(RECIPE.replace("it = 1.0", "it = 1.0, that = 1.0"), "utf-8")
    assert train(tmp_path, recipe, pixels=pixels, label=classes, names=names) == 2
    assert "one head is trained, of which share is 1; here are 2, 1.0" in capsys.readouterr().err
    recipe.write_text("from_votes = 0.5\n" + RECIPE, "utf-8")
    assert train(tmp_path, recipe, pixels=pixels, label=classes, names=names) == 2
    assert "only the emotions have votes; take out from_votes" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY"])
def test_another_file_is_one_line(tmp_path, recipe, capsys, content):
    (tmp_path / "x.npz").write_bytes(content)
    given = ["--data", tmp_path / "x.npz", "--out", tmp_path / "out", "--config", recipe]
    assert program.main(attribute.TASK, list(map(str, given))) == 1
    assert "x.npz has no faces to learn from" in capsys.readouterr().err.splitlines()[-1]


def test_one_array_is_no_data(tmp_path, recipe, capsys):
    np.save(tmp_path / "x.npy", np.zeros(3))
    given = ["--data", tmp_path / "x.npy", "--out", tmp_path / "out", "--config", recipe]
    assert program.main(attribute.TASK, list(map(str, given))) == 1
    assert "x.npy has no faces to learn from" in capsys.readouterr().err.splitlines()[-1]
