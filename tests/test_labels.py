"""Labels: one name and one order, whichever model predicts them."""

from __future__ import annotations

import pytest

from facecli import labels
from facecli.contract import AttributePlugin
from facecli.contract.record_keys import RECORD_KEYS
from facecli.hosting.registry import Registry
from facecli.models import catalogue

# The order.
EMOTIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def plugins() -> list[AttributePlugin]:
    registry = Registry(third_party=False)
    return [registry.load("attributes", entry.name, AttributePlugin) for entry in registry.entries("attributes")]


def test_every_model_of_an_attribute_has_its_labels_in_one_order() -> None:
    found = plugins()
    assert {plugin.attribute for plugin in found} == {"emotion", "gender", "age", "race", "race7", "spoof"}
    for plugin in found:
        known = labels.LABELS.get(plugin.attribute, ())
        assert plugin.labels == tuple(label for label in known if label in plugin.labels), plugin.name
        assert bool(plugin.labels) == (plugin.attribute != "age"), plugin.name
    assert {plugin.labels for plugin in found if plugin.attribute == "emotion"} >= {EMOTIONS}


def test_the_catalogue_uses_no_other_labels() -> None:
    specs = [catalogue.load(model_id) for model_id in catalogue.model_ids()]
    told = [(spec.id, labels.unknown(spec.attribute or "", spec.labels)) for spec in specs]
    assert len(told) > 5
    assert [pair for pair in told if pair[1]] == []


def test_no_label_hides_a_key_of_the_record() -> None:
    assert {label for own in labels.LABELS.values() for label in own} & {*RECORD_KEYS, *labels.LABELS} == set()


@pytest.mark.parametrize(
    ("attribute", "given", "expected"),
    [
        ("emotion", ["neutral", "happy", "angry"], ("angry", "happy", "neutral")),
        ("emotion", ["contempt", "neutral"], ("neutral", "contempt")),
        ("glasses", ["yes", "no"], ("yes", "no")),
        ("age", [], ()),
    ],
)
def test_order(attribute: str, given: list[str], expected: tuple[str, ...]) -> None:
    assert labels.ordered(attribute, given) == expected


def test_labels_are_unknown_only_to_an_attribute_that_has_some() -> None:
    assert labels.unknown("emotion", ["happy", "hungry"]) == ["hungry"]
    assert labels.unknown("glasses", ["yes"]) == []
