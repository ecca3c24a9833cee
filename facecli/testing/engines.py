"""The conformance checks of engines: shards of no pictures, of which one kills its worker and one raises."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from facecli.contract import API_VERSION, Engine, EnginePlugin, Parameters, Resources, Shard, ShardReport
from facecli.errors import ContractError, DeviceError, FacecliError, ModelError
from facecli.hosting.registry import Registry
from facecli.inference.reasons import told
from facecli.testing.kit import CheckResult, ConformanceError

SHARDS = 12
WORKERS = 2
AHEAD = 4  # shards of a worker that an engine may take before the first report


@dataclass(frozen=True, slots=True)
class TrialWork:
    """A work that writes a file for each shard.

    folder: of the files, on a disk that all workers share. kit: process of the kit. deadly: the shard that kills its
    worker once, unless it is careful. failing: the shard that raises ModelError.
    """

    folder: str
    kit: int
    deadly: int | None = None
    failing: int | None = None

    def open(self, threads: int) -> TrialWorker:
        """Return the worker. Raises ContractError for a number of threads that can not be."""
        if threads < 1:
            raise ContractError(f"a worker was given {threads} threads")
        return TrialWorker(self)


class TrialWorker:
    """Writes a file for each shard."""

    def __init__(self, work: TrialWork) -> None:
        self._work = work

    def __call__(self, shard: Shard) -> ShardReport:
        """Write the shard's file; its number is that of its pictures, too."""
        if shard.number == self._work.failing:
            raise ModelError("a model is missing", hint="this is a trial")
        if shard.number == self._work.deadly and not shard.careful:
            if os.getpid() == self._work.kit:
                raise ContractError("the worker is in the process of the command, which would end with it")
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        (Path(self._work.folder) / str(shard.number)).touch()
        return ShardReport(shard.number, pictures=shard.number)


def check_engine(plugin: str | EnginePlugin, parameters: Parameters | None = None) -> None:
    """Raise ConformanceError unless an engine keeps the contract. parameters: that differ from its defaults."""
    failures = [f"{one.name}: {one.detail}" for one in run_engine_checks(plugin, parameters) if not one.passed]
    if failures:
        raise ConformanceError("\n".join(failures))


def run_engine_checks(plugin: str | EnginePlugin, parameters: Parameters | None = None) -> list[CheckResult]:
    """Run every check on an engine: a descriptor, or the name of an installed one.

    Raises PluginError if there is no such engine, DeviceError if what it stands on is not installed or not reached.
    """
    descriptor = Registry().load("engines", plugin, EnginePlugin) if isinstance(plugin, str) else plugin
    valid = _result("descriptor", lambda: _require_fields(descriptor))
    if not valid.passed:
        return [valid]
    resources = Resources(workers=WORKERS, threads=1, cores=WORKERS, device="cpu")
    engine = descriptor.load(resources, {**descriptor.parameters, **(parameters or {})})
    checks: dict[str, Callable[[Path], None]] = {
        "nothing": lambda _: _require(not [*engine.run(_work(_), iter(()))], "no shards must give no reports"),
        "reports": lambda folder: _require_reports(engine, folder),
        "ahead": lambda folder: _require_patience(engine, folder),
        "error": lambda folder: _require_error(engine, folder),
        "death": lambda folder: _require_survival(engine, folder),
    }
    results = [valid]
    for name, check in checks.items():
        with tempfile.TemporaryDirectory() as folder:
            results.append(_result(name, lambda check=check, folder=folder: check(Path(folder))))  # type: ignore[misc]
    return results


def _require_fields(descriptor: EnginePlugin) -> None:
    _require(descriptor.api == API_VERSION, f"api must be {API_VERSION}, got {descriptor.api}")
    _require(bool(descriptor.name) and descriptor.name == descriptor.name.strip(), "it needs a name")
    _require(bool(descriptor.summary) and "\n" not in descriptor.summary, "its summary must be one line")
    _require(callable(descriptor.load), "load must be callable")


def _require_reports(engine: Engine, folder: Path) -> None:
    reports = [*engine.run(_work(folder), _shards())]
    _require_each(reports)
    _require(all(one.lost is None for one in reports), f"a shard was lost: {reports}")
    _require(all(one.pictures == one.number for one in reports), "the reports must be those of the worker")
    _require({path.name for path in folder.iterdir()} == set(map(str, range(SHARDS))), "each shard must be worked on")


def _require_patience(engine: Engine, folder: Path) -> None:
    taken: list[int] = []

    def counted() -> Iterator[Shard]:
        for number in range(1000):
            taken.append(number)
            yield Shard(number)

    running = engine.run(_work(folder), counted())
    next(running)
    if isinstance(running, Generator):
        running.close()
    most = AHEAD * WORKERS
    _require(len(taken) <= most, f"{len(taken)} shards were taken before the first report, at most {most} may be")


def _require_error(engine: Engine, folder: Path) -> None:
    try:
        for _ in engine.run(_work(folder, failing=3), _shards()):
            pass
    except ModelError:
        return
    raise ContractError("what a worker raises must be raised by run, as it is")


def _require_survival(engine: Engine, folder: Path) -> None:
    reports = [*engine.run(_work(folder, deadly=3), _shards())]
    _require_each(reports)
    lost = [one.number for one in reports if one.lost is not None]
    _require(lost == [3], f"shard 3 killed its worker, and shards {lost} were reported as lost")


def _require_each(reports: list[ShardReport]) -> None:
    numbers = sorted(one.number for one in reports)
    _require(numbers == [*range(SHARDS)], f"there must be one report per shard, got {numbers}")


def _require(holds: bool, fault: str) -> None:
    if not holds:
        raise ContractError(fault)


def _shards() -> Iterator[Shard]:
    return map(Shard, range(SHARDS))


def _work(folder: Path, deadly: int | None = None, failing: int | None = None) -> TrialWork:
    return TrialWork(str(folder), os.getpid(), deadly, failing)


def _result(name: str, check: Callable[[], None]) -> CheckResult:
    try:
        check()
    except (DeviceError, KeyboardInterrupt):
        raise
    except FacecliError as error:
        return CheckResult(name, passed=False, detail=error.text())
    except BaseException as error:  # noqa: BLE001 - whatever a plugin raises is a finding
        return CheckResult(name, passed=False, detail=told(error))
    return CheckResult(name, passed=True, detail="")
