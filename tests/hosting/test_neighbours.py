"""A wrong name is told which names are close, and which of these work at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from facecli.api.selection import Request
from facecli.errors import ModelError, PluginError
from facecli.hosting import attributes, neighbours
from facecli.hosting.registry import Registry
from facecli.models.store import ModelStore


def test_names_that_are_meant_begin_alike_or_are_spelled_alike() -> None:
    names = ["sface", "sface-float32", "yunet", "arcface-r50"]
    assert neighbours.close_to("arcface", names) == ["arcface-r50"]
    assert neighbours.close_to("yunett", names) == ["yunet"]
    assert neighbours.close_to("haar", names) == []


def test_close_names_come_with_what_it_takes_to_use_them() -> None:
    registry = Registry(third_party=False)
    with pytest.raises(PluginError) as failure:
        registry.entry("recognizers", "arcface")
    hint = failure.value.hint or ""
    assert hint.startswith("after `facecli models pull NAME`: arcface-")
    assert "arcface-w600k-r50" in hint and "sface" not in hint.replace("arcface", "")
    everything = neighbours.advice("recognizers", "nobody", registry)
    assert everything.startswith("here: ") and "sface" in everything.partition(";")[0]
    assert "w600k" not in everything.partition(";")[0]


def test_ways_to_get_models_are_one_pull_first() -> None:
    hints = ["see docs", "facecli models pull a", None, "facecli models pull b a"]
    assert neighbours.ways(hints) == "facecli models pull a b; see docs"
    assert neighbours.ways([None]) is None


def test_all_absent_models_are_told_at_once_the_pull_first(monkeypatch: pytest.MonkeyPatch) -> None:
    hints = {"race": "facecli export deepface-race", "gender": "facecli models pull genderage"}

    def absent(name: str, *_: object) -> str:
        raise ModelError(f"no {name} model is installed", hint=hints[name])

    monkeypatch.setattr(attributes, "resolve", absent)
    with pytest.raises(ModelError) as failure:
        Request.of(["race", "gender", "pose"], Registry(third_party=False), ModelStore())
    assert failure.value.message == "no model of race, gender is installed"
    assert failure.value.hint == "facecli models pull genderage; facecli export deepface-race"


def test_an_absent_model_is_told_with_the_way_to_it(run_cli: Callable, examples: Path) -> None:
    done = run_cli("--offline", "analyze", examples / "hopper.jpg", "-a", "spoof")
    assert done.returncode == 4
    (line,) = done.errors
    assert line.endswith("; facecli models pull minifasnet-v2 minifasnet-v1se")
