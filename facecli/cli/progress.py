"""A bar over the pictures of a run, and one line on stderr for each of them that failed."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from threading import Thread
from typing import TYPE_CHECKING, Protocol, TypeVar

from facecli.cli import context
from facecli.cli.settings import OutputSettings
from facecli.cli.wording import option
from facecli.errors import FacecliError
from facecli.redaction import shortened
from facecli.system.streams import print_error, terminal

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from facecli.output.pictures import Writer
    from facecli.pipeline.results import ImageResult

MOST_NAMES = 3  # that a line lists
PROGRESS_FROM = 4  # inputs; a run of fewer is over before a bar is read
_bars: list[Progress] = []  # the bar on the terminal, if there is one


class Outcome(Protocol):
    """A picture that may have failed: an ImageResult or a Picture."""

    @property
    def source(self) -> str:
        """The picture's name."""

    @property
    def error(self) -> FacecliError | None:
        """The reason why it failed, or None."""


# A number, or a function that counts and takes its time, or None if the number is not known.
Total = int | Callable[[], int] | None
O = TypeVar("O", bound=Outcome)  # noqa: E741 # an outcome


def reporting_errors(outcomes: Iterable[O], output: OutputSettings, total: Total) -> Iterator[O]:
    """Pass outcomes on; print each error in one line, and show a bar if stderr is a terminal.

    total: how many outcomes there will be.
    """
    if _shows_bar(output) and (not isinstance(total, int) or total >= PROGRESS_FROM):
        outcomes = _with_bar(outcomes, total)
    doubts = _Doubts()
    for outcome in outcomes:
        doubts.note(outcome)
        if outcome.error is not None:
            report_error(outcome.source, outcome.error)
        else:
            _report_file(outcome, output)
        yield outcome
    doubts.report(output)


def report_pictures(outcomes: Iterable[Outcome], output: OutputSettings) -> None:
    """Print what there is to say of pictures that did not fail: of their files, and if they are hardly faces."""
    doubts = _Doubts()
    for outcome in outcomes:
        doubts.note(outcome)
        _report_file(outcome, output)
    doubts.report(output)


def _report_file(outcome: Outcome, output: OutputSettings) -> None:
    """Print what there is to say of a picture's file, such as that it has further pages; of an enrolment, nothing."""
    result, name = getattr(outcome, "result", outcome), shortened(outcome.source)
    said = []
    if (frames := getattr(result, "frames", None) or 1) > 1:
        said.append(f"{name} has {frames} frames or pages; the first is looked at")
    if damage := getattr(result, "damage", None):
        said.append(f"{name} may be damaged: {damage}; look at it")
    if said and not output.quiet:
        with _bars_away():
            for line in said:
                print_error(line)


class _Doubts:
    """The pictures that were taken as crops of faces and are hardly any: one line for all of them."""

    def __init__(self) -> None:
        self._first: list[str] = []
        self._count = 0

    def note(self, outcome: Outcome) -> None:
        """Keep what there is to say of a picture: an ImageResult, or what has one as `result`."""
        if doubt := getattr(getattr(outcome, "result", outcome), "doubt", None):
            self._count += 1
            if self._count <= MOST_NAMES:
                self._first.append(f"{shortened(outcome.source)} {doubt}")

    def report(self, output: OutputSettings) -> None:
        """Print the line, if there is anything to say."""
        if self._count and not output.quiet:
            more = f" and {self._count - MOST_NAMES} more" if self._count > MOST_NAMES else ""
            whole = f"{option('no_detect')} takes each whole picture as a face, and nothing was looked for"
            print_error(
                f"{', '.join(self._first)}{more}: {whole}; the answer means nothing unless it is an upright one"
            )


def report_error(source: str, error: FacecliError) -> None:
    """Print one line about an input that failed; with --debug the traceback before it."""
    with _bars_away():
        if error.__cause__ is not None and context.root_flag("debug"):
            traceback.print_exception(error)
        text, source = error.text(option), shortened(source)
        print_error(text if source in text else f"{source}: {text}")


@contextmanager
def _bars_away() -> Iterator[None]:
    """Take the bar off the terminal while the block prints, so that its line does not begin behind it."""
    for bar in _bars:
        bar.stop()
    yield
    for bar in _bars:
        bar.start()


def report_remarks(results: Sequence[ImageResult], count: int) -> None:
    """Print one line about the pictures, of `count` in all, that have no face; of a single picture its remark."""
    if count == 1 and (remark := results[0].remark) is not None:
        print_error(remark.text(option))
        return
    names = ", ".join(result.source for result in results[:MOST_NAMES])
    more = f" and {len(results) - MOST_NAMES} more" if len(results) > MOST_NAMES else ""
    failure = f"{option('require_face')} makes that a failure"
    print_error(f"no face found in {len(results)} of {count} pictures: {names}{more}; {failure}")


def report_summary(parts: Mapping[str, int], output: OutputSettings) -> None:
    """Print one line that sums up a run of many pictures, for who watches it on a terminal.

    parts: a word and how many there are of it, the pictures first; what there is none of is left out after these.
    """
    first, *others = parts.items()
    if first[1] >= PROGRESS_FROM and not output.quiet and sys.stderr.isatty():
        shown = [first, *((word, count) for word, count in others if count)]
        print_error(", ".join(f"{count} {word}" for word, count in shown))


def write_pictures(result: ImageResult, writers: Sequence[Writer]) -> tuple[ImageResult, list[str]]:
    """Run the writers on a result, and print the error if one of them fails; see facecli.output.pictures.write."""
    if not writers:
        return result, []
    from facecli.output.pictures import write

    written, files = write(result, writers)
    if written.error is not None and written.error is not result.error:
        report_error(result.source, written.error)
    return written, files


def _shows_bar(output: OutputSettings) -> bool:
    """Return whether to show a bar: only on a terminal, and not if stdout streams results to the same one."""
    stdout = sys.__stdout__  # sys.stdout is stderr by now
    streams = output.json or output.format not in (None, "table")
    shared = streams and stdout is not None and stdout.isatty()
    return not output.quiet and sys.stderr.isatty() and not shared


def _with_bar(outcomes: Iterable[O], total: Total) -> Iterator[O]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(file=terminal()), transient=True) as bar:
        _bars.append(bar)
        try:
            task = bar.add_task("", total=total if isinstance(total, int) else None)
            if callable(total):
                Thread(target=_count, args=(bar, task, total), daemon=True).start()
            yield from bar.track(outcomes, task_id=task)
        finally:
            _bars.remove(bar)


def _count(bar: Progress, task: TaskID, count: Callable[[], int]) -> None:
    """Give a bar its total as soon as that is known; it runs beside the work."""
    with suppress(FacecliError, OSError):  # which the work itself reports
        bar.update(task, total=count())
