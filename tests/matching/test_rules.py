"""The threshold that counts: the one typed, the preset's, the user's own, the catalogue's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from facecli.contract import Cohort, OperatingPoint, RecognizerPlugin
from facecli.errors import UsageError
from facecli.hosting.choice import Choice
from facecli.hosting.loader import Loader
from facecli.hosting.registry import Registry
from facecli.hosting.toolbox import Toolbox
from facecli.matching.operating_points import OperatingPointStore, UserOperatingPoint
from facecli.matching.rules import DecisionRequest, rule_for, rules_for
from facecli.models.store import ModelStore


def toolbox(home: Path, **choice: Any) -> Toolbox:
    wanted = Choice(**{"detector": "mtcnn", "recognizer": "dlib-resnet"} | choice)
    return Toolbox(wanted, Loader(Registry(third_party=False), ModelStore(home), device="cpu", threads=1))


@pytest.fixture
def tools(tmp_path: Path) -> Toolbox:
    """With two points of the user's: `first` at FMR 0.05, and `second`, newer, at 0.1."""
    made = toolbox(tmp_path)
    assert made.recognizer_plugin is not None
    for number, (name, fmr) in enumerate((("first", 0.05), ("second", 0.1))):
        measured = {"cosine": 0.05 + number / 100, "angular": 0.1, "euclidean_l2": 0.3}
        threshold = 0.4 + number / 10
        point = OperatingPoint("euclidean", threshold, name, "mine", fmr, 0.0, measured, ((fmr, threshold),))
        created = f"2026-0{number + 1}-01T00:00:00+00:00"
        OperatingPointStore(tmp_path).save(
            UserOperatingPoint(name, made.identity(made.recognizer_plugin), point, created, {"note": None})
        )
    return made


def source(tools: Toolbox, **wish: Any) -> str:
    assert tools.recognizer_plugin is not None
    return rule_for(tools, tools.recognizer_plugin, DecisionRequest(**wish)).source


def test_the_newest_point_of_the_users_counts_before_the_catalogue(tools: Toolbox) -> None:
    assert source(tools) == "second"
    assert source(tools, fmr=0.05) == "first; for an FMR of at most 0.05"
    assert source(tools, operating_point="first") == "first"
    assert source(tools, fmr=0.001).startswith("catalogue: yunet")  # which only the catalogue has
    assert source(tools, operating_point="catalogue").startswith("ours")
    with pytest.raises(UsageError, match=r"no threshold measured at FMR 0\.2") as told:
        source(tools, fmr=0.2)
    assert "0.1, 0.05, 0.01" in str(told.value)


def test_what_is_typed_counts_before_all(tools: Toolbox) -> None:
    assert source(tools, threshold=0.5) == "given by the user"
    assert source(tools, threshold=0.5, preset="face_recognition") == "given by the user"
    with pytest.raises(UsageError, match="exclude"):
        source(tools, threshold=0.5, operating_point="first")


def test_a_preset_counts_before_the_users_points(tools: Toolbox) -> None:
    assert source(tools, preset="face_recognition") == "preset face_recognition: face_recognition's tolerance"
    assert source(tools, preset="face_recognition", operating_point="second") == "second"
    assert source(tools, preset="face_recognition", fmr=0.05) == "first; for an FMR of at most 0.05"
    assert source(tools, preset="insightface").startswith("dlib's")  # a recognizer that it knows nothing of


def test_a_preset_has_the_rates_that_the_catalogue_knows_of_its_threshold(tmp_path: Path) -> None:
    def told(tools: Toolbox, **wish: Any) -> tuple[float, float | None, float | None]:
        assert tools.recognizer_plugin is not None
        found = rule_for(tools, tools.recognizer_plugin, DecisionRequest(**wish))
        return found.threshold, found.fmr, found.fmr_worst_group

    plain = toolbox(tmp_path)
    assert plain.recognizer_plugin is not None
    known = plain.recognizer_plugin.publisher_point
    assert known is not None
    for preset in ("facecli-0.1", "face_recognition"):
        assert told(plain, preset=preset) == (0.6, known.fmr, known.fmr_worst_group) == (0.6, 0.18, 0.48)
    assert told(plain, preset="facecli-0.1", metric="cosine") == (0.0873, None, None)  # at which nothing was measured
    flipped = toolbox(tmp_path, parameters={"dlib-resnet": {"flip": True}})
    assert told(flipped, preset="facecli-0.1") == (0.6, None, None)
    other_crop = toolbox(tmp_path, crops={"dlib-resnet": {"margin": 0.1}})
    assert told(other_crop, preset="facecli-0.1") == (0.6, None, None)


