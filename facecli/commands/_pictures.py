"""Pictures in and out of a command: its sources, and the crops and annotated copies that it writes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

from facecli import align, draw, images
from facecli.commands import _preset, _work
from facecli.commands._options import Settings
from facecli.contract import CropSpec
from facecli.errors import OutputError, UsageError
from facecli.files import check_writable, make_folder, refuse_inputs, same_file, write_bytes
from facecli.pipeline import ImageResult
from facecli.sources import SUFFIXES, Source, expand
from facecli.toolbox import load_recognizer
from facecli.types import Limits, UInt8Array

Writer = Callable[[ImageResult], Iterable[Path]]
Painter = Callable[[ImageResult], UInt8Array]


def open_sources(inputs: tuple[str, ...], settings: Settings) -> Iterator[Source]:
    """The sources that the inputs and --files-from name.

    No output of the running command takes the place of an input: raises UsageError where that shows at once; a picture
    that would be overwritten among many fails instead of being read.
    """
    sources = expand(inputs, files_from=settings.files_from, files_from0=settings.files_from0)
    options = click.get_current_context().params
    crops, annotate, output = (options.get(name) for name in ("crops", "annotate", "output"))
    if crops is not None:
        refuse_inputs(crops, inputs, "--crops")
    if output is not None:
        refuse_inputs(output, inputs, "--output")
    if annotate is None:
        return sources
    if not _takes_folder(annotate, many=_work.count_inputs(inputs, settings) != 1):
        refuse_inputs(annotate, inputs, "--annotate")
        return sources
    return _guarded(sources, annotate, inputs)


def face_writers(
    settings: Settings, crops: Path | None, crops_for: str, annotate: Path | None, *, many: bool
) -> list[Writer]:
    """What --crops and --annotate ask to be written for each result."""
    writers: list[Writer] = []
    if crops is not None:
        spec = load_recognizer(_work.registry(), crops_for, _preset.crops(settings)).crop
        writers.append(crop_writer(crops, spec))
    if annotate is not None:
        writers.append(annotation_writer(annotate, draw.faces_of, many=many))
    return writers


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
        for index, crop in zip(result.indices, align.cut(result.image, result.detections, own), strict=True):
            path = folder / f"{name}.{index}.png"
            write_bytes(path, images.encode(crop, ".png"), parents=False)
            yield path

    return write


def annotation_writer(out: Path, paint: Painter, *, many: bool) -> Writer:
    """Writes each picture with what was found drawn on it: to the file `out`, or into the folder `out` for several.

    Refuses, before any work, a place that can not be.
    """
    folder = _takes_folder(out, many=many)
    if not folder:
        images.check_suffix(out.suffix)
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
        write_bytes(path, images.encode(paint(result), path.suffix), parents=False)
        yield path

    return write


def _takes_folder(out: Path, *, many: bool) -> bool:
    return many or out.is_dir() or not out.suffix


def _annotated(folder: Path, name: str) -> Path:
    return folder / f"{name}.jpg"


def _check_parent(folder: Path) -> None:
    if not folder.parent.is_dir():
        raise OutputError(f"can not write {folder}: there is no folder {folder.parent}", hint="make it first")


def _guarded(sources: Iterable[Source], out: Path, inputs: tuple[str, ...]) -> Iterator[Source]:
    """The sources; instead of one whose annotated copy would overwrite a picture that is an input, one that fails."""
    names, known = _Names(), _Inputs(inputs)
    for source in sources:
        known.add(source.name)
        target = _annotated(out, names.take(source.name))
        if same_file(target, source.name):
            yield _refusing(source, "its own input")
        elif target in known:
            yield _refusing(source, f"the input {target}")
        else:
            yield source


def _refusing(source: Source, what: str) -> Source:
    def refuse(name: str, _limits: Limits) -> bytes:
        raise OutputError(f"the annotated copy of {name} would overwrite {what}", hint="choose another --annotate")

    return Source(source.name, refuse)


class _Inputs:
    """The files that are known to be inputs: those named, those met so far, and all that is in the folders named."""

    def __init__(self, names: Iterable[str]) -> None:
        self._files: set[tuple[int, int]] = set()
        self._folders: list[str] = []
        for name in names:
            if os.path.isdir(name):  # noqa: PTH112 # a Path raises for a name that is too long
                self._folders.append(os.path.join(os.path.realpath(name), ""))  # noqa: PTH118
            else:
                self.add(name)

    def add(self, name: str) -> None:
        """Take one file in; what can not be looked at is none."""
        if (identity := _identity(name)) is not None:
            self._files.add(identity)

    def __contains__(self, path: Path) -> bool:
        identity = _identity(str(path))
        inside = any(os.path.realpath(path).startswith(folder) for folder in self._folders)
        return identity is not None and (inside or identity in self._files)


def _identity(name: str) -> tuple[int, int] | None:
    try:
        status = os.stat(name)  # noqa: PTH116
    except (OSError, ValueError):
        return None
    return status.st_dev, status.st_ino


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
