"""TODO: facecli.output.pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from facecli.cli.progress import tell
from facecli.contract import CropSpec
from facecli.crops import cutting
from facecli.errors import OutputError, UsageError
from facecli.pictures import codec
from facecli.pictures.listing import SUFFIXES
from facecli.pipeline.results import ImageResult
from facecli.system.files import check_writable, make_folder, write_bytes
from facecli.types import UInt8Array


def write(result: ImageResult, writers: Sequence[Writer]) -> tuple[ImageResult, list[str]]:
    """Write what is asked for of a result; what can not be written becomes its error, and the other pictures go on."""
    import dataclasses

    import cv2

    files: list[str] = []
    try:
        for writer in writers:
            files.extend(str(path) for path in writer(result))  # those before a failure stay listed
    except (OutputError, cv2.error) as error:
        failure = error if isinstance(error, OutputError) else OutputError(f"can not draw on {result.source}: {error}")
        if failure is not error:
            failure.__cause__ = error
        tell(result.source, failure)
        result = dataclasses.replace(result, error=failure)
    return result, files


Writer = Callable[[ImageResult], Iterable[Path]]
Painter = Callable[[ImageResult], UInt8Array]


def crop_writer(folder: Path, spec: CropSpec) -> Writer:
    """Writes NAME.INDEX.png per face; a detector without landmarks gives bbox crops of the same size."""
    _check_parent(folder)
    names = _Names()

    def write(result: ImageResult) -> Iterator[Path]:
        name = names.take(result.source)
        if result.image is None or result.detections is None:
            return
        own = (
            spec
            if spec.template is None or result.detections.landmarks is not None
            else CropSpec(spec.width, spec.height, margin=0.2, square=True)
        )
        make_folder(folder)
        for index, crop in zip(result.indices, cutting.cut(result.image, result.detections, own), strict=True):
            path = folder / f"{name}.{index}.png"
            write_bytes(path, codec.encode(crop, ".png"), parents=False)
            yield path

    return write


def annotation_writer(out: Path, paint: Painter, *, many: bool) -> Writer:
    """Writes each picture with what was found drawn on it: to the file `out`, or into the folder `out` for several.

    Refuses, before any work, a place that can not be.
    """
    folder = _takes_folder(out, many=many)
    if not folder:
        codec.check_suffix(out.suffix)
        check_writable(out)
    elif out.is_file():
        raise UsageError(f"--annotate {out} is a file, and there are several pictures", hint="name a folder")
    elif not out.is_dir() and out.suffix.lower() in SUFFIXES:
        raise UsageError(f"--annotate {out} names one picture, and there are several", hint="name a folder")
    else:
        _check_parent(out)
    names = _Names()

    def write(result: ImageResult) -> Iterator[Path]:
        path = _annotated(out, names.take(result.source)) if folder else out
        if result.image is None:
            return
        if folder:
            make_folder(out)
        write_bytes(path, codec.encode(paint(result), path.suffix), parents=False)
        yield path

    return write


def _takes_folder(out: Path, *, many: bool) -> bool:
    return many or out.is_dir() or not out.suffix


def _annotated(folder: Path, name: str) -> Path:
    return folder / f"{name}.jpg"


def _check_parent(folder: Path) -> None:
    if not folder.parent.is_dir():
        raise OutputError(f"can not write {folder}: there is no folder {folder.parent}", hint="make it first")


class _Names:
    """File names for results in one folder: the source's own name, numbered where two sources share it.

    Taken for every source in its order, so that all who count agree.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, source: str) -> str:
        """The name for a source."""
        stem = Path(source.rstrip("/").rpartition("/")[2].partition("?")[0]).stem or "picture"
        stem = "stdin" if source == "-" else stem
        name, number = stem, 1
        while name in self._taken:
            number += 1
            name = f"{stem}-{number}"
        self._taken.add(name)
        return name