def test_the_publishers_point_keeps_its_name_beside_a_measured_one(tmp_path: Path, monkeypatch: Any) -> None:
    tools = toolbox(tmp_path)
    monkeypatch.setattr(tools, "parameters", lambda plugin: dict(plugin.parameters))  # of descriptors made below
    plugin = tools.recognizer_plugin
    assert plugin is not None
    assert plugin.publisher_point is not None
    theirs = replace(plugin.publisher_point, by_fmr=((0.001, 0.5),), worst_group=None)
    by_fmr = ((0.001, 0.3),)
    ours = OperatingPoint("euclidean", 0.4, "ours", "FairFace", 0.01, by_fmr=by_fmr, worst_group="B")
    both = replace(plugin, operating_point=ours, publisher_point=theirs)

    def rule(plugin: Any, **wish: Any) -> tuple[str, float]:
        found = rule_for(tools, plugin, DecisionRequest(**wish))
        return found.metric, found.threshold

    assert rule(both) == rule(both, operating_point="catalogue") == ("euclidean", 0.4)
    assert rule(both, fmr=0.001) == ("euclidean", 0.3)
    assert rule(both, operating_point="publisher") == (theirs.metric, theirs.threshold)
    assert rule(both, operating_point="publisher", fmr=0.001) == (theirs.metric, dict(theirs.by_fmr)[0.001])
    assert rule(both, preset="insightface") == (theirs.metric, theirs.threshold)  # which knows nothing of dlib
    assert rule(replace(both, publisher_point=None), preset="insightface") == ("euclidean", 0.4)
    with pytest.raises(UsageError, match="no publisher of dlib-resnet states a threshold"):
        rule(replace(both, publisher_point=None), operating_point="publisher")
    as_published = replace(both, operating_point=theirs, publisher_point=None)  # nothing was measured for groups
    assert rule(as_published, operating_point="publisher") == (theirs.metric, theirs.threshold)


@pytest.mark.parametrize(("metric", "threshold"), [(None, 0.07), ("euclidean", 0.6), ("angular", 0.12)])
def test_a_preset_has_its_own_metric_and_its_own_table(tools: Toolbox, metric: Any, threshold: float) -> None:
    assert tools.recognizer_plugin is not None
    found = rule_for(tools, tools.recognizer_plugin, DecisionRequest(metric=metric, preset="deepface"))
    assert (found.metric, found.threshold) == (metric or "cosine", threshold)
    assert "deepface 0.0.103" in found.source


def test_another_metric_is_that_measured_on_the_same_data(tools: Toolbox) -> None:
    assert tools.recognizer_plugin is not None
    found = rule_for(tools, tools.recognizer_plugin, DecisionRequest(metric="cosine"))
    assert (found.metric, found.threshold, found.fmr) == ("cosine", pytest.approx(0.06), 0.1)
    assert found.source == "at the rate of euclidean 0.5: second; measured on mine"


@pytest.mark.parametrize("other", [{"detector": None}, {"parameters": {"dlib-resnet": {"flip": True}}}], ids=str)
def test_a_point_holds_for_what_it_was_measured_with_alone(tools: Toolbox, tmp_path: Path, other: Any) -> None:
    changed = toolbox(tmp_path, **other)
    assert source(changed).startswith("ours")
    with pytest.raises(UsageError, match=r"'first' does not hold here: .* differ"):
        source(changed, operating_point="first")


