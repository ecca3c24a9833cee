"""The wish for the published files of an export: their precision, a simpler graph, the format of mobile builds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from facecli.errors import ExportError, UsageError

if TYPE_CHECKING:
    from facecli.contract import CropSpec, ExportPart, ModelSpec, OperatingPoint, Precision
    from facecli.types import Image, UInt8Array


@dataclass(frozen=True, slots=True)
class Target:
    """Precision and format of the published files; `facecli.export.variants` makes them.

    optimize: simplify the graph. ort: also write ONNX Runtime's own format.
    calibration: for int8, cuts the user's faces as a model takes them, (N, H, W, 3) uint8 RGB. pictures: for int8 of a
    detector, reads the user's pictures. Raises UsageError for int8 without a calibration, and the reverse.
    """

    precision: Precision = "fp32"
    optimize: bool = False
    ort: bool = False
    calibration: Callable[[CropSpec], UInt8Array] | None = None
    pictures: Callable[[], list[Image]] | None = None

    def __post_init__(self) -> None:
        if (self.precision == "int8") != (self.calibration is not None):
            raise UsageError(
                "int8 and a calibration belong together",
                hint="{precision} int8 {calibration} DIR",
                about=("precision", "calibration"),
            )

    def reached(self, part: ExportPart) -> Precision:
        """Return the precision of a network's published files: the one asked for, or a lower one that it has."""
        return part.precision if self.precision == "fp32" else self.precision

    def kinds(self, part: ExportPart) -> tuple[str, ...]:
        """Return the kinds of files that are published of a network: its precision, and "ort" if it is asked for."""
        return (self.reached(part), "ort") if self.ort else (self.reached(part),)

    @property
    def plain(self) -> bool:
        """True if nothing is asked for but the fp32 file as it was exported."""
        return self == PLAIN

    def derived(self, spec: ModelSpec) -> ModelSpec:
        """Return a model's description for this precision.

        It has another id, and no accuracy or error rates: those were measured on the fp32 file. The threshold stays.
        """
        if self.precision == "fp32":
            return spec
        return replace(
            spec,
            id=f"{spec.id}-{self.precision}",
            summary=f"{spec.summary}, {self.precision}",
            operating_point=_unmeasured(spec.operating_point),
            publisher_point=_unmeasured(spec.publisher_point),
            cohort_point=None,  # its strangers are embeddings of the fp32 file
            accuracy=(),
        )

    def check(self, parts: Sequence[ExportPart]) -> None:
        """Raise ExportError for a recipe whose networks can not be brought to this precision."""
        made = next((part.precision for part in parts if part.precision != "fp32"), None)
        if made is not None and self.precision != "fp32":
            raise ExportError(
                f"this recipe makes {made}, which can not be brought to {self.precision}",
                hint="leave {precision} out",
                about="precision",
            )
        if self.precision == "int8" and (len(parts) != 1 or len(parts[0].input_names) != 1):
            raise ExportError(
                "int8 is for one network with one input; this recipe has others",
                hint="use {precision} fp16",
                about="precision",
            )


PLAIN = Target()


def _unmeasured(point: OperatingPoint | None) -> OperatingPoint | None:
    """Return a point without the rates that were measured on the fp32 file; its source says so."""
    if point is None:
        return None
    stated = replace(point, source=f"{point.source}; stated for fp32", protocol=None, fmr=None, fnmr=None, by_fmr=())
    return replace(stated, worst_group=None, fmr_worst_group=None, worst_by_fmr=())
