"""What an export makes of a proved network: its precision, a simpler graph, the format for mobile builds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.errors import ExportError, UsageError
from facecli.export.bars import Precision

if TYPE_CHECKING:
    import onnx

    from facecli.contract import CropSpec, ExportPart, ModelSpec
    from facecli.export.cases import Meaning
    from facecli.types import UInt8Array

LEAST_FACES = 32  # for a calibration; some hundred are better


@dataclass(frozen=True, slots=True)
class Target:
    """What the published files are.

    optimize: simplify the graph. ort: also in ONNX Runtime's own format. calibration: cuts the user's faces as a model
    wants them, (N, H, W, 3) uint8 RGB, for int8.
    """

    precision: Precision = "fp32"
    optimize: bool = False
    ort: bool = False
    calibration: Callable[[CropSpec], UInt8Array] | None = None

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
        """Refuse what can not be done before any work. Raises UsageError or ExportError."""
        if (self.precision == "int8") != (self.calibration is not None):
            raise UsageError("int8 and a calibration belong together", hint="--precision int8 --calibration DIR")
        if self.precision == "int8" and (len(parts) != 1 or len(parts[0].input_names) != 1):
            raise ExportError(
                "int8 is for one network that takes face crops; this recipe has others", hint="use --precision fp16"
            )

    def simplified(self, model: onnx.ModelProto) -> tuple[onnx.ModelProto, tuple[str, ...]]:
        """The exported model, simplified if asked, and what was done."""
        if not self.optimize:
            return model, ()
        from facecli.export import optimize

        return optimize.simplify(model), (optimize.STEP,)

    def others(
        self, path: Path, part: ExportPart, known: Meaning, facts: Mapping[str, str]
    ) -> Iterator[tuple[str, Path, tuple[str, ...]]]:
        """Make the files beside the fp32 one at `path`: kind, path and what was done, for each.

        facts: what those of another precision say of themselves.
        """
        from facecli.export.clean import clean, describe

        steps: tuple[str, ...] = ()
        if self.precision != "fp32":
            model, steps = self._reduced(path, part, known)
            clean(model, part)
            describe(model, facts)
            path = path.with_name(f"{path.stem}.{self.precision}.onnx")
            path.write_bytes(model.SerializeToString(deterministic=True))
            yield self.precision, path, steps
        if self.ort:
            from facecli.export import optimize

            mobile = path.with_suffix(".ort")
            optimize.to_ort(path, mobile)
            yield "ort", mobile, (*steps, optimize.ORT_STEP)

    def _reduced(self, source: Path, part: ExportPart, known: Meaning) -> tuple[onnx.ModelProto, tuple[str, ...]]:
        if self.precision == "fp16":
            from facecli.export import half

            return half.convert(source), (half.STEP,)
        from facecli.export import quantize
        from facecli.preprocess import to_input

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
        model = quantize.convert(source, part.input_names[0], to_input(crops, known.preprocessing))
        return model, (f"{quantize.STEP}, {len(crops)} faces",)
