"""The bounds of a Faces object's work, checked when they are given, and the flow of pictures that follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from facecli.api.selection import Request, Selection
from facecli.errors import UsageError
from facecli.system.cores import available_cores

if TYPE_CHECKING:
    from facecli.pipeline.flow import Flow


@dataclass(frozen=True, slots=True)
class Workload:
    """The bounds of the work. Raises UsageError for numbers that make no sense.

    threads: for one model run; None divides the cores by the jobs. jobs: batches at work at once. batch_size: pictures
    in a batch. max_pixels, max_bytes, timeout: as in facecli.types.Limits, whose defaults stand for None.
    """

    threads: int | None = None
    jobs: int = 1
    batch_size: int = 1
    max_pixels: int | None = None
    max_bytes: int | None = None
    timeout: float | None = None

    def __post_init__(self) -> None:
        for name in ("threads", "jobs", "batch_size", "max_pixels", "max_bytes"):
            count = getattr(self, name)
            if count is not None and count < 1:
                raise UsageError(f"{{{name}}} must be at least 1, got {count}", about=name)
        if self.timeout is not None and not self.timeout > 0:
            raise UsageError(f"{{timeout}} must be more than 0 seconds, got {self.timeout}", about="timeout")

    @property
    def threads_of_a_run(self) -> int:
        """The threads that one run of a model may keep busy."""
        return self.threads or max(1, available_cores() // self.jobs)

    def flow(self, selection: Selection, request: Request, face: str, *, need_face: bool, keep_image: bool) -> Flow:
        """Return the settings of the river for a request.

        face: the choice among a picture's faces, such as "largest" or "0". Raises UsageError for one that does not
        exist.
        """
        from facecli.faces.choice import check_face_choice
        from facecli.pipeline.flow import Flow
        from facecli.types import Limits

        usual = Limits()
        return Flow(
            faces=check_face_choice(face),
            min_score=selection.min_score or 0.0,
            min_face_size=selection.min_face_size or 0.0,
            need_face=need_face,
            detect=not selection.no_detect,
            rotate=selection.rotate == "auto",
            batch_size=self.batch_size,
            jobs=self.jobs,
            limits=Limits(
                self.max_pixels or usual.max_pixels, self.max_bytes or usual.max_bytes, self.timeout or usual.timeout
            ),
            measures=request.measures,
            keep_image=keep_image,
        )
