"""Which plugins work together, with which parameters, and what is told when one of them fails."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from facecli.cli.wording import option
from facecli.contract import AttributePlugin, CropSpec, DetectorPlugin, OperatingPoint, RecognizerPlugin
from facecli.errors import ModelError, PluginError, UsageError
from facecli.hosting.choice import Choice
from facecli.hosting.entry_points import PluginEntry
from facecli.hosting.loader import Loader
from facecli.hosting.toolbox import Toolbox
from facecli.models.store import ModelStore

SPEC = CropSpec(8, 8)
TAKES = {"flag": False, "number": 1, "pair": (0.5, 0.5), "text": "x", "anything": None}


class Known:
    """A registry of what it is given."""

    def __init__(self, *plugins: Any) -> None:
        self.plugins = plugins

    def load(self, _kind: str, name: str, descriptor: type) -> Any:
        return next(p for p in self.plugins if p.name == name and isinstance(p, descriptor))

    def entry(self, kind: Any, name: str) -> PluginEntry:
        return PluginEntry(kind, name, "m", "acme", "1.0")


def load(_runtime: Any, parameters: Mapping[str, Any]) -> Any:
    return dict(parameters)


def detector(name: str = "see", load: Any = load, **parameters: Any) -> DetectorPlugin:
    return DetectorPlugin(name, "", load, landmarks=True, parameters=parameters or TAKES)


def recognizer(name: str = "know", **parameters: Any) -> RecognizerPlugin:
    return RecognizerPlugin(name, "", load, SPEC, 2, False, OperatingPoint("cosine", 1, ""), parameters=parameters)


def toolbox(choice: Choice, *plugins: Any) -> Toolbox:
    known: Any = Known(*plugins)
    return Toolbox(choice, Loader(known, ModelStore(), device="cpu", threads=1))


def given(name: str = "see", **values: Any) -> Toolbox:
    return toolbox(Choice("see", parameters={name: values}), detector())


def test_a_parameter_of_a_plugin_that_is_not_in_use_is_refused() -> None:
    with pytest.raises(UsageError, match=r"sea is given a parameter and is not in use; in use: see"):
        given("sea", number=2)


def test_an_unknown_parameter_is_refused_before_any_thread_starts() -> None:
    before = threading.active_count()
    with pytest.raises(UsageError, match=r"see has no parameter colour; it has flag, number"):
        given(colour=1)
    assert threading.active_count() == before


@pytest.mark.parametrize(
    "value",
    [
        {"flag": "no"},
        {"flag": 1},
        {"number": True},
        {"number": "2"},
        {"number": float("nan")},
        {"number": float("inf")},
        {"number": 10**400},
        {"number": None},
        {"pair": [1]},
        {"pair": [1, "2"]},
        {"pair": 1},
        {"text": 1},
    ],
)
def test_a_value_of_another_type_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"see\.\w+ must be"):
        given(**value)


def test_what_is_given_and_the_defaults_reach_the_plugin_and_the_output() -> None:
    tools = given(flag=True, number=2.5, pair=[1, 2], text="y", anything={"a": 1})
    expected = {"flag": True, "number": 2.5, "pair": [1, 2], "text": "y", "anything": {"a": 1}}
    assert tools.detector == expected  # type: ignore[comparison-overlap]
    assert tools.detector_plugin is not None
    assert tools.parameters(tools.detector_plugin) == expected
    assert tools.describe(tools.detector_plugin) == {"plugin": "see", "parameters": expected, "models": []}


def test_any_default_can_be_described() -> None:
    plugin = detector(where=np.float32(1), much=float("inf"), both=(1, 2))
    tools = toolbox(Choice("see"), plugin)
    assert tools.describe(plugin)["parameters"] == {"where": "1.0", "much": "inf", "both": [1, 2]}


def test_a_detector_and_a_recognizer_of_one_name_are_two() -> None:
    choice = Choice("x", "x", parameters={"x": {"a": 2, "b": 3}})
    tools = toolbox(choice, detector("x", a=1), recognizer("x", b=1))
    assert (tools.detector, tools.recognizer) == ({"a": 2}, {"b": 3})  # type: ignore[comparison-overlap]


@pytest.mark.parametrize("error", [ValueError("boom\nand more"), SystemExit("boom")])
def test_a_load_that_fails_names_the_plugin_and_whose_it_is(error: BaseException) -> None:
    def fail(*_: Any) -> Any:
        raise error

    tools = toolbox(Choice("see"), detector(load=fail))
    with pytest.raises(PluginError) as caught:
        tools.wait()
    assert caught.value.message == f"detector 'see' of acme 1.0 can not be loaded: {type(error).__name__}: boom"
    assert caught.value.as_dict(option)["hint"] == "run it with --debug and report it to the authors of acme"
    assert caught.value.__cause__ is error


def test_an_error_of_ours_in_a_load_stays_what_it_is() -> None:
    def fail(*_: Any) -> Any:
        raise ModelError("not installed")

    with pytest.raises(ModelError):
        toolbox(Choice("see"), detector(load=fail)).wait()


@pytest.mark.parametrize(
    ("attribute", "labels"), [("score", ()), ("detected", ()), ("mood", ("x1", "y")), ("mood", ("mood", "y"))]
)
def test_an_attribute_or_label_that_hides_a_key_of_the_record_is_refused(
    attribute: str, labels: tuple[str, ...]
) -> None:
    plugin = AttributePlugin("mood/acme", "", attribute, load, SPEC, labels)
    with pytest.raises(PluginError, match="mood/acme can not be called"):
        toolbox(Choice(attributes=("mood/acme",)), plugin)


@pytest.mark.parametrize("setting", ["mtccn.factor=0.8", "haar.min_size=9", "mtcnn.factor=high", "mtcnn.factor=true"])
def test_a_wrong_parameter_ends_the_command_before_any_work(run_cli: Any, examples: Any, setting: str) -> None:
    done = run_cli("detect", examples / "hopper.jpg", "-p", setting, "--json")
    assert done.returncode == 2
    assert done.json["error"]["code"] == "usage"
    assert len(done.errors) == 1


def test_embeddings_tell_whether_they_were_flipped(run_cli: Any, examples: Any) -> None:
    done = run_cli("embed", examples / "hopper.jpg", "--flip", "--json")
    assert done.json["recognizer"]["parameters"] == {"flip": True}
