"""The contract of a recognizer: a plugin that turns crops of faces into embeddings, which are near for one person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from facecli.contract.crop import CropSpec
from facecli.contract.hooks import API_VERSION
from facecli.contract.model import ModelSpec
from facecli.contract.operating_point import OperatingPoint
from facecli.contract.runtime import Parameters, Runtime

if TYPE_CHECKING:
    from facecli.types import FloatArray, UInt8Array


class Recognizer(Protocol):
    """Turns crops into embeddings; `RecognizerPlugin.load` returns it. Several threads call it at once."""

    def embed(self, crops: UInt8Array) -> FloatArray:
        """Return (N, dim) float32 embeddings of (N, H, W, 3) uint8 RGB crops; N may be 0.

        Leave the crops as they are and return an array of its own. Raise the errors of facecli.errors; any other error
        is reported as a bug of the plugin.
        """


@dataclass(frozen=True, slots=True)
class RecognizerPlugin:
    """Describes a recognizer. Making one must be quick: nothing is loaded before `load` is called.

    name: the name of the entry point, which users type. summary: one line for lists. load: makes the recognizer.
    crop: how facecli cuts a face for it. dim: the length of an embedding. normalized: True if all embeddings have
    length 1. operating_point: the distance up to which two faces are one person. models: the models that `load` asks
    the runtime for. parameters: the settings that users may change, with their defaults; a value must have the type of
    its default. api: leave it out.
    publisher_point: the point that the publisher of the weights states, where operating_point is another one.
    cohort_point: a point with a cohort, in the metric "cohort". It decides where the user asks for the point "cohort".
    preprocessing_version: raise it whenever the plugin prepares crops in another way: embeddings of two versions are
    not compared.
    """

    name: str
    summary: str
    load: Callable[[Runtime, Parameters], Recognizer]
    crop: CropSpec
    dim: int
    normalized: bool
    operating_point: OperatingPoint
    models: tuple[ModelSpec, ...] = ()
    preprocessing_version: int = 1
    parameters: Mapping[str, Any] = field(default_factory=dict)
    api: int = API_VERSION
    publisher_point: OperatingPoint | None = None
    cohort_point: OperatingPoint | None = None
