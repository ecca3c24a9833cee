"""The kit on engines: ours keep the contract, and faults are found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from facecli.contract import EnginePlugin, Shard, ShardReport, Work
from facecli.testing import check_engine, run_engine_checks


def test_local_keeps_the_contract() -> None:
    check_engine("local")


def test_ray_keeps_the_contract() -> None:
    ray = pytest.importorskip("ray", reason="the engine ray needs facecli[ray]")
    try:
        check_engine("ray", {"cpus": 0.1})
    finally:
        ray.shutdown()


def found(run: Callable[[Work, Iterable[Shard]], Iterator[ShardReport]]) -> set[str]:
    """The checks that an engine with this method fails."""
    engine: Any = type("Faulty", (), {"run": staticmethod(run)})()
    plugin = EnginePlugin("faulty", "has a fault", lambda *_: engine)
    return {result.name for result in run_engine_checks(plugin) if not result.passed}


def test_one_in_the_commands_process_dies_with_its_worker() -> None:
    def run(work: Work, shards: Iterable[Shard]) -> Iterator[ShardReport]:
        yield from map(work.open(1), shards)

    assert found(run) == {"death"}


def test_one_that_is_greedy_or_silent_or_swallows_is_found() -> None:
    def greedy(work: Work, shards: Iterable[Shard]) -> Iterator[ShardReport]:
        yield from map(work.open(1), list(shards))

    def silent(work: Work, shards: Iterable[Shard]) -> Iterator[ShardReport]:
        for report in map(work.open(1), shards):
            if report.number:
                yield report

    def swallowing(work: Work, shards: Iterable[Shard]) -> Iterator[ShardReport]:
        worker = work.open(1)
        for shard in shards:
            try:
                yield worker(shard)
            except Exception as error:  # noqa: BLE001
                yield ShardReport(shard.number, lost=str(error))

    assert found(greedy) == {"ahead", "death"}
    assert found(silent) == {"reports", "death"}
    assert "error" in found(swallowing)
