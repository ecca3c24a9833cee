"""Progress of model files that are fetched, on a terminal; elsewhere nothing, for nobody reads a log while it grows."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from facecli.system.streams import one_line, print_error, terminal

Progress = Callable[[str, int, int | None], None]


@contextmanager
def progress_bars(*, quiet: bool = False) -> Iterator[Progress]:
    """Show a bar per file while the block runs, if stderr is a terminal; yields the function to report progress to."""
    if quiet or not sys.stderr.isatty():
        yield _ignored
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    text = TextColumn("{task.description}", markup=False)
    columns = text, BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    bars = Bars(*columns, console=Console(file=terminal()), transient=True)
    tasks: dict[str, TaskID] = {}

    def report(name: str, done: int, total: int | None) -> None:
        if name not in tasks:
            bars.start()  # not before there is something to show: it would leave an empty line
            tasks[name] = bars.add_task(one_line(name), total=total)
        bars.update(tasks[name], completed=done, total=total)

    try:
        yield report
    finally:
        if tasks:
            bars.stop()


def _ignored(name: str, done: int, total: int | None) -> None:
    """Show nothing."""


def line_per_file() -> Progress | None:
    """Return a function that prints one line per file as it begins, None if stderr is no terminal.

    For commands that fetch a model on the way to another result.
    """
    if not sys.stderr.isatty():
        return None
    begun: set[str] = set()

    def report(name: str, done: int, total: int | None) -> None:  # noqa: ARG001 # a bar would need it
        if name not in begun:
            begun.add(name)
            print_error(f"fetching {name}" + (f", {total / 1e6:.1f} MB" if total else ""))

    return report