def test_several_recognizers_each_have_their_own(tools: Toolbox, tmp_path: Path) -> None:
    several = toolbox(tmp_path, further_recognizers=("mobilefacenet",))
    assert [found.source.partition(":")[0] for found in rules_for(several, DecisionRequest())] == ["second", "ours"]
    assert [found.threshold for found in rules_for(several, DecisionRequest(fmr=0.001))] == [0.4191, 0.4909]
    for wish in (DecisionRequest(threshold=0.5), DecisionRequest(operating_point="first")):
        with pytest.raises(UsageError, match="one recognizer"):
            rules_for(several, wish)
    assert len(rules_for(several, DecisionRequest(operating_point="catalogue"))) == 2


STRANGERS = Cohort("a" * 64, 50, Path("strangers.npy"))


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: Any) -> tuple[Toolbox, RecognizerPlugin]:
    """A recognizer with a cohort."""
    tools = toolbox(tmp_path)
    monkeypatch.setattr(tools, "parameters", lambda plugin: dict(plugin.parameters))  # of a descriptor made here
    assert tools.recognizer_plugin is not None
    rates = {"worst_group": "B", "fmr_worst_group": 0.02, "worst_by_fmr": ((0.001, 0.002),)}
    point = OperatingPoint("cohort", 0.5, "ours", "FairFace", 0.01, by_fmr=((0.001, 0.4),), cohort=STRANGERS, **rates)
    return tools, replace(tools.recognizer_plugin, cohort_point=point)


def test_a_cohort_decides_where_it_is_asked_for(beside: tuple[Toolbox, RecognizerPlugin]) -> None:
    tools, plugin = beside

    def rule(**wish: Any) -> tuple[str, float, Cohort | None, float | None]:
        found = rule_for(tools, plugin, DecisionRequest(**wish))
        return found.metric, found.threshold, found.cohort, found.fmr_worst_group

    assert rule(operating_point="cohort") == ("cohort", 0.5, STRANGERS, 0.02)
    assert rule(operating_point="cohort", fmr=0.001) == ("cohort", 0.4, STRANGERS, 0.002)
    assert rule(operating_point="cohort", preset="deepface") == ("cohort", 0.5, STRANGERS, 0.02)
    for plain in ({}, {"operating_point": "catalogue"}, {"operating_point": "publisher"}, {"preset": "deepface"}):
        assert rule(**plain)[2] is None
    with pytest.raises(UsageError, match="no cosine threshold"):
        rule(operating_point="cohort", metric="cosine")


def test_a_recognizer_without_a_cohort_or_with_other_parameters_has_none(
    beside: tuple[Toolbox, RecognizerPlugin], monkeypatch: Any
) -> None:
    (tools, plugin), wish = beside, DecisionRequest(operating_point="cohort")
    with pytest.raises(UsageError, match="dlib-resnet has no cohort"):
        rule_for(tools, replace(plugin, cohort_point=None), wish)
    monkeypatch.setattr(tools, "parameters", lambda plugin: {**plugin.parameters, "flip": True})
    with pytest.raises(UsageError, match="default parameters"):
        rule_for(tools, plugin, wish)


def test_a_users_point_finds_the_file_of_its_cohort(beside: tuple[Toolbox, RecognizerPlugin], tmp_path: Path) -> None:
    tools, plugin = beside
    store, plain = OperatingPointStore(tmp_path), {"cosine": 0.3}
    own = OperatingPoint("cohort", 0.45, "mine", "own", 0.001, equivalents=plain, fmr_worst_group=0.003)

    def keep(name: str, cohort: Cohort) -> None:
        point, created = replace(own, cohort=cohort), f"2026-0{len(store.all()) + 1}-01"
        store.save(UserOperatingPoint(name, tools.identity(plugin), point, created, {"note": None}))

    keep("mine", STRANGERS)
    found = rule_for(tools, plugin, DecisionRequest())
    assert (found.threshold, found.source, found.cohort) == (0.45, "mine", STRANGERS)
    found = rule_for(tools, plugin, DecisionRequest(metric="cosine"))
    assert (found.metric, found.threshold, found.cohort, found.fmr_worst_group) == ("cosine", 0.3, None, None)
    keep("old", Cohort("b" * 64, 50))
    assert rule_for(tools, plugin, DecisionRequest()).source == "mine"
    with pytest.raises(UsageError, match="'old' was measured beside a cohort that dlib-resnet no longer has"):
        rule_for(tools, plugin, DecisionRequest(operating_point="old"))
