"""TODO: facecli.contract.recognizer."""

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


@dataclass(frozen=True, slots=True)
class RecognizerPlugin:
    """Describes a recognizer. `normalized` says whether its embeddings have length 1."""

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


class Recognizer(Protocol):
    """Turns crops into embeddings."""

    def embed(self, crops: UInt8Array) -> FloatArray:
        """(N, H, W, 3) uint8 RGB crops -> (N, dim) float32; N may be 0."""
