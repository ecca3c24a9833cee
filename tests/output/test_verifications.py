"""The document and the rows of a verification."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from facecli.matching.anti_spoof import AntiSpoof
from facecli.matching.verification import RecognizerDecision, Verification
from facecli.output.verifications import document, rows
from facecli.pipeline.results import ImageResult

X = RecognizerDecision("x", True, "cosine", 0.12345678, 0.87654321, 0.5, "a test", 0.01, 0.04)
Y = RecognizerDecision("y", False, "euclidean", 1.5, 0.1, 1.0, "another test", None)
PICTURES = ImageResult("a.jpg", 4, 4, 1, (0,)), ImageResult("b.jpg", 4, 4, 2, (0, 1), detector_ran=False)
ONE = Verification(
    True, "cosine", X.distance, X.similarity, 0.5, "a test", 0.01, PICTURES, (0, 1), (X,), fmr_worst_group=0.04
)
FUSED: dict[str, Any] = {"metric": "fused", "distance": 0.873, "similarity": None, "fmr": None, "fmr_worst_group": None}
SEVERAL = replace(ONE, verified=False, decisions=(X, Y), **FUSED)


@dataclass(frozen=True)
class Tools:
    """A toolbox without a detector, whose plugins are described by their names."""

    recognizer_plugins: tuple[Any, ...]
    attribute_plugins: tuple[Any, ...] = ()
    detector_plugin: None = None

    def describe(self, plugin: Any) -> dict[str, Any]:
        return {"plugin": plugin.name}


TOOLS: Any = Tools((SimpleNamespace(name="x"), SimpleNamespace(name="y")))
SPOOF: Any = Tools(TOOLS.recognizer_plugins, (SimpleNamespace(name="spoof/z", attribute="spoof"),))


def test_one_recognizer() -> None:
    record = document(ONE, TOOLS)
    assert (record["schema"], record["verified"], record["metric"]) == ("facecli.verify/2", True, "cosine")
    assert (record["distance"], record["similarity"]) == (0.123457, 0.876543)
    assert (record["threshold_source"], record["fmr"], record["fmr_worst_group"]) == ("a test", 0.01, 0.04)
    assert (record["recognizer"], record["detector"]) == ({"plugin": "x"}, None)
    assert [(image["source"], image["face"]["index"]) for image in record["images"]] == [("a.jpg", 0), ("b.jpg", 1)]
    assert not {"decisions", "anti_spoof", "preset", "seconds"} & set(record)
    decision = {"verified": True, "metric": "cosine", "distance": 0.123457, "threshold": 0.5}
    assert rows(ONE) == [{"a": "a.jpg", "b": "b.jpg"} | decision | {"detected": False}]


def test_further_parts_stand_before_the_pictures() -> None:
    assert list(document(ONE, TOOLS, {"preset": "deepface"}))[-2:] == ["preset", "images"]


def test_several_recognizers() -> None:
    record = document(SEVERAL, TOOLS)
    assert (record["recognizer"], record["similarity"]) == (None, None)
    assert [one["recognizer"] for one in record["decisions"]] == [{"plugin": "x"}, {"plugin": "y"}]
    assert [one["fmr"] for one in record["decisions"]] == [0.01, None]
    assert [one["fmr_worst_group"] for one in record["decisions"]] == [0.04, None]
    table = rows(SEVERAL)
    assert [(row["recognizer"], row["verified"]) for row in table] == [("x", True), ("y", False), ("all", False)]
    assert list(table[0]) == ["a", "b", "recognizer", "verified", "metric", "distance", "threshold", "detected"]


def test_anti_spoofing() -> None:
    checked = replace(ONE, verified=False, anti_spoof=AntiSpoof((0.98765, 0.25)))
    described = {"passed": False, "threshold": 0.5, "plugin": "spoof/z"}
    assert document(checked, SPOOF)["anti_spoof"] == described
    (row,) = rows(checked)
    assert (row["verified"], row["real_a"], row["real_b"]) == (False, 0.9877, 0.25)
