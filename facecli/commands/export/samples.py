"""TODO: facecli.commands.export.samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.cli.settings import Settings

if TYPE_CHECKING:
    from facecli.contract import CropSpec
    from facecli.export.proof.samples import Samples
    from facecli.pipeline.results import ImageResult
    from facecli.types import Image, UInt8Array


# For a calibration: more change the ranges little, and all are in memory.
MOST_FACES, MOST_PICTURES = 500, 64
SAMPLE_FACES, SAMPLE_PICTURES = 64, 16  # for a proof: each goes through two networks, and all are in memory


def calibration(folder: Path, settings: Settings, most: int = MOST_FACES) -> Callable[[CropSpec], UInt8Array]:
    """Cuts the faces of the pictures in a folder as a model wants them: (N, H, W, 3) uint8 RGB, `most` of them."""

    def cut(spec: CropSpec) -> UInt8Array:
        import numpy as np

        from facecli.crops import cutting

        crops = [np.zeros((0, spec.height, spec.width, 3), np.uint8)]
        for result in _pictures(folder, settings):
            if result.image is not None and result.detections is not None:
                crops.append(cutting.cut(result.image, result.detections, spec))
            if sum(map(len, crops)) >= most:
                break
        return np.concatenate(crops)[:most]

    return cut


def samples(folder: Path, settings: Settings) -> Samples:
    """The user's pictures for a proof: their faces, as for a calibration, and some of the pictures for detectors."""
    from facecli.export.proof.samples import Samples

    return Samples("samples", calibration(folder, settings, SAMPLE_FACES), pictures(folder, settings, SAMPLE_PICTURES))


def pictures(folder: Path, settings: Settings, most: int = MOST_PICTURES) -> Callable[[], list[Image]]:
    """Reads the pictures in a folder, `most` of them."""

    def read() -> list[Image]:
        found = (result.image for result in _pictures(folder, settings) if result.image is not None)
        return list(islice(found, most))

    return read


def _pictures(folder: Path, settings: Settings) -> Iterator[ImageResult]:
    from facecli.pictures.listing import expand

    sources = expand((str(folder),), files_from=None, files_from0=None)
    return _detected(sources, settings, "all", None, need_face=False)


def _detected(
    sources: Iterable[Any], settings: Settings, face: str, total: int | None, *, need_face: bool = True
) -> Iterator[ImageResult]:
    """The faces of pictures, with the pictures; what fails is told on stderr."""
    import dataclasses

    from facecli.cli import progress, wiring

    own = dataclasses.replace(settings, face=face, recognizer=None)
    tools = wiring.open_toolbox(own, inputs=total)
    pipeline = wiring.open_pipeline(tools, own, inputs=total, keep_image=True, need_face=need_face)
    yield from progress.told(pipeline.run(sources), own, total)
