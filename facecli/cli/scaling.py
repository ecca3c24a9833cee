"""The common part of detect, embed, emotion and analyze where the output is a folder: a job on an engine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from facecli.cli import context, job_progress
from facecli.cli.settings import InputSettings, JobSettings, OutputSettings, PluginSettings, RunSettings
from facecli.cli.stopping import stopping
from facecli.errors import UsageError
from facecli.system.streams import print_error

if TYPE_CHECKING:
    from facecli.api.selection import Request

INTERRUPTED = 130
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
    from facecli.places.opening import open_place
    from facecli.scale import job as jobs
    from facecli.scale import journal, listing, run, state
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
        running.jobs or 1,
        third_party=context.registry().third_party,
        offline=True if context.root_flag("offline") else None,
    )
    resources = Resources(job.workers, running.threads, available_cores(), running.device)
    changes = parse_parameters(job.engine_option, "--engine-option", "ENGINE.NAME=VALUE")
    engine = load_engine(context.registry(), job.engine, resources, changes)
    place_name = output.folder if "://" in output.folder else os.path.abspath(output.folder)  # noqa: PTH100
    place = open_place(place_name)
    opened = jobs.opened(place, query, jobs.Inputs(reading.inputs, reading.files_from, reading.files_from0), job.shard)
    shards = state.pending(place, opened, retry_failed=job.retry_failed)
    job_progress.tell(output, job_progress.beginning(opened, len(shards), output.folder))
    in_store = shards and any("://" in name for name in listing.read(place, opened.listing, shards[0].number))
    asked = replace(opened.query, jobs=running.jobs or (STORE_READERS if in_store else 1))
    work = ShardWork(asked, place_name, opened.listing, job.retry_failed)
    stop = run.Stop()
    states = run.run(engine, work, shards, stop, partial(journal.notes_on, place))
    with stopping(stop, lambda line: job_progress.tell(output, line)):
        for progress in job_progress.told(states, output):
            last = progress
    done = state.finish(place, opened)
    if done is None:
        print_error(f"ended before all shards were done; the same command goes on: {output.folder}")
        return INTERRUPTED
    rate = f" ({last.rate:.1f} pictures/s)" if shards else ""
    pictures, faces, parts = (job_progress.counted(done[f"{noun}s"], noun) for noun in ("picture", "face", "shard"))
    job_progress.tell(output, f"{output.folder} has {pictures}, {faces}, {done['failed']} failed, in {parts}{rate}")
    return 1 if done["failed"] else 0


def _request(question: Question, reading: InputSettings, plugins: PluginSettings, running: RunSettings) -> Request:
    """Return what is asked about each face, with attributes resolved to models that are installed here."""
    from facecli.api.selection import Request
    from facecli.cli import wiring

    if question.command in ("detect", "embed"):
        return Request(embed=question.embed)
    engine = wiring.open_faces(plugins, running, reading, inputs=1).engine
    return engine.request(question.names, embed=question.embed)
