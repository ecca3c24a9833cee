"""The kinds of plugins, as entry-point groups, messages and descriptions of models name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Kind = Literal["detectors", "recognizers", "attributes", "recipes", "commands"]
KINDS: tuple[Kind, ...] = get_args(Kind)  # the entry-point group of a kind is facecli.KIND

# One plugin of a kind, in messages.
NOUNS: Mapping[Kind, str] = {
    "detectors": "detector",
    "recognizers": "recognizer",
    "attributes": "attribute model",
    "recipes": "export recipe",
    "commands": "command",
}

ModelKind = Literal["detector", "recognizer", "attribute", "weights"]
# ModelSpec.kind -> the plugins that run such a model. No plugin runs "weights": they are only exported.
MODEL_KINDS: Mapping[ModelKind, Kind] = {
    "detector": "detectors",
    "recognizer": "recognizers",
    "attribute": "attributes",
}
