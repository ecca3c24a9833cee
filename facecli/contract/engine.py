"""The contract of an engine: a plugin that runs shards of pictures on the cores of a machine or of many machines.

facecli makes the shards, and a worker writes the files of each; the engine decides where and when a shard is worked on,
and tells what became of it. A shard may be worked on twice: its files have its number, and the second replaces them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from facecli.contract.hooks import API_VERSION
from facecli.contract.runtime import Parameters


@dataclass(frozen=True, slots=True)
class Shard:
    """A list of pictures that becomes one output file.

    number: its place among all shards. careful: a worker has died on it, so that the next one takes picture by picture.
    """

    number: int
    careful: bool = False


@dataclass(frozen=True, slots=True)
class ShardReport:
    """The end of one shard.

    lost: why the worker is gone, such as "killed by signal 9"; None for a shard whose files are written. pictures:
    that were looked at, all of the shard or, with --retry-failed, those tried again. failed, faces: of the whole shard.
    """

    number: int
    lost: str | None = None
    pictures: int = 0
    failed: int = 0
    faces: int = 0


class Worker(Protocol):
    """Works on shards, with models that are loaded; one thread calls it, a shard at a time."""

    def __call__(self, shard: Shard) -> ShardReport:
        """Write the files of a shard. Raises what no other worker could do better, such as ModelError."""


class Work(Protocol):
    """The job as a frozen value without open files or models; pickle carries it to another process."""

    def open(self, threads: int) -> Worker:
        """Load the models; called once in each worker's process. threads: CPU threads that the worker keeps busy."""


@dataclass(frozen=True, slots=True)
class Resources:
    """The amount of work at once that the user asked for.

    workers: processes; None leaves it to the engine. threads: of one worker; None divides the cores. cores: of the
    machine where the engine is loaded, which is not always one that works. device: as ONNX Runtime is told, such as
    "cpu" or "cuda".
    """

    workers: int | None = None
    threads: int | None = None
    cores: int = 1
    device: str = "auto"


class Engine(Protocol):
    """Runs shards; `EnginePlugin.load` returns it."""

    def run(self, work: Work, shards: Iterable[Shard]) -> Iterator[ShardReport]:
        """Yield one report per shard, in any order, each as soon as its shard has ended.

        Take the next shard only when a worker is free for it: there may be millions, and the user's Ctrl-C ends the
        iterable. A worker that dies loses its own shard alone: yield a report with `lost`, and go on with a new worker;
        the shard may come again, careful, in the same iterable. What a worker raises, raise. When the generator is
        closed, end the workers.
        """


@dataclass(frozen=True, slots=True)
class EnginePlugin:
    """Describes an engine. Making one must be quick: nothing is loaded before `load` is called.

    name: the name of the entry point, which users type. summary: one line for lists. load: makes the engine. It raises
    DeviceError if what the engine stands on is not installed or not reached. parameters: the settings that users may
    change, with their defaults; a value must have the type of its default. api: leave it out.
    """

    name: str
    summary: str
    load: Callable[[Resources, Parameters], Engine]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    api: int = API_VERSION
