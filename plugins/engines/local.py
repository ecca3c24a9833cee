"""The engine `local`: a process for each core of this machine."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from facecli.contract import EnginePlugin, Parameters, Resources, Shard, ShardReport, Work, hookimpl
from facecli.errors import FacecliError

PATIENCE = 5.0  # seconds for a process that was told to end
# A terminal's Ctrl-C, and the SIGTERM of a service that is stopped, reach all processes; the one that gives out the
# shards decides about them.
OURS = (signal.SIGINT, signal.SIGTERM)


@dataclass(slots=True)
class _Hand:
    """A worker's process, our end of the pipe to it, and the shard that it works on."""

    process: BaseProcess
    pipe: Connection
    shard: Shard | None = None

    def give(self, shard: Shard) -> None:
        """Let the worker begin a shard. One that has died in between is found when it is waited for."""
        self.shard = shard
        with suppress(OSError):
            self.pipe.send(shard)

    def dismiss(self) -> None:
        """End the process: it comes to the end of its pipe, or is killed where it does not look at it."""
        self.pipe.close()
        if self.shard is not None:
            self.process.kill()
        self.process.join(PATIENCE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


class LocalEngine:
    """Runs shards in processes of this machine. workers: processes. threads: CPU threads of each."""

    def __init__(self, workers: int, threads: int) -> None:
        self._workers, self._threads = workers, threads
        # spawn: a fork of a process that has threads, such as those of ONNX Runtime, may hang.
        self._context = get_context("spawn")

    def run(self, work: Work, shards: Iterable[Shard]) -> Iterator[ShardReport]:
        """Yield a report per shard as soon as it has ended. Raises what a worker raised."""
        coming = iter(shards)
        hands: list[_Hand] = []
        try:
            while True:
                while len(hands) < self._workers and (shard := next(coming, None)) is not None:
                    hands.append(self._hired(work))
                    hands[-1].give(shard)
                if not hands:
                    return
                ready = wait([thing for hand in hands for thing in (hand.pipe, hand.process.sentinel)])
                for hand in [hand for hand in hands if hand.pipe in ready or hand.process.sentinel in ready]:
                    report = _answer(hand)
                    alive = report.lost is None
                    hand.shard = None
                    yield report
                    if alive and (shard := next(coming, None)) is not None:
                        hand.give(shard)
                    else:
                        hands.remove(hand)
                        hand.dismiss()
        finally:
            for hand in hands:
                hand.dismiss()

    def _hired(self, work: Work) -> _Hand:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_serve, args=(theirs, work, self._threads), daemon=True)
        with _blocked():  # also in the process that begins
            process.start()
        theirs.close()
        return _Hand(process, ours)


@contextmanager
def _blocked() -> Iterator[None]:
    """Let the signals of OURS wait until the block has ended."""
    if not hasattr(signal, "pthread_sigmask"):  # as on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, OURS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _answer(hand: _Hand) -> ShardReport:
    """Return what became of a worker's shard. Raises what the worker raised."""
    assert hand.shard is not None
    try:
        told: ShardReport | BaseException = hand.pipe.recv()
    except (EOFError, OSError):
        hand.process.join(PATIENCE)
        return ShardReport(hand.shard.number, lost=_death(hand.process.exitcode))
    if isinstance(told, BaseException):
        raise told
    return told


def _death(code: int | None) -> str:
    """Return the end of a process in words. code: its exit code, the negative number of a signal, or None."""
    if code is None:
        return "it does not answer"
    return f"killed by signal {-code} ({signal.strsignal(-code)})" if code < 0 else f"exited with {code}"


def _serve(pipe: Connection, work: Work, threads: int) -> None:
    """Work on the shards that arrive in a pipe until it ends: the process of a worker.

    What is printed goes to stderr: stdout is data.
    """
    for number in OURS:
        signal.signal(number, signal.SIG_IGN)
    os.dup2(2, 1)
    try:
        worker = work.open(threads)
        while True:
            pipe.send(worker(pipe.recv()))
    except EOFError:
        return
    except BrokenPipeError:  # nobody is there who would listen
        return
    except FacecliError as error:
        pipe.send(error)
    except Exception as error:  # noqa: BLE001 # it may hold what can not be sent
        pipe.send(RuntimeError(f"{type(error).__name__}: {error}"))


def _load(resources: Resources, _parameters: Parameters) -> LocalEngine:
    workers = resources.workers or max(1, resources.cores // (resources.threads or 1))
    return LocalEngine(workers, resources.threads or max(1, resources.cores // workers))


@hookimpl
def facecli_engines() -> Iterator[EnginePlugin]:
    """Yield the engine."""
    yield EnginePlugin(name="local", summary="a process for each core of this machine", load=_load)
