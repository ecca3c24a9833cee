"""The contract of an attribute model: a plugin that classifies crops of faces (emotion), or gives a number (age)."""

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


class AttributeClassifier(Protocol):
    """Answers for one crop of each face; `AttributePlugin.load` returns it. Several threads call it at once."""

    def classify(self, crops: UInt8Array) -> FloatArray:
        """Return (N, C) float32 probabilities of (N, H, W, 3) uint8 RGB crops, C as many as labels; N may be 0.

        Each row lies within [0, 1] and sums to 1. A plugin without labels returns (N, 1), one number per face.
        Leave the crops as they are and return an array of its own. Raise the errors of facecli.errors; any other error
        is reported as a bug of the plugin.
        """


class CropsClassifier(Protocol):
    """Answers for several crops of each face: a plugin whose descriptor states `more_crops`."""

    def classify(self, *crops: UInt8Array) -> FloatArray:
        """Return (N, C) float32 as AttributeClassifier.classify does.

        crops: arrays (N, H, W, 3) uint8 RGB of the N faces; the first is cut as `crop` states, the others as
        `more_crops` states, in that order.
        """


class HeadsClassifier(Protocol):
    """Answers for several attributes in one run: what `load` returns for plugins whose descriptors state a `head`."""

    def classify(self, crops: UInt8Array) -> Mapping[str, FloatArray]:
        """Return head -> (N, C) float32, each as AttributeClassifier.classify returns it, of (N, H, W, 3) uint8 RGB.

        C is the number of labels, or of bins, of the plugin with that head.
        """


@dataclass(frozen=True, slots=True)
class Bin:
    """One of the ranges of a number, such as the ages from 20 to 29.

    low, high: where the range begins and ends; the next one begins where it ends. value: the number that the range
    counts as in the mean over all ranges; None is its middle.
    """

    low: float
    high: float
    value: float | None = None


@dataclass(frozen=True, slots=True)
class AttributePlugin:
    """Describes a model of one attribute. Making one must be quick: nothing is loaded before `load` is called.

    name: the name of the entry point, which users type: ATTRIBUTE/MODEL. summary: one line for lists.
    attribute: the first part of the name, such as "emotion"; the answer stands under it in the output, so that it may
    not be one of RECORD_KEYS. load: makes the classifier. crop: how facecli cuts a face for it.
    labels: the names of the columns, in order; () if the answer is a number. An attribute that facecli.labels has uses
    the labels there. models: the models that `load` asks the runtime for. parameters: the settings that users may
    change, with their defaults; a value must have the type of its default. api: leave it out.
    more_crops: further crops of each face, for a model that looks at a face in several ways; see CropsClassifier.
    floor: a probability. If the likeliest label does not reach it, the output has null for the label.
    bins: the ranges whose probabilities the classifier returns, in order and without gaps, if the answer is a number
    that the model knows as a distribution; then labels is (), and the output has the number with its spread.
    head: the key of this attribute in what a HeadsClassifier returns. Plugins with equal `load`, crops and parameters
    share one such network, which is loaded once and runs once for all of them.
    """

    name: str
    summary: str
    attribute: str
    load: Callable[[Runtime, Parameters], AttributeClassifier | CropsClassifier | HeadsClassifier]
    crop: CropSpec
    labels: tuple[str, ...]
    models: tuple[ModelSpec, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    more_crops: tuple[CropSpec, ...] = ()
    floor: float = 0.0
    api: int = API_VERSION
    bins: tuple[Bin, ...] = ()
    head: str = ""

    @property
    def columns(self) -> int:
        """The number of columns that the classifier returns for this attribute."""
        return len(self.labels) or len(self.bins) or 1
