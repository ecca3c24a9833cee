"""Pictures in and out of a command: its sources, and the crops and annotated copies that it writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from facecli import align, draw, images
from facecli.commands._options import Settings
from facecli.contract import CropSpec, RecognizerPlugin
from facecli.errors import UsageError
from facecli.files import write_bytes
from facecli.pipeline import ImageResult
from facecli.registry import Registry
from facecli.sources import Source, expand
from facecli.types import UInt8Array

Writer = Callable[[ImageResult], Iterable[Path]]
Painter = Callable[[ImageResult], UInt8Array]


def open_sources(inputs: tuple[str, ...], settings: Settings) -> Iterator[Source]:
    """The sources that the inputs and --files-from name."""
    return expand(inputs, files_from=settings.files_from, files_from0=settings.files_from0)


def face_writers(
    registry: Registry, crops: Path | None, crops_for: str, annotate: Path | None, *, many: bool
) -> list[Writer]:
    """What --crops and --annotate ask to be written for each result."""
    writers: list[Writer] = []
    if crops is not None:
        spec = registry.load("recognizers", crops_for, RecognizerPlugin).crop
        writers.append(crop_writer(crops, spec))
    if annotate is not None:
        writers.append(annotation_writer(annotate, draw.faces_of, many=many))
    return writers


def crop_writer(folder: Path, spec: CropSpec) -> Writer:
    """Writes NAME.INDEX.png per face; a detector without landmarks gives bbox crops of the same size."""
    names = _Names(folder)

    def write(result: ImageResult) -> Iterator[Path]:
        if result.image is None or result.detections is None:
            return
        own = (
            spec
            if result.detections.landmarks is not None
            else CropSpec(spec.width, spec.height, margin=0.2, square=True)
        )
        name = names.take(result.source)
        for index, crop in zip(result.indices, align.cut(result.image, result.detections, own), strict=True):
            path = folder / f"{name}.{index}.png"
            write_bytes(path, images.encode(crop, ".png"))
            yield path

    return write


def annotation_writer(out: Path, paint: Painter, *, many: bool) -> Writer:
    """Writes each picture with what was found drawn on it: to the file `out`, or into the folder `out` for several."""
    folder = many or out.is_dir() or not out.suffix
    if not folder:
        images.check_suffix(out.suffix)  # refuse an unknown suffix before any work
    elif out.is_file():
        raise UsageError(f"--annotate {out} is a file, and there are several pictures", hint="name a folder")
    names = _Names(out)

    def write(result: ImageResult) -> Iterator[Path]:
        if result.image is None:
            return
        path = out / f"{names.take(result.source)}.jpg" if folder else out
        write_bytes(path, images.encode(paint(result), path.suffix))
        yield path

    return write


class _Names:
    """File names for results in one folder: the source's own name, numbered where two sources share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: set[str] = set()

    def take(self, source: str) -> str:
        stem = Path(source.rstrip("/").rpartition("/")[2].partition("?")[0]).stem or "picture"
        stem = "stdin" if source == "-" else stem
        name, number = stem, 1
        while name in self._taken:
            number += 1
            name = f"{stem}-{number}"
        self._taken.add(name)
        return name
