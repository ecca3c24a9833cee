"""The command trains from a file of faces to a file that the export takes."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from facecli.models.training import checkpoint, emotion, engine, fer2013, program, published  # noqa: E402


def train(data, config, out, *more):
    given = ["--data", str(data), "--out", str(out), "--config", str(config), "--threads", "1", *more]
    return program.main(emotion.TASK, given)


def test_from_faces_to_a_network(data, config, tmp_path, capsys):
    out = tmp_path / "out"
    assert train(data, config, out) == 0
    told = capsys.readouterr()
    assert told.out == f"wrote {out / 'emotion.pt'}\n"
    assert "student: epoch 2 " in told.err
    network = published.read(out / "emotion.pt")
    assert network.side == 48
    pixels = fer2013.read(data)["PublicTest"].pixels
    with torch.inference_mode():
        answers = [answer.numpy() for answer in network(engine.as_input(pixels))]
    assert network.answer.outputs == ("probabilities", "fer2013", "ferplus")
    assert len(answers) == 3
    for probabilities in answers:
        assert probabilities.shape == (40, 7)
        assert np.allclose(probabilities.sum(1), 1, atol=1e-6)
    facts = json.loads((out / "calibration.json").read_text("utf-8"))
    assert facts["temperature"] == network.answer.temperature
    assert [row["share"] for row in facts["shares"]] == pytest.approx(np.arange(21) / 20)
    before = (out / "emotion.pt").read_bytes()
    assert train(data, config, out) == 0  # all is there: nothing is trained again
    assert "epoch" not in capsys.readouterr().err
    assert torch.load(out / "emotion.pt", weights_only=True)["answer"]["temperature"] == network.answer.temperature
    assert len(before) == (out / "emotion.pt").stat().st_size


def test_a_teacher_is_trained_asked_and_not_asked_again(data, config_with_teacher, tmp_path, capsys):
    out = tmp_path / "out"
    assert train(data, config_with_teacher, out) == 0
    told = capsys.readouterr().err
    assert told.index("teacher: epoch 1 ") < told.index("teachers: view 2 of 2") < told.index("student: epoch 1 ")
    views = sorted((out / "views").iterdir())
    assert len(views) == 2
    answers = np.load(views[0], allow_pickle=False)
    assert answers.shape[1] == 14
    assert not np.array_equal(answers, np.load(views[1], allow_pickle=False))
    views[1].unlink()
    (out / "student" / "checkpoint.pt").unlink()
    assert train(data, config_with_teacher, out) == 0
    told = capsys.readouterr().err
    assert "teachers: view 2 of 2" in told
    assert "teachers: view 1 of 2" not in told
    assert "teacher: epoch" not in told  # its checkpoint is whole


def test_a_run_begins_with_the_networks_of_another(data, config_with_teacher, tmp_path, capsys):
    first, second = tmp_path / "first", tmp_path / "second"
    assert train(data, config_with_teacher, first) == 0
    frozen = re.sub(r" rate = [^,]+", " rate = 1e-8", config_with_teacher.read_text("utf-8"))
    config_with_teacher.write_text(frozen, "utf-8")
    assert train(data, config_with_teacher, second, "--from", str(first)) == 0
    for name in ("teacher", "student"):
        before, after = (checkpoint.start(out / name / "checkpoint.pt").state for out in (first, second))
        for weight in ("stem.0.weight", "head.weight"):
            assert torch.allclose(before[weight], after[weight], atol=1e-5)
    capsys.readouterr()
    assert train(data, config_with_teacher, second) == 2  # not what this folder's networks began with
    assert "was made with another configuration" in capsys.readouterr().err


@pytest.mark.parametrize("earlier", [["student"], ["teacher", "student"]])
def test_earlier_networks_teach_as_well(data, config_with_teacher, tmp_path, capsys, earlier):
    assert train(data, config_with_teacher, tmp_path / "first") == 0
    text = config_with_teacher.read_text("utf-8")
    config_with_teacher.write_text(text.replace("weight = 0.5", f"weight = 0.5\nearlier = {earlier}"), "utf-8")
    assert train(data, config_with_teacher, tmp_path / "out") == 2
    assert "distillation.earlier needs a run to begin with" in capsys.readouterr().err
    assert train(data, config_with_teacher, tmp_path / "out", "--from", str(tmp_path / "first")) == 0
    assert "teachers: view 2 of 2" in capsys.readouterr().err
    for answers in map(np.load, (tmp_path / "out" / "views").iterdir()):
        for head in np.split(np.exp(answers.astype(np.float32)), 2, axis=1):
            assert np.allclose(head.sum(1), 1, atol=0.01)  # logarithms of probabilities, in half precision


def test_what_a_recipe_comes_after_is_run_first(data, config, tmp_path, capsys):
    later = tmp_path / "later.toml"
    later.write_text('after = "tiny.toml"\n' + config.read_text("utf-8"), "utf-8")
    assert train(data, later, tmp_path / "out") == 0
    assert capsys.readouterr().err.count("student: epoch 2 ") == 2
    assert train(data, config, tmp_path / "alone") == 0
    begun = torch.load(tmp_path / "alone" / "emotion.pt", weights_only=True)["state"]
    before = torch.load(tmp_path / "out" / "before" / "emotion.pt", weights_only=True)["state"]
    assert all(torch.equal(value, before[name]) for name, value in begun.items())
    capsys.readouterr()
    begun = tmp_path / "begun"
    assert train(data, later, begun, "--from", str(tmp_path / "alone")) == 0
    assert train(data, later, begun) == 2  # nor is the first round trained again
    assert "begun did not begin with " in capsys.readouterr().err.splitlines()[-1]
    # It is the networks that count, not where they lie.
    assert train(data, later, tmp_path / "out", "--from", str(tmp_path / "alone")) == 0
    assert "epoch" not in capsys.readouterr().err


def test_a_start_that_does_not_fit_is_one_line(data, config, tmp_path, capsys):
    assert train(data, config, tmp_path / "out", "--from", str(tmp_path / "none")) == 1
    assert "is no checkpoint" in capsys.readouterr().err.splitlines()[-1]
    assert train(data, config, tmp_path / "first") == 0
    config.write_text(config.read_text("utf-8").replace("[16, 1]", "[24, 1]"), "utf-8")
    capsys.readouterr()
    assert train(data, config, tmp_path / "out", "--from", str(tmp_path / "first")) == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith("--from needs a run with the same options")


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ('network = "residual"', 'network = "transformer"', 2, "no network 'transformer'; there is residual"),
        ("stem = 8", "steam = 8", 2, "the options of network 'residual' do not fit"),
        ("seed = 1", "sead = 1", 2, "unknown key sead"),
        ("side = 48", "side = 42", 2, "the student's options do not fit a side of 42"),
        ("batch = 32", "batch = 320", 2, "a batch of 320 is more than the "),
        ("fer2013 = 0.5", "fear = 0.5", 2, "the data has the heads fer2013, ferplus; [heads] has fear, ferplus"),
        ("holdout = 0.2", "holdout = 0.001", 1, "not one of 198 pictures is held out"),
    ],
)
def test_errors_are_one_line(data, config, tmp_path, capsys, old, new, code, message):
    config.write_text(config.read_text("utf-8").replace(old, new), "utf-8")
    assert train(data, config, tmp_path / "out") == code
    told = capsys.readouterr()
    assert told.out == ""
    assert message in told.err.splitlines()[-1]


def test_nothing_is_written_of_what_was_not_trained(data, config, tmp_path, capsys):
    assert train(data, config, tmp_path / "out", "--as-it-is") == 1
    assert "has no checkpoint of the student; train it first" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert train(data, config, tmp_path / "out") == 0
    (tmp_path / "out" / "emotion.pt").unlink()
    assert train(data, config, tmp_path / "out", "--as-it-is") == 0
    assert (tmp_path / "out" / "emotion.pt").exists()


def test_other_data_of_the_same_size_is_other_data(data, config, tmp_path, capsys):
    assert train(data, config, tmp_path / "out") == 0
    with np.load(data) as file:
        arrays = dict(file)
    before = data.stat().st_size
    np.savez(data, **arrays | {"label": arrays["label"][::-1]})
    assert data.stat().st_size == before
    capsys.readouterr()
    assert train(data, config, tmp_path / "out") == 2
    assert "was made with another configuration or other data" in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_missing_device_is_told(data, config, tmp_path, capsys):
    assert train(data, config, tmp_path / "out", "--device", "cuda") == 2
    assert "PyTorch finds no CUDA device here; --device cpu" in capsys.readouterr().err


def test_missing_data_is_an_input_error(config, tmp_path, capsys):
    assert train(tmp_path / "none.npz", config, tmp_path / "out") == 1
    assert "none.npz can not be read" in capsys.readouterr().err
