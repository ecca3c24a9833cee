"""The engine `ray`: workers are actors of a Ray cluster, one shard at a time each.

Of Ray its core alone is used. Its data sets would carry the pictures' bytes between processes, and a pool of actors
that takes every CPU leaves their readers none and waits for ever (ray-project/ray#44687); here nothing but actors wants
a CPU, and a shard is given only to an actor that runs.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable, Iterator
from typing import Any

from facecli.contract import EnginePlugin, Parameters, Resources, Shard, ShardReport, Work, Worker, hookimpl
from facecli.errors import DeviceError, FacecliError

GPUS = ("cuda", "tensorrt")  # devices that want a share of a GPU
MOST_DEATHS = 3  # of actors in a row that die while they load their models
POLL = 1.0  # seconds
ANSWER = 10.0  # seconds for a cluster's address to answer
# Ray gives its own processes 15 seconds to begin, which a busy machine may not have (ray-project/ray#65983).
STARTS = 3  # of a cluster of this machine
# Ray sends its maker facts about its use, and warns of changes to come; a variable of the user's own stays.
ENVIRONMENT = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


class Hand:
    """A worker as an actor; its class, made an actor by Ray, runs in a process of its own."""

    def __init__(self) -> None:
        self._worker: Worker | None = None

    def open(self, work: Work, threads: int) -> None:
        """Load the models."""
        self._worker = work.open(threads)

    def do(self, shard: Shard) -> ShardReport:
        """Work on a shard."""
        assert self._worker is not None
        return self._worker(shard)


class RayEngine:
    """Runs shards in actors.

    ray: the module, connected to a cluster. workers: actors. threads: CPU threads of each. claim: what an actor takes,
    as Ray names it. patience: seconds for an actor to run while none does.
    """

    def __init__(self, ray: Any, workers: int, threads: int, claim: dict[str, float], patience: float) -> None:
        self._ray, self._workers, self._threads = ray, workers, threads
        self._actor = ray.remote(max_restarts=0, **claim)(Hand)
        self._patience = patience

    def run(self, work: Work, shards: Iterable[Shard]) -> Iterator[ShardReport]:
        """Yield a report per shard as soon as it has ended. Raises what a worker raised, DeviceError if none runs."""
        ray, coming, begun = self._ray, iter(shards), time.monotonic()
        shared = ray.put(work)
        opening: dict[Any, Any] = {}  # the answer to come -> the actor
        busy: dict[Any, tuple[Any, Shard]] = {}
        deaths, more = 0, True  # more: shards may be waiting; one is taken when an actor is free, and not before
        try:
            while busy or more:
                while more and len(opening) + len(busy) < self._workers:
                    actor = self._actor.remote()
                    opening[actor.open.remote(shared, self._threads)] = actor
                ready, _ = ray.wait([*opening, *busy], num_returns=1, timeout=POLL)
                if not ready:
                    if not busy and time.monotonic() - begun > self._patience:
                        raise self._nobody()
                    continue
                (answer,) = ready
                if answer in opening:
                    actor = opening.pop(answer)
                    reason = self._reason(answer)
                    deaths = deaths + 1 if reason else 0
                    if deaths >= MOST_DEATHS:
                        raise DeviceError(f"workers die while they load: {reason}", hint="look at Ray's logs")
                    report = None
                else:
                    actor, shard = busy.pop(answer)
                    reason = self._reason(answer)
                    report = ShardReport(shard.number, lost=reason) if reason else ray.get(answer)
                begun = time.monotonic()
                if report is not None:
                    yield report
                following = None if reason else next(coming, None)
                more = more and bool(reason or following)
                if following is None:
                    ray.kill(actor)
                else:
                    busy[actor.do.remote(following)] = (actor, following)
        finally:
            for actor in (*opening.values(), *(actor for actor, _ in busy.values())):
                ray.kill(actor)

    def _reason(self, answer: Any) -> str | None:
        """Return why an actor has died, None for one that has answered. Raises what it raised."""
        errors = self._ray.exceptions
        try:
            self._ray.get(answer)
        except errors.RayTaskError as error:
            cause: BaseException = error.cause
            if isinstance(cause, FacecliError):
                raise cause from None
            raise RuntimeError(f"{type(cause).__name__}: {cause}") from error
        except errors.RayError as error:
            return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        return None

    def _nobody(self) -> DeviceError:
        free = {name: count for name, count in self._ray.available_resources().items() if name in ("CPU", "GPU")}
        told = ", ".join(f"{count:g} {name}" for name, count in sorted(free.items())) or "no CPU"
        message = f"no worker has started in {self._patience:g} seconds; the cluster has {told} free"
        return DeviceError(message, hint="wait for it, or lower the engine's parameters cpus and gpus")


def _load(resources: Resources, parameters: Parameters) -> RayEngine:
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise DeviceError("the engine ray needs Ray", hint='pip install "facecli[ray]"') from error
    if not ray.is_initialized():
        _connect(ray, str(parameters["address"]))
    cpus, gpus = float(parameters["cpus"]), parameters["gpus"]
    gpus = float(resources.device.startswith(GPUS)) if gpus is None else float(gpus)
    threads = resources.threads or max(1, round(cpus))
    workers = resources.workers or _room(ray.cluster_resources(), cpus, gpus)
    return RayEngine(ray, workers, threads, {"num_cpus": cpus, "num_gpus": gpus}, float(parameters["patience"]))


def _connect(ray: Any, address: str) -> None:
    """Join the cluster at an address, or start one of this machine alone. Raises DeviceError."""
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    if not address:
        _start(ray, quiet)
        return
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    try:
        if colon and port.isdecimal():  # where nobody listens Ray itself tries for minutes
            socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER).close()
        ray.init(address=address, **quiet)
    except Exception as error:
        message = f"can not join the Ray cluster at {address}: {_line(error)}"
        raise DeviceError(message, hint="check its address and that `ray status` answers") from error


def _start(ray: Any, quiet: dict[str, Any]) -> None:
    """Start a cluster of this machine alone. Raises DeviceError."""
    for start in range(1, STARTS + 1):
        try:
            ray.init(address="local", include_dashboard=False, **quiet)
        except Exception as error:
            if start == STARTS:
                hint = "try again when the machine is less busy, or look at Ray's logs"
                raise DeviceError(f"Ray does not start on this machine: {_line(error)}", hint=hint) from error
        else:
            return


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _room(cluster: dict[str, float], cpus: float, gpus: float) -> int:
    """Return how many actors fit into a cluster."""
    counts = [int(cluster.get(name, 0) / claim) for name, claim in (("CPU", cpus), ("GPU", gpus)) if claim > 0]
    return max(1, min(counts, default=1))


@hookimpl
def facecli_engines() -> Iterator[EnginePlugin]:
    """Yield the engine.

    Its parameters: address of the cluster, as ray.init takes it; "" starts one on this machine. cpus and gpus of a
    worker; null takes one GPU on a device that is one; a share of one, such as 0.25, lets four workers have it.
    patience: seconds to wait for a worker while none runs.
    """
    parameters = {"address": "", "cpus": 1.0, "gpus": None, "patience": 120.0}
    yield EnginePlugin("ray", "actors of a Ray cluster, on one machine or many", _load, parameters)
