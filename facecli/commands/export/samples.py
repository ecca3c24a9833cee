"""The user's pictures in an export: faces to calibrate int8 on, to prove agreement on, and to measure accuracy on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from facecli.cli.settings import InputSettings, OutputSettings, PluginSettings
    from facecli.contract import CropSpec
    from facecli.export.proof.samples import Samples
    from facecli.pictures.sources import Source
    from facecli.pipeline.results import ImageResult
    from facecli.types import Image, UInt8Array

# For a calibration: more of them change the ranges little, and all are in memory.
CALIBRATION_FACES, CALIBRATION_PICTURES = 500, 64
# For a proof: each of them goes through two networks, and all are in memory.
SAMPLE_FACES, SAMPLE_PICTURES = 64, 16


@dataclass(frozen=True, slots=True)
class FaceFinder:
    """Finds faces as the command's options say: limits of a picture, detector and its parameters, choice of face."""

    reading: InputSettings
    plugins: PluginSettings
    output: OutputSettings

    def crops(self, folder: Path, most: int = CALIBRATION_FACES) -> Callable[[CropSpec], UInt8Array]:
        """Return what cuts the faces of the pictures in a folder: (N, H, W, 3) uint8 RGB, N at most `most`."""

        def cut(spec: CropSpec) -> UInt8Array:
            import numpy as np

            from facecli.crops import cutting

            crops = [np.zeros((0, spec.height, spec.width, 3), np.uint8)]
            for result in self._results(folder):
                if result.image is not None and result.detections is not None:
                    crops.append(cutting.cut(result.image, result.detections, spec))
                if sum(map(len, crops)) >= most:
                    break
            return np.concatenate(crops)[:most]

        return cut

    def pictures(self, folder: Path, most: int = CALIBRATION_PICTURES) -> Callable[[], list[Image]]:
        """Return what reads the pictures in a folder, `most` of them at most."""

        def read() -> list[Image]:
            images = (result.image for result in self._results(folder) if result.image is not None)
            return list(islice(images, most))

        return read

    def samples(self, folder: Path) -> Samples:
        """Return the user's pictures for a proof: their faces, and some of the pictures for detectors."""
        from facecli.export.proof.samples import Samples

        return Samples("samples", self.crops(folder, SAMPLE_FACES), self.pictures(folder, SAMPLE_PICTURES))

    def detect(
        self, sources: Iterable[Source], face: str, total: int | None, *, need_face: bool = True
    ) -> Iterator[ImageResult]:
        """Yield the faces of pictures, with the pictures; each failure is reported on stderr.

        face: the choice among a picture's faces. total: how many pictures there are, None if that is not known.
        """
        from facecli.api.selection import Request
        from facecli.cli import progress, wiring
        from facecli.cli.settings import RunSettings

        faces = wiring.open_faces(self.plugins, RunSettings(), self.reading, inputs=total)
        flow = faces.engine.flow(Request(), face, need_face=need_face, keep_image=True)
        pictures = faces.engine.stream(Request(), sources, flow)
        for picture in progress.reporting_errors(pictures, self.output, total):
            yield picture.result

    def _results(self, folder: Path) -> Iterator[ImageResult]:
        from facecli.pictures.listing import expand

        return self.detect(expand((str(folder),)), "all", None, need_face=False)
