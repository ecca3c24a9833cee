"""What an export makes of a proved network: its precision, a simpler graph, the format for mobile builds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.errors import ExportError, UsageError
from facecli.export.proof.bars import Precision
from facecli.export.variants import LEAST_FACES, LEAST_PICTURES

if TYPE_CHECKING:
    import onnx

    from facecli.contract import CropSpec, ExportPart, ModelSpec
    from facecli.export.graph.quantize import Feeds
    from facecli.export.proof.cases import Meaning
    from facecli.types import Image, UInt8Array

    Look = Callable[[Path, Sequence[Image]], Sequence[Feeds]]


@dataclass(frozen=True, slots=True)
class Target:
    """What the published files are. Raises UsageError for int8 without a calibration.

    optimize: simplify the graph. ort: also in ONNX Runtime's own format. calibration: cuts the user's faces as a model
    wants them, (N, H, W, 3) uint8 RGB, for int8. pictures: the same pictures, for a detector.
    """

    precision: Precision = "fp32"
    optimize: bool = False
    ort: bool = False
    calibration: Callable[[CropSpec], UInt8Array] | None = None
    pictures: Callable[[], list[Image]] | None = None

    def __post_init__(self) -> None:
        if (self.precision == "int8") != (self.calibration is not None):
            raise UsageError("int8 and a calibration belong together", hint="--precision int8 --calibration DIR")

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of files that are published: the precision, and "ort" if asked."""
        return (self.precision, "ort") if self.ort else (self.precision,)

    @property
    def plain(self) -> bool:
        """Whether nothing but the export itself is asked for."""
        return self == Target()

    def derived(self, spec: ModelSpec) -> ModelSpec:
        """What is known about a model in this precision: another name, and no rates, which were measured on fp32."""
        if self.precision == "fp32":
            return spec
        point = spec.operating_point
        if point is not None:
            told = f"{point.source}; stated for fp32"
            point = replace(point, source=told, protocol=None, fmr=None, fnmr=None, by_fmr=())
        return replace(
            spec,
            id=f"{spec.id}-{self.precision}",
            summary=f"{spec.summary}, {self.precision}",
            operating_point=point,
            accuracy=(),
        )

    def check(self, parts: Sequence[ExportPart]) -> None:
        """Raise ExportError for networks that can not be brought to this target."""
        if self.precision == "int8" and (len(parts) != 1 or len(parts[0].input_names) != 1):
            raise ExportError(
                "int8 is for one network with one input; this recipe has others", hint="use --precision fp16"
            )

    def simplified(self, model: onnx.ModelProto) -> tuple[onnx.ModelProto, tuple[str, ...]]:
        """The exported model, simplified if asked, and what was done."""
        if not self.optimize:
            return model, ()
        from facecli.export.graph.optimize import STEP, simplify

        return simplify(model), (STEP,)

    def others(
        self, path: Path, part: ExportPart, known: Meaning, facts: Mapping[str, str], look: Look | None = None
    ) -> Iterator[tuple[str, Path, tuple[str, ...]]]:
        """Make the files beside the fp32 one at `path`: kind, path and what was done, for each.

        facts: what those of another precision say of themselves. look: of a detector, what it feeds the file at a path
        with when it looks at pictures.
        """
        from facecli.export.graph.clean import clean, describe

        steps: tuple[str, ...] = ()
        if self.precision != "fp32":
            model, steps = self._reduced(path, part, known, look)
            clean(model, part)
            describe(model, facts)
            path = path.with_name(f"{path.stem}.{self.precision}.onnx")
            path.write_bytes(model.SerializeToString(deterministic=True))
            yield self.precision, path, steps
        if self.ort:
            from facecli.export.graph.optimize import ORT_STEP, to_ort

            mobile = path.with_suffix(".ort")
            to_ort(path, mobile)
            yield "ort", mobile, (*steps, ORT_STEP)

    def _reduced(
        self, source: Path, part: ExportPart, known: Meaning, look: Look | None
    ) -> tuple[onnx.ModelProto, tuple[str, ...]]:
        if self.precision == "fp16":
            from facecli.export.graph import float16

            return float16.convert(source), (float16.STEP,)
        from facecli.export.graph import quantize

        feeds, seen = self._seen(part, known) if look is None else self._looked(source, look)
        model = quantize.convert(source, feeds, float_ends=look is not None)
        return model, (f"{quantize.STEP}, {seen}" + (", last layers in float32" if look is not None else ""),)

    def _seen(self, part: ExportPart, known: Meaning) -> tuple[Sequence[Feeds], str]:
        """The calibration's faces, as the network takes them, and how many they are."""
        from facecli.crops.preprocess import to_input
        from facecli.export.graph import quantize

        if known.crop is None or known.preprocessing is None or self.calibration is None:
            raise ExportError(
                f"{part.file}: int8 needs the model's crop and preprocessing, which nothing states",
                hint="add them to its catalogue entry or recipe",
            )
        crops = self.calibration(known.crop)
        if len(crops) < LEAST_FACES:
            raise ExportError(
                f"a calibration needs {LEAST_FACES} faces, {len(crops)} were found", hint="put more pictures there"
            )
        return quantize.feeds_of(part.input_names[0], to_input(crops, known.preprocessing)), f"{len(crops)} faces"

    def _looked(self, source: Path, look: Look) -> tuple[Sequence[Feeds], str]:
        """The calibration's pictures, as the detector draws them for its network, and how many they are."""
        pictures = self.pictures() if self.pictures is not None else []
        if len(pictures) < LEAST_PICTURES:
            message = f"a detector's calibration needs {LEAST_PICTURES} pictures, {len(pictures)} were found"
            raise ExportError(message, hint="put more pictures there")
        return look(source, pictures), f"{len(pictures)} pictures"
