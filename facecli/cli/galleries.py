"""The gallery that a command works with, and its Faces: the gallery's own plugins unless others are named."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from facecli.cli import context, wiring
from facecli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from facecli.api.gallery import Gallery
    from facecli.cli.settings import InputSettings, OutputSettings, PluginSettings, RunSettings
    from facecli.gallery.store.journal import Change
    from facecli.gallery.store.store import GalleryStore


def gallery_path(given: Path | None) -> Path:
    """Return the file that was named, or the user's own gallery."""
    from facecli.gallery.store import place

    return place.default_path() if given is None else given


def open_store(given: Path | None) -> GalleryStore:
    """Return the store of a gallery that exists; it is closed when the command ends, in whatever way.

    Raises GalleryError.
    """
    from facecli.gallery.store.store import GalleryStore

    store = GalleryStore(gallery_path(given))
    context.at_the_end(store.close)
    return store


def change(
    output: OutputSettings, given: Path | None, made: Callable[[GalleryStore], Change], *, dry_run: bool
) -> None:
    """Make a change in a gallery that exists, and write what it changed. made: makes it, or counts it in a dry run."""
    from facecli.output import galleries as shown

    sink = context.open_sink(output)
    with sink.opened():
        store = open_store(given)
        document = shown.changed(store, made(store), dry_run=dry_run)
        store.close()
    sink.document(document, [shown.change_row(document)])


@contextmanager
def rehearsed(given: Path | None, *, dry_run: bool, create: bool = False) -> Iterator[Path]:
    """Give the path of the gallery to change: the user's, or for a rehearsal that of a copy, which goes away again.

    In the store, so that `models prune` finds what a run that was killed has left. create: the gallery may be missing.

    Raises GalleryError, ModelError, OutputError.
    """
    path = gallery_path(given)
    if not dry_run:
        yield path
        return
    from facecli.gallery.store import care
    from facecli.models.disk.work import work_folder

    with work_folder() as folder:
        copy = folder / path.name
        if os.path.exists(path) or not create:  # noqa: PTH110 # a Path raises for a name that is too long
            store = open_store(path)
            care.backup(store, copy)
            store.close()
        yield copy


def confirm(what: str, *, yes: bool) -> None:
    """Ask on the terminal whether to do something that can not be undone; `yes` answers.

    Raises UsageError where nobody can be asked and where the answer is no.
    """
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"nobody can be asked whether to {what}", hint="give {yes}, or {dry_run}", about=_ASKING)
    if not click.confirm(f"facecli: {what}?", err=True):
        raise UsageError("nothing was changed")


_ASKING = ("yes", "dry_run")


def open_gallery(
    given: Path | None,
    plugins: PluginSettings,
    running: RunSettings,
    reading: InputSettings,
    *,
    inputs: int | None,
    create: bool = False,
) -> Gallery:
    """Return an opened gallery; it is closed when the command ends. create: make its file if it is missing.

    Raises GalleryError, OutputError.
    """
    recognizer = None if context.defaulted("recognizer") else plugins.recognizer
    detector = None if context.defaulted("detector") else plugins.detector
    chosen = replace(plugins, recognizer=recognizer, detector=detector)
    faces = wiring.open_faces(chosen, running, reading, inputs=inputs)
    gallery = faces.gallery(gallery_path(given))
    store = gallery.store(create=create)
    context.at_the_end(store.close)
    return gallery
