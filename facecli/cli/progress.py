"""A bar over the pictures of a run, and one line for each of them that failed."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from facecli.cli.settings import Settings, _root_flag
from facecli.cli.wording import option
from facecli.errors import FacecliError
from facecli.system.streams import print_error

if TYPE_CHECKING:
    from rich.progress import Progress

    from facecli.output.pictures import Writer
    from facecli.pipeline.results import ImageResult

PROGRESS_FROM = 4  # inputs; fewer are done before a bar is read
_bars: list[Progress] = []  # the one that is shown, if any


def told(results: Iterable[ImageResult], settings: Settings, total: int | None) -> Iterator[ImageResult]:
    """Pass results on; tell each error on stderr in one line, and progress if stderr is a terminal."""
    if _wants_bar(settings) and (total is None or total >= PROGRESS_FROM):
        results = _with_progress(results, total)
    for result in results:
        if result.error is not None:
            tell(result.source, result.error)
        yield result


def tell(source: str, error: FacecliError) -> None:
    """One line on stderr about an input that failed; with --debug, where it comes from."""
    for bar in _bars:
        bar.stop()  # erases it, so that the line does not begin behind it
    if error.__cause__ is not None and _root_flag("debug"):
        traceback.print_exception(error)
    text = error.text(option)
    print_error(text if source in text else f"{source}: {text}")
    for bar in _bars:
        bar.start()


def write_pictures(result: ImageResult, writers: Sequence[Writer]) -> tuple[ImageResult, list[str]]:
    """Run the writers on a result, and print the error if one of them fails; see facecli.output.pictures.write."""
    from facecli.output.pictures import write

    written, files = write(result, writers)
    if written.error is not None and written.error is not result.error:
        tell(result.source, written.error)
    return written, files


def _wants_bar(settings: Settings) -> bool:
    """Whether a bar helps and harms nothing: a terminal that shows data meanwhile has no room for it."""
    stdout = sys.__stdout__  # sys.stdout is stderr by now
    streams = settings.json or settings.format not in (None, "table")
    shared = streams and stdout is not None and stdout.isatty()
    return not settings.quiet and sys.stderr.isatty() and not shared


def _with_progress(results: Iterable[ImageResult], total: int | None) -> Iterator[ImageResult]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        _bars.append(bar)
        try:
            yield from bar.track(results, total=total)
        finally:
            _bars.remove(bar)
