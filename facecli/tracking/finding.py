"""The faces of each frame: by the detector in every Nth frame, by the optical flow in those between."""

from __future__ import annotations

from facecli.pipeline.stages import Stages
from facecli.tracking.flow import Flow
from facecli.types import Detections, Image


class Finding:
    """Finds the faces of one film's frames, in their order.

    stages: those of a detector alone, with the choice of faces. every: the detector looks at each `every`th frame.
    """

    def __init__(self, stages: Stages, every: int) -> None:
        self._stages, self._every = stages, every
        self._flow = Flow() if every > 1 else None
        self._since = 0
        self._latest: Detections | None = None

    @property
    def each(self) -> bool:
        """True where the detector looks at each frame: they may be shown in any order then, and several at once."""
        return self._flow is None

    def find(self, image: Image) -> tuple[Detections, bool]:
        """Return a frame's faces, and whether the detector has looked at it. Raises the error of the stages."""
        if self._flow is None:
            return self._detected(image), True
        latest, self._since = self._latest, self._since + 1
        if latest is not None and self._since < self._every:
            with self._stages.clock("flow"):
                self._latest = self._flow.moved(latest, image)
            return self._latest, False
        self._latest, self._since = self._detected(image), 0
        with self._stages.clock("flow"):
            self._flow.show(image)
        return self._latest, True

    def _detected(self, image: Image) -> Detections:
        (result,) = self._stages.process([image])
        if result.error is not None:
            raise result.error
        assert result.detections is not None
        return result.detections
