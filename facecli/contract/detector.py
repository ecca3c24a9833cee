"""The contract of a detector: a plugin that finds the faces in pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from facecli.contract.hooks import API_VERSION
from facecli.contract.model import ModelSpec
from facecli.contract.runtime import Parameters, Runtime

if TYPE_CHECKING:
    from facecli.types import Detections, Image


class Detector(Protocol):
    """Finds faces; `DetectorPlugin.load` returns it. Several threads call it at once."""

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Return one Detections per picture, in order. Pictures may differ in size, and there may be none.

        Raise the errors of facecli.errors; any other error is reported as a bug of the plugin.
        """


@dataclass(frozen=True, slots=True)
class DetectorPlugin:
    """Describes a detector. Making one must be quick: nothing is loaded before `load` is called.

    name: the name of the entry point, which users type. summary: one line for lists. load: makes the detector.
    landmarks: True if every Detections has landmarks, also one without faces; False if none has.
    models: the models that `load` asks the runtime for. parameters: the settings that users may change, with their
    defaults; a value must have the type of its default. api: leave it out.
    """

    name: str
    summary: str
    load: Callable[[Runtime, Parameters], Detector]
    landmarks: bool
    models: tuple[ModelSpec, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    api: int = API_VERSION
