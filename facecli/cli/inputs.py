"""Pictures in and out of a command: its sources, and the crops and annotated copies that it writes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from facecli.cli import context, preset
from facecli.cli.settings import Settings
from facecli.errors import UsageError
from facecli.hosting.choice import load_recognizer
from facecli.output import drawing
from facecli.output.overwriting import OutputPaths, protected
from facecli.output.pictures import Writer, annotation_writer, crop_writer
from facecli.pictures.listing import expand
from facecli.pictures.sources import Source


def open_sources(inputs: tuple[str, ...], settings: Settings) -> Iterator[Source]:
    """The sources that the inputs and --files-from name.

    No output of the running command takes the place of an input: raises UsageError where that shows at once; a picture
    that would be overwritten among many fails instead of being read.
    """
    sources = expand(inputs, files_from=settings.files_from, files_from0=settings.files_from0)
    options = click.get_current_context().params
    paths = OutputPaths(**{name: options.get(name) for name in ("crops", "annotate", "output")})
    return protected(sources, inputs, paths, many=count_inputs(inputs, settings) != 1)


def face_writers(
    settings: Settings, crops: Path | None, crops_for: str, annotate: Path | None, *, many: bool
) -> list[Writer]:
    """What --crops and --annotate ask to be written for each result."""
    writers: list[Writer] = []
    if crops is not None:
        spec = load_recognizer(context.registry(), crops_for, preset.crops(settings)).crop
        writers.append(crop_writer(crops, spec))
    if annotate is not None:
        writers.append(annotation_writer(annotate, drawing.faces_of, many=many))
    return writers


def count_inputs(inputs: Sequence[str], settings: Settings) -> int | None:
    """How many pictures the inputs are, if that can be told without looking at folders and lists."""
    if settings.files_from or settings.files_from0:
        return None
    if not inputs:
        raise UsageError("no input", hint="name files, folders, globs or URLs, or - for a picture on stdin")
    # os.path: a Path raises for a name that is too long.
    unknown = any(os.path.isdir(name) or set("*?[") & set(name) for name in inputs)  # noqa: PTH112
    return None if unknown else len(inputs)
