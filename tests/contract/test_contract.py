"""The public names of the contract stay, and each of them can be imported."""

from __future__ import annotations

import dataclasses
import importlib
from typing import get_type_hints

import pytest

from facecli import contract
from facecli.contract import CropSpec
from facecli.contract.plugin import DESCRIPTORS, PLUGINS, kind_of
from facecli.kinds import KINDS, METRICS, MODEL_KINDS, NOUNS
from facecli.models import catalogue

# What plugins import: a name may be added, none may go.
NAMES = [
    "API_VERSION",
    "AttributeClassifier",
    "AttributePlugin",
    "Bin",
    "Cohort",
    "CropSpec",
    "CropsClassifier",
    "Detector",
    "DetectorPeer",
    "DetectorPlugin",
    "Engine",
    "EnginePlugin",
    "ExportPart",
    "ExportRecipe",
    "HeadsClassifier",
    "Metric",
    "ModelArchive",
    "ModelFile",
    "ModelSpec",
    "OperatingPoint",
    "Parameters",
    "Point",
    "Precision",
    "Preprocessing",
    "Recognizer",
    "RecognizerPlugin",
    "Resources",
    "Runtime",
    "Session",
    "Shard",
    "ShardReport",
    "Task",
    "Tracker",
    "TrackerPlugin",
    "Work",
    "Worker",
    "hookimpl",
]


def test_the_public_names_are_these() -> None:
    assert contract.__all__ == NAMES
    assert [name for name in NAMES if not hasattr(contract, name)] == []


@pytest.mark.parametrize("module", ["contract", "types", "errors", "geometry", "assignment", "labels", "testing"])
def test_what_a_plugin_may_import_is_there_and_the_contract_says_so(module: str) -> None:
    assert importlib.import_module(f"facecli.{module}").__doc__
    assert module == "contract" or f"`facecli.{module}`" in contract.__doc__


@pytest.mark.parametrize(
    "name", ["ModelSpec", "ModelFile", "ModelArchive", "CropSpec", "Preprocessing", "OperatingPoint"]
)
def test_the_fields_of_a_models_description_are_known_at_run_time(name: str) -> None:
    """A user's description is checked against these annotations, in the module of the class."""
    described = getattr(contract, name)
    hints = get_type_hints(described, vars(importlib.import_module(described.__module__)))
    assert set(hints) == {field.name for field in dataclasses.fields(described)}


def test_every_kind_has_its_noun_and_its_descriptor() -> None:
    assert tuple(NOUNS) == KINDS == (*DESCRIPTORS, "commands")
    assert set(MODEL_KINDS.values()) == set(PLUGINS) - {"trackers"}  # which may have models, in no entry of their own


def test_a_plugins_kind_is_known_by_its_descriptor() -> None:
    crop, point = contract.CropSpec(8, 8), contract.OperatingPoint("cosine", 0.5, "made up")

    def load(*_: object) -> None:
        return None

    detector = contract.DetectorPlugin("x", "", load, landmarks=False)
    recognizer = contract.RecognizerPlugin("x", "", load, crop, 2, True, point)
    attribute = contract.AttributePlugin("x/x", "", "x", load, crop, ())
    tracker = contract.TrackerPlugin("x", "", load)
    assert [kind_of(plugin) for plugin in (detector, recognizer, attribute, tracker)] == list(PLUGINS)


def test_metrics_are_those_of_the_type() -> None:
    assert METRICS == ("cosine", "euclidean", "euclidean_l2", "angular")


def test_the_usual_templates_are_those_of_the_catalogue():
    for spec, model in ((CropSpec.arcface(), "mobilefacenet"), (CropSpec.dlib(), "dlib-resnet")):
        assert spec == catalogue.load(model).crop
    half = CropSpec.arcface(56)
    assert (half.width, half.height) == (56, 56)
    assert half.template[0] == (38.2946 / 2, 51.6963 / 2)
