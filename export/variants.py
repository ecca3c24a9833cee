"""Make the files of a target beside a network's fp32 file: float16 or int8, and ONNX Runtime's own format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.errors import ExportError

if TYPE_CHECKING:
    import onnx

    from facecli.contract import ExportPart
    from facecli.export.graph.quantize import Feeds
    from facecli.export.proof.cases import InputMeaning
    from facecli.export.target import Target
    from facecli.types import Image

    # A detector's network file, pictures -> the inputs that the detector feeds the network on these pictures.
    DetectorInputs = Callable[[Path, Sequence[Image]], Sequence[Feeds]]


# Fewest faces, and fewest pictures for a detector, that a calibration accepts; some hundred faces are better. Pictures
# may be fewer, because a detector sees much in each of them beside the faces.
LEAST_FACES = 32
LEAST_PICTURES = 16


@dataclass(frozen=True, slots=True)
class Variant:
    """A file of a network. kind: "fp32", "fp16", "int8" or "ort". steps: the changes to its graph, for the report."""

    kind: str
    path: Path
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VariantMaker:
    """Makes the files that a target asks for beside one network's fp32 file.

    meaning: the crop and preprocessing of the network's input, for int8. inputs: of a detector, records what it feeds
    the network with; None for networks that take crops.
    """

    target: Target
    part: ExportPart
    meaning: InputMeaning
    inputs: DetectorInputs | None = None

    def variants(self, source: Path, metadata: Mapping[str, str]) -> Iterator[Variant]:
        """Write each file into the folder of the fp32 file `source`, and yield it.

        metadata: the facts inside a file of another precision. Raises ExportError if a calibration has too few
        faces or pictures, or if nothing states how crops become the network's input.
        """
        from facecli.export.graph.clean import clean, describe

        path = source
        steps: tuple[str, ...] = ()
        if self.target.precision != "fp32":
            model, steps = self._reduced(source)
            clean(model, self.part)
            describe(model, metadata)
            path = source.with_name(f"{source.stem}.{self.target.precision}.onnx")
            path.write_bytes(model.SerializeToString(deterministic=True))
            yield Variant(self.target.precision, path, steps)
        if self.target.ort:
            from facecli.export.graph.optimize import ORT_STEP, to_ort

            mobile = path.with_suffix(".ort")
            to_ort(path, mobile)
            yield Variant("ort", mobile, (*steps, ORT_STEP))

    def _reduced(self, source: Path) -> tuple[onnx.ModelProto, tuple[str, ...]]:
        """Return the fp32 model in the target's precision, and the step for the report."""
        if self.target.precision == "fp16":
            from facecli.export.graph import float16

            return float16.convert(source), (float16.STEP,)
        from facecli.export.graph import quantize

        if self.inputs is None:
            feeds, amount = self._crop_inputs()
            return quantize.convert(source, feeds), (f"{quantize.STEP}, {amount}",)
        feeds, amount = self._picture_inputs(source, self.inputs)
        model = quantize.convert(source, feeds, float_ends=True)
        return model, (f"{quantize.STEP}, {amount}, last layers in float32",)

    def _crop_inputs(self) -> tuple[Sequence[Feeds], str]:
        """Return the calibration's faces as the network's inputs, and their number in words."""
        from facecli.crops.preprocess import to_input
        from facecli.export.graph import quantize

        crop, preprocessing = self.meaning.crop, self.meaning.preprocessing
        if crop is None or preprocessing is None or self.target.calibration is None:
            raise ExportError(
                f"{self.part.file}: int8 needs the model's crop and preprocessing, which nothing states",
                hint="add them to its catalogue entry or recipe",
            )
        crops = self.target.calibration(crop)
        if len(crops) < LEAST_FACES:
            raise ExportError(
                f"a calibration needs {LEAST_FACES} faces, {len(crops)} were found", hint="put more pictures there"
            )
        return quantize.feeds_of(self.part.input_names[0], to_input(crops, preprocessing)), f"{len(crops)} faces"

    def _picture_inputs(self, source: Path, inputs: DetectorInputs) -> tuple[Sequence[Feeds], str]:
        """Return what the detector feeds its network on the calibration's pictures, and their number in words."""
        pictures = self.target.pictures() if self.target.pictures is not None else []
        if len(pictures) < LEAST_PICTURES:
            raise ExportError(
                f"a detector's calibration needs {LEAST_PICTURES} pictures, {len(pictures)} were found",
                hint="put more pictures there",
            )
        return inputs(source, pictures), f"{len(pictures)} pictures"
