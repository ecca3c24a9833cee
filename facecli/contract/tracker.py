"""The contract of a tracker: a plugin that tells which detections in the frames of a film are one face."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from facecli.contract.hooks import API_VERSION
from facecli.contract.model import ModelSpec
from facecli.contract.runtime import Parameters, Runtime

if TYPE_CHECKING:
    from facecli.types import Detections, Image, Tracked


class Tracker(Protocol):
    """Follows the faces of one film. It keeps a state, so there is one object per film, used by one thread."""

    def update(self, detections: Detections, seconds: float, image: Image | None) -> Tracked:
        """Return whose each detection of the next frame is.

        detections: of the frame; there may be none. seconds: since the frame before, 0 for the first one; a film may
        have a variable rate, and frames may be left out. image: the frame, for a plugin that states `image`, else None.

        An id that has ended, so that it was neither among the ids nor among the lost ones, never comes back. Raise the
        errors of facecli.errors; any other error is reported as a bug of the plugin.
        """


@dataclass(frozen=True, slots=True)
class TrackerPlugin:
    """Describes a tracker. Making one must be quick: nothing is loaded before `load` is called.

    name: the name of the entry point, which users type. summary: one line for lists. load: loads what is heavy, once,
    and returns a function that makes a new tracker for each film. image: True for a tracker that looks at the frames,
    such as one that measures the camera's motion. models: the models that `load` asks the runtime for. parameters: the
    settings that users may change, with their defaults; a value must have the type of its default. api: leave it out.
    """

    name: str
    summary: str
    load: Callable[[Runtime, Parameters], Callable[[], Tracker]]
    image: bool = False
    models: tuple[ModelSpec, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    api: int = API_VERSION
