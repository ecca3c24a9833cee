"""Values of the options that commands share, typed or from the environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from facecli.cli.main import run


@pytest.mark.parametrize(
    "option",
    [
        ("--threshold", "nan"),
        ("--threshold", "inf"),
        ("--fmr", "0"),
        ("--fmr", "1"),
        ("--timeout", "inf"),
        ("--timeout", "1e9"),
        ("--min-face-size", "nan"),
        ("--threads", "257"),
        ("--jobs", "100000"),
        ("--batch-size", "1025"),
        ("--face", "9" * 5000),
    ],
)
def test_numbers_without_sense_are_refused(run_cli: Any, examples: Path, option: tuple[str, str]) -> None:
    done = run_cli("verify", examples / "hopper.jpg", examples / "collins.jpg", *option, "--json")
    assert done.returncode == 2
    assert done.json["error"]["code"] == "usage"


def test_options_of_a_comparison_can_be_set_in_the_environment(run_cli: Any, examples: Path) -> None:
    env = {"FACECLI_METRIC": "angular", "FACECLI_MIN_FACE_SIZE": "30", "FACECLI_FLIP": "1", "FACECLI_FACE": "only"}
    env["FACECLI_DETECTOR"] = "mtcnn"
    done = run_cli("verify", examples / "hopper.jpg", examples / "collins.jpg", "--json", env=env)
    assert done.json["metric"] == "angular"
    assert done.json["detector"]["parameters"]["min_face_size"] == 30
    assert done.json["recognizer"]["parameters"]["flip"] is True


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MIN_SCORE", "2"),
        ("ROTATE", "often"),
        ("THREADS", "many"),
        ("FLIP", "perhaps"),
        ("FORMAT", "xml"),
        ("FACE", "best"),
    ],
)
def test_a_wrong_value_is_blamed_on_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str, value: str
) -> None:
    option = "--" + variable.lower().replace("_", "-")
    monkeypatch.setenv(f"FACECLI_{variable}", value)
    assert run(["verify", "a.jpg", "b.jpg"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"FACECLI_{variable}" in line
    assert option not in line
    if variable != "FLIP":  # which takes no value
        assert run(["verify", "a.jpg", "b.jpg", f"{option}={value}"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert f"FACECLI_{variable}" not in line
        assert option in line


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("embed a.jpg --no-detect --min-score 0.9", "--min-score is about looking for faces"),
        ("verify a.jpg b.jpg --no-detect --min-face-size 40", "--min-face-size is about looking for faces"),
        ("analyze a.jpg --no-detect --detector haar", "--detector is about looking for faces"),
        ("detect a.jpg --crops-for dlib-resnet", "add --crops DIR"),
        ("detect a.jpg --engine-cache cache", "--engine-cache is for devices that compile: tensorrt"),
        ("track a.mp4 --codec av1", "add --annotate"),
    ],
)
def test_what_would_have_no_effect_is_refused(capsys: pytest.CaptureFixture[str], line: str, told: str) -> None:
    if line.startswith("track"):
        pytest.importorskip("av", reason="a film needs PyAV, of the extra `video`")
    assert run(line.split()) == 2
    assert told in capsys.readouterr().err


def test_a_variable_is_for_other_command_lines_than_one_of_crops(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], examples: Path
) -> None:
    for name, value in (("MIN_SCORE", "0.99"), ("MIN_FACE_SIZE", "9999"), ("DETECTOR", "haar"), ("ROTATE", "auto")):
        monkeypatch.setenv(f"FACECLI_{name}", value)
    assert run(["embed", str(examples / "hopper.jpg"), "--no-detect", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["images"][0]["faces"]) == 1


@pytest.mark.parametrize(("option", "word"), [("--attributes", "attribute"), ("--labels", "label")])
@pytest.mark.parametrize("value", ["", ",", " , "])
def test_a_list_that_names_nothing_is_refused(run_cli: Any, examples: Path, option: str, word: str, value: str) -> None:
    done = run_cli("analyze", examples / "hopper.jpg", option, value, "--json")
    assert done.returncode == 2
    assert f"no {word} named" in done.json["error"]["message"]


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("detect collins.jpg hopper.jpg", 2),
        ("verify collins.jpg hopper.jpg", 1),
        ("verify collins.jpg hopper.jpg collins_variant.jpg", 2),
        ("models path sface", 1),
        ("emotion hopper.jpg", 1),
    ],
)
@pytest.mark.parametrize("form", ["json", "csv"])
def test_results_go_to_a_file_and_one_line_says_so(
    run_cli: Any, examples: Path, tmp_path: Path, line: str, count: int, form: str
) -> None:
    file = tmp_path / f"x.{form}"
    done = run_cli(*line.split(), "-o", file, cwd=examples)
    printed = run_cli(*line.split(), "--format", form, cwd=examples)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.errors == [f"facecli: wrote {count} record{'s' * (count > 1)} to {file}"]
    if form == "csv":
        assert file.read_bytes() == printed.stdout
    else:
        assert json.loads(file.read_text("utf-8")).keys() == printed.json.keys()
    assert run_cli(*line.split(), "-o", file, "--quiet", cwd=examples).errors == []


def test_a_file_of_results_appears_whole_or_not_at_all(run_cli: Any, examples: Path, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    assert run_cli("verify", "missing.jpg", "hopper.jpg", "-o", file, cwd=examples).returncode == 1
    assert list(tmp_path.iterdir()) == []
    one_failed = run_cli("detect", "missing.jpg", "hopper.jpg", "-o", file, cwd=examples)
    assert one_failed.returncode == 1
    assert [image["error"] is None for image in json.loads(file.read_text("utf-8"))["images"]] == [False, True]
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_of_results_that_can_not_be_is_refused_before_the_work(
    run_cli: Any, examples: Path, tmp_path: Path
) -> None:
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("file_a,file_b,same\ncollins.jpg,hopper.jpg,0\n")
    for arguments, words in (
        (("detect", "hopper.jpg", "-o", tmp_path / "x.png"), "use .json, .jsonl, .csv"),
        (("detect", "hopper.jpg", "-o", tmp_path / "x.csv", "--json"), "leave --format out"),
        (("evaluate", pairs, "--root", ".", "-o", pairs), "would overwrite the input"),
        (("detect", "hopper.jpg", "-o", tmp_path / "typo" / "x.csv"), "there is no folder"),
    ):
        done = run_cli(*arguments, cwd=examples)
        assert done.returncode in (1, 2)
        assert words in done.errors[0]
    assert pairs.read_text().startswith("file_a")


def test_embeddings_in_a_file_leave_stdout_quiet(run_cli: Any, examples: Path, tmp_path: Path) -> None:
    done = run_cli("embed", ".", "-o", tmp_path / "x.npz", cwd=examples)
    assert done.stdout == b""
    assert done.errors == [f"facecli: wrote 3 embeddings of 3 pictures to {tmp_path / 'x.npz'}"]
    rows = run_cli("embed", ".", "-o", tmp_path / "x.csv", cwd=examples)
    assert rows.errors == [f"facecli: wrote 3 records to {tmp_path / 'x.csv'}"]
    assert (tmp_path / "x.csv").read_text().splitlines()[0].endswith(",e126,e127")
