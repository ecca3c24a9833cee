"""The common part of detect, embed, emotion and analyze where the output is a folder: a job on an engine."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from facecli.cli import context
from facecli.cli.settings import InputSettings, JobSettings, OutputSettings, PluginSettings, RunSettings
from facecli.cli.stopping import stopping
from facecli.errors import UsageError
from facecli.system.streams import print_error

if TYPE_CHECKING:
    from facecli.api.selection import Request
    from facecli.scale.run import Progress

INTERRUPTED = 130
OFTEN, SELDOM = 5.0, 60.0  # seconds between two lines of progress, on a terminal and in a log
STORE_READERS = 4  # pictures that a worker fetches at once where they lie in a store


def refuse_without_folder(job: JobSettings) -> None:
    """Raise UsageError for typed options of a job where the output is no folder."""
    for name in ("engine", "engine_option", "workers", "shard", "retry_failed"):
        if context.typed(name) and getattr(job, name) is not None:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"{option} is of a job", hint="give a folder as output, such as -o OUT/")


@dataclass(frozen=True, slots=True)
class Question:
    """A question about each picture of a job.

    command: its name. names: attributes that are asked for, None for the default ones. embed: with embeddings. refused:
    names of the command's parameters that a job has no use for.
    """

    command: str
    names: Sequence[str] | None = None
    embed: bool = False
    refused: Sequence[str] = ()


def answer(
    question: Question,
    reading: InputSettings,
    plugins: PluginSettings,
    running: RunSettings,
    output: OutputSettings,
    job: JobSettings,
) -> int:
    """Run the job of a command in its folder until it is done. Return the exit code: 1 if a picture failed."""
    assert output.folder is not None
    for name in ("format", "json", *question.refused):
        if context.typed(name):
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"{option} does not go with a folder as output", hint=f"leave {option} out")

    from facecli.cli import wiring
    from facecli.cli.values import parse_parameters
    from facecli.contract import Resources
    from facecli.hosting.engines import load_engine
    from facecli.scale import job as jobs
    from facecli.scale import run
    from facecli.scale.places import open_place
    from facecli.scale.query import Query
    from facecli.scale.work import ShardWork
    from facecli.system.cores import available_cores

    request = _request(question, reading, plugins, running)
    query = Query(
        question.command,
        wiring.settings(plugins, running, reading),
        request,
        plugins.face,
        plugins.require_face,
        running.jobs or (STORE_READERS if any("://" in name for name in reading.inputs) else 1),
        third_party=context.registry().third_party,
        offline=True if context.root_flag("offline") else None,
    )
    place_name = output.folder if "://" in output.folder else os.path.abspath(output.folder)  # noqa: PTH100
    place = open_place(place_name)
    opened = jobs.opened(place, query, jobs.Inputs(reading.inputs, reading.files_from, reading.files_from0), job.shard)
    shards = run.pending(place, opened, retry_failed=job.retry_failed)
    _tell(output, _beginning(opened, len(shards), output.folder))
    resources = Resources(job.workers, running.threads, available_cores(), running.device)
    changes = parse_parameters(job.engine_option, "--engine-option", "ENGINE.NAME=VALUE")
    engine = load_engine(context.registry(), job.engine, resources, changes)
    work = ShardWork(opened.query, place_name, job.retry_failed)
    stop = run.Stop()
    with stopping(stop, lambda line: _tell(output, line)):
        for progress in _told(run.run(engine, work, shards, stop), output):
            last = progress
    done = run.finish(place, opened)
    if done is None:
        print_error(f"ended before all shards were done; the same command goes on: {output.folder}")
        return INTERRUPTED
    rate = f" ({last.rate:.1f} pictures/s)" if shards else ""
    counts = f"{done['pictures']} pictures, {done['faces']} faces, {done['failed']} failed"
    _tell(output, f"{output.folder} has {counts}, in {_counted(done['shards'], 'shard')}{rate}")
    return 1 if done["failed"] else 0


def _request(question: Question, reading: InputSettings, plugins: PluginSettings, running: RunSettings) -> Request:
    """Return what is asked about each face, with attributes resolved to models that are installed here."""
    from facecli.api.selection import Request
    from facecli.cli import wiring

    if question.command in ("detect", "embed"):
        return Request(embed=question.embed)
    engine = wiring.open_faces(plugins, running, reading, inputs=1).engine
    return engine.request(question.names, embed=question.embed)


def _beginning(job: Any, left: int, folder: str) -> str:
    parts = {"picture": job.pictures - job.archives, "archive": job.archives}
    count = " and ".join(_counted(number, noun) for noun, number in parts.items() if number)
    if job.resumed:
        return f"{folder} has a job of {count}: {job.shards - left} of {_counted(job.shards, 'shard')} are done"
    return f"{folder}: a job of {count} in {_counted(job.shards, 'shard')}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _told(states: Iterator[Progress], output: OutputSettings) -> Iterator[Progress]:
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
            _tell(output, f"{shards}, {state.pictures} pictures, {state.rate:.1f} pictures/s{left}")
        yield state


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes >= 3 else f"{minutes * 60 + rest} s"


def _tell(output: OutputSettings, line: str) -> None:
    if not output.quiet:
        print_error(line)
