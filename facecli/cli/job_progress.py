"""The progress of a job in lines on stderr: its beginning, the rate, the time left, and workers that died."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from facecli.system.streams import print_error

if TYPE_CHECKING:
    from facecli.cli.settings import OutputSettings
    from facecli.scale.job import Job
    from facecli.scale.progress import Progress

OFTEN, SELDOM = 5.0, 60.0  # seconds between two lines of progress, on a terminal and in a log


def beginning(job: Job, left: int, folder: str) -> str:
    """Return a line about a job that begins or goes on. left: shards that are not done."""
    parts = {"picture": job.pictures - job.archives, "archive": job.archives}
    count = " and ".join(counted(number, noun) for noun, number in parts.items() if number)
    if job.resumed:
        return f"{folder} has a job of {count}: {job.shards - left} of {counted(job.shards, 'shard')} done"
    return f"{folder}: a job of {count} in {counted(job.shards, 'shard')}"


def counted(number: int, noun: str) -> str:
    """Return a number of things in words, such as "3 shards"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def told(states: Iterator[Progress], output: OutputSettings) -> Iterator[Progress]:
    """Pass states of a run on; print a line about one now and then, and about each worker that died."""
    pause = OFTEN if sys.stderr.isatty() else SELDOM
    told, lost = time.monotonic(), 0
    for state in states:
        if state.lost > lost:
            lost = state.lost
            print_error(f"a worker died ({state.reason}); its shard is done again, picture by picture")
        if time.monotonic() - told >= pause and state.done < state.shards:
            told = time.monotonic()
            left = "" if state.seconds_left is None else f", {_duration(state.seconds_left)} left"
            shards = f"{state.done} of {state.shards} shards"
            tell(output, f"{shards}, {state.pictures} pictures, {state.rate:.1f} pictures/s{left}")
        yield state


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes >= 3 else f"{minutes * 60 + rest} s"


def tell(output: OutputSettings, line: str) -> None:
    """Print a line on stderr, unless --quiet asks for none."""
    if not output.quiet:
        print_error(line)
