"""Values of the options that commands share, typed or from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


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


@pytest.mark.parametrize(("option", "word"), [("--attributes", "attribute"), ("--labels", "label")])
@pytest.mark.parametrize("value", ["", ",", " , "])
def test_a_list_that_names_nothing_is_refused(run_cli: Any, examples: Path, option: str, word: str, value: str) -> None:
    done = run_cli("analyze", examples / "hopper.jpg", option, value, "--json")
    assert done.returncode == 2
    assert f"no {word} named" in done.json["error"]["message"]
