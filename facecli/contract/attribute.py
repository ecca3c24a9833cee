"""TODO: facecli.contract.attribute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from facecli.contract.crop import CropSpec
from facecli.contract.hooks import API_VERSION
from facecli.contract.model import ModelSpec
from facecli.contract.runtime import Parameters, Runtime

if TYPE_CHECKING:
    from facecli.types import FloatArray, UInt8Array


@dataclass(frozen=True, slots=True)
class AttributePlugin:
    """Describes a model of one attribute (emotion, age, ...); no labels means a regression.

    labels: the names of the columns; facecli.labels has those of the attributes that several models know.
    more_crops: further crops of each face, for a model that looks at it in several ways; see CropsClassifier.
    floor: the probability that the likeliest label must reach; below it the label is told as null.
    """

    name: str
    summary: str
    attribute: str
    load: Callable[[Runtime, Parameters], AttributeClassifier | CropsClassifier]
    crop: CropSpec
    labels: tuple[str, ...]
    models: tuple[ModelSpec, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    more_crops: tuple[CropSpec, ...] = ()
    floor: float = 0.0
    api: int = API_VERSION


class AttributeClassifier(Protocol):
    """Turns crops into class probabilities, or into one number per face."""

    def classify(self, crops: UInt8Array) -> FloatArray:
        """(N, H, W, 3) uint8 RGB crops -> (N, C) float32, rows summing to 1, or (N, 1) for a regression."""


class CropsClassifier(Protocol):
    """The same for a plugin that states `more_crops`: it gets every face cut in several ways."""

    def classify(self, *crops: UInt8Array) -> FloatArray:
        """As AttributeClassifier.classify; crops[0] as `crop` says, the others as `more_crops` say, in that order."""
