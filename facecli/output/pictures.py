"""Pictures that a result leaves behind: crops of its faces, and copies with the faces drawn on them."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import cv2

from facecli.contract import CropSpec
from facecli.crops import cutting
from facecli.errors import OutputError, UsageError
from facecli.output.file_names import FileNames, annotated_copy, names_folder
from facecli.pictures import codec
from facecli.pictures.listing import SUFFIXES
from facecli.pipeline.results import ImageResult
from facecli.system import folders
from facecli.system.files import check_writable, is_folder, make_folder, write_bytes
from facecli.types import Detections, UInt8Array

# Writes the pictures of one result, and gives the path of each of them once it is there.
Writer = Callable[[ImageResult], Iterable[Path]]
# Draws a copy of a result's picture: (H, W, 3) uint8 RGB.
Painter = Callable[[ImageResult], UInt8Array]

BBOX_MARGIN = 0.2  # of the bbox's longer side, added on each side of a face that can not be aligned


def write(result: ImageResult, writers: Sequence[Writer]) -> tuple[ImageResult, list[str]]:
    """Run the writers on a result. Return the result and the names of the files that were written.

    A failure ends the writing for this result alone: it becomes the `error` of the result that is returned, and files
    that were written before it stay.
    """
    files: list[str] = []
    try:
        for writer in writers:
            files.extend(str(path) for path in writer(result))
    except OutputError as error:
        return dataclasses.replace(result, error=error), files
    except cv2.error as error:
        failure = OutputError(f"can not draw on {result.source}: {error}")
        failure.__cause__ = error
        return dataclasses.replace(result, error=failure), files
    return result, files


def crop_writer(folder: Path, spec: CropSpec) -> Writer:
    """Return a writer of NAME.INDEX.png per face into a folder, which is made for the first of them.

    spec: how to cut. Faces without landmarks give crops of the bbox, of the size that the spec has.

    Raises OutputError if nothing can be written there.
    """
    _check_place(folder)
    names = FileNames()

    def write_crops(result: ImageResult) -> Iterator[Path]:
        name = names.take(result.source)
        if result.image is None or result.detections is None:
            return
        make_folder(folder)
        crops = cutting.cut(result.image, result.detections, _feasible(spec, result.detections))
        for index, crop in zip(result.indices, crops, strict=True):
            path = folder / f"{name}.{index}.png"
            write_bytes(path, codec.encode(crop, ".png"), parents=False)
            yield path

    return write_crops


def annotation_writer(out: Path, paint: Painter, *, many: bool) -> Writer:
    """Return a writer of annotated copies: to the file `out`, or as NAME.jpg into the folder `out`.

    many: whether there may be several pictures, which need a folder.

    Raises UsageError or OutputError, before any picture is read, if `out` can not be such a file or folder.
    """
    folder = names_folder(out, many=many)
    if not folder:
        codec.check_suffix(out.suffix)
        check_writable(out)
    else:
        _check_folder(out)
    names = FileNames()

    def write_copy(result: ImageResult) -> Iterator[Path]:
        path = annotated_copy(out, names.take(result.source)) if folder else out
        if result.image is None:
            return
        if folder:
            make_folder(out)
        write_bytes(path, codec.encode(paint(result), path.suffix), parents=False)
        yield path

    return write_copy


def _feasible(spec: CropSpec, detections: Detections) -> CropSpec:
    """Return the spec, or one for bbox crops of its size if it needs landmarks that the detections lack."""
    if spec.template is None or detections.landmarks is not None:
        return spec
    return CropSpec(spec.width, spec.height, margin=BBOX_MARGIN, square=True)


def _check_folder(out: Path) -> None:
    if os.path.isfile(out):  # noqa: PTH113 # a Path raises for a name that is too long
        message = f"{{annotate}} {out} is a file, and there are several pictures"
        raise UsageError(message, hint="name a folder", about="annotate")
    if not is_folder(out) and out.suffix.lower() in SUFFIXES:
        message = f"{{annotate}} {out} names one picture, and there are several"
        raise UsageError(message, hint="name a folder", about="annotate")
    _check_place(out)


def _check_place(folder: Path) -> None:
    if not folder.parent.is_dir():
        raise OutputError(f"can not write {folder}: there is no folder {folder.parent}", hint="make it first")
    folders.check_writable(folder)
