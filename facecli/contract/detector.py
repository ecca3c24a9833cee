"""TODO: facecli.contract.detector."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from facecli.contract.hooks import API_VERSION
from facecli.contract.model import ModelSpec
from facecli.contract.runtime import Parameters, Runtime

if TYPE_CHECKING:
    from facecli.types import Detections, Image


@dataclass(frozen=True, slots=True)
class DetectorPlugin:
    """Describes a detector. `parameters` are the settings it takes, with their defaults."""

    name: str
    summary: str
    load: Callable[[Runtime, Parameters], Detector]
    landmarks: bool
    models: tuple[ModelSpec, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    api: int = API_VERSION


class Detector(Protocol):
    """Finds faces."""

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """One Detections per picture, in order; pictures may differ in size."""
