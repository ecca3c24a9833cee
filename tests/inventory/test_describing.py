"""A user's statements about a model go before those of its file, and what nobody states is not made up."""

from __future__ import annotations

from typing import Any

import pytest

from facecli.cli.wording import option
from facecli.errors import UsageError
from facecli.inventory.describing import ModelDescription, fill, merged


def test_only_what_was_stated_is_a_statement() -> None:
    assert ModelDescription().statements == {}
    stated = ModelDescription(margin=0.0, commercial_use=False, labels=("a", "b"), logits=True, square=False)
    assert stated.statements == {"margin": 0.0, "commercial_use": False, "labels": ("a", "b"), "logits": True}


def test_statements_replace_the_metadata() -> None:
    metadata = {"id": "x", "summary": "from the file", "preprocessing": {"colour": "BGR", "mean": [0]}}
    entry = merged(metadata, ModelDescription(summary="mine", colour="RGB"))
    assert entry == {"id": "x", "summary": "mine", "preprocessing": {"colour": "RGB", "mean": [0]}}
    assert metadata["preprocessing"] == {"colour": "BGR", "mean": [0]}


def test_another_threshold_drops_the_rates_that_were_measured_at_the_first() -> None:
    point = {"metric": "cosine", "threshold": 0.3, "source": "the file", "fmr": 0.001, "by_fmr": [[0.001, 0.3]]}
    entry = merged({"operating_point": point}, ModelDescription(threshold=0.5))
    assert entry["operating_point"] == {"metric": "cosine", "threshold": 0.5, "source": "given by the user"}
    assert merged({"operating_point": point}, ModelDescription())["operating_point"] == point


@pytest.mark.parametrize(
    ("description", "crop"),
    [
        (ModelDescription(crop="bbox", size=(64, 48), margin=0.1), {"width": 64, "height": 48, "margin": 0.1}),
        (ModelDescription(crop="bbox", size=(64, 48), square=True), {"width": 64, "height": 48, "square": True}),
    ],
)
def test_a_bbox_crop_is_described_in_full(description: ModelDescription, crop: dict[str, Any]) -> None:
    assert merged({}, description)["crop"] == crop


def test_a_crop_may_be_named_after_a_model() -> None:
    named = merged({}, ModelDescription(crop="arcface"))["crop"]
    assert named == merged({}, ModelDescription(crop="mobilefacenet"))["crop"]
    assert (named["width"], named["height"]) == (112, 112)
    with pytest.raises(UsageError, match="crop nobody is no model that faces are cut for"):
        merged({}, ModelDescription(crop="nobody"))


@pytest.mark.parametrize(
    ("description", "message"),
    [
        (ModelDescription(crop="arcface", margin=0.1), "--size, --margin and --square are for --crop bbox; add it"),
        (ModelDescription(square=True), "--size, --margin and --square are for --crop bbox; add it"),
        (ModelDescription(crop="bbox"), "--crop bbox needs a size; add --size WxH"),
        (
            ModelDescription(crop="mtcnn"),
            "--crop mtcnn is no model that faces are cut for; it is arcface, dlib, bbox or such a model",
        ),
        (
            ModelDescription(crop="64x64"),
            "--crop 64x64 is no model that faces are cut for; a size is --crop bbox --size 64x64",
        ),
    ],
)
def test_statements_that_do_not_go_together_are_refused(description: ModelDescription, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        merged({}, description)
    assert caught.value.text(option) == message
    assert str(caught.value) == message.replace("--", "")


def test_defaults_claim_nothing() -> None:
    entry: dict[str, Any] = {"id": "mine", "source": "here"}
    fill(entry)
    assert entry == {
        "id": "mine",
        "summary": "mine, added by the user",
        "licence": "not stated",
        "source": "here",
        "commercial_use": False,
    }
