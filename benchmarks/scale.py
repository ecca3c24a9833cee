"""Jobs, measured: `python benchmarks/scale.py listing|local|ray|memory|curve [PICTURES]`.

listing: a list of a million names is frozen. local: a job beside the command without a job. ray: beside the engine
local, which needs facecli[ray]. memory: of one worker, shard after shard. curve: 10^3, 10^4 and so on up to PICTURES.

The pictures are the sample portraits, made smaller, in a folder that is removed afterwards. Every command is a process
of its own. Wall times, with the start of all processes, are worth little where something else runs beside them; the CPU
time, which is told as well, is that of the command and all its workers.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

PORTRAITS = Path(__file__).resolve().parents[1] / "examples"
SIDE = 160  # px of a made picture, so that reading and detecting take about as long as the rest
MOST_MIB, MOST_SECONDS, NAMES = 300, 60, 1_000_000  # of listing
TURNS = 3
LEAST_LOCAL, LEAST_RAY, MOST_SLOPE = 0.95, 0.9, 0.02


def main(what: str, count: int | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        measures = {"listing": listing, "local": local, "ray": ray, "memory": memory, "curve": curve}
        measures[what](Path(folder), count)


def pictures(folder: Path, count: int) -> Path:
    """Make pictures that all differ, and return their folder."""
    made = folder / f"pictures-{count}"
    made.mkdir()
    portraits = [cv2.resize(np.asarray(cv2.imread(str(path))), (SIDE, SIDE)) for path in PORTRAITS.glob("*.jpg")]
    for number in range(count):
        pixels = portraits[number % len(portraits)].copy()
        pixels[0, :24] = [[255 * (number >> bit & 1)] * 3 for bit in range(24)]
        cv2.imwrite(str(made / f"{number:08}.jpg"), pixels)
    return made


class Spent(NamedTuple):
    """The time that a command took, in seconds: on the clock, and of all CPUs."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        """Return both as text."""
        return f"{self.wall:.1f} s ({self.cpu:.1f} s of CPU)"


def run(*arguments: str | Path) -> Spent:
    """Run `facecli ARGUMENTS...` to its end."""
    start, before = time.perf_counter(), os.times()
    subprocess.run([sys.executable, "-m", "facecli", *map(str, arguments), "--quiet"], check=True)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Spent(time.perf_counter() - start, cpu)


def listing(folder: Path, count: int | None) -> None:
    """Freeze a list of names in a process of its own, whose memory is told by the system."""
    count = count or NAMES
    names = folder / "names.txt"
    with names.open("w") as stream:
        stream.writelines(f"/pictures/{number // 1000:06}/{number:09}.jpg\n" for number in range(count))
    code = """
import resource, sys, time
from facecli.scale import listing, sources
from facecli.scale.places import open_place
start = time.perf_counter()
frozen = listing.freeze(sources.named([], files_from=sys.argv[1]), open_place(sys.argv[2]), None)
print(frozen.names, time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, names, folder / "out"], check=True, capture_output=True, text=True
    )
    frozen, spent, used = map(float, done.stdout.split())
    print(f"{frozen:.0f} names in {spent:.1f} s (at most {MOST_SECONDS}), {used:.0f} MiB (at most {MOST_MIB})")


def local(folder: Path, count: int | None) -> None:
    """Run a job and the command without a job, in turns."""
    made = pictures(folder, count or 2000)
    for turn in range(TURNS):
        plain = run("embed", made, "-o", folder / f"{turn}.parquet")
        job = run("embed", made, "-o", f"{folder}/{turn}/")
        ratios = f"{plain.wall / job.wall:.2f} by the clock, {plain.cpu / job.cpu:.2f} by CPU"
        print(f"without a job {plain}, with {job}: {ratios} (at least {LEAST_LOCAL})", flush=True)


def ray(folder: Path, count: int | None) -> None:
    """Run a job on both engines."""
    made = pictures(folder, count or 10_000)
    ours, theirs = (run("embed", made, "-o", f"{folder}/{name}/", "--engine", name) for name in ("local", "ray"))
    print(f"local {ours}, ray {theirs}: {ours.wall / theirs.wall:.2f} by the clock (at least {LEAST_RAY})")


def memory(folder: Path, count: int | None) -> None:
    """Let one worker do shards, and compare its memory in the middle with that at the end."""
    made = pictures(folder, count or 5000)
    used = [mib for _, mib in worker_memory(made, folder / "out")]
    middle, end = used[len(used) // 2], used[-1]
    slope = (end - middle) / middle
    print(f"{middle:.0f} MiB after half of the shards, {end:.0f} at the end: {slope:+.1%} (at most {MOST_SLOPE:.0%})")


def worker_memory(made: Path, place: Path) -> Iterator[tuple[int, float]]:
    """Yield each shard's number, and the memory in MiB of the one worker, this process, after it."""
    from facecli.api.selection import Request
    from facecli.contract import Shard
    from facecli.scale import listing, sources
    from facecli.scale.places import open_place
    from facecli.scale.query import Query
    from facecli.scale.work import ShardWork

    frozen = listing.freeze(sources.named([str(made)]), open_place(str(place)), 100)
    worker = ShardWork(Query("embed", {}, Request(embed=True)), str(place)).open(1)
    for number in range(frozen.shards):
        worker(Shard(number))
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        yield number, pages * 4096 / 2**20


def curve(folder: Path, count: int | None) -> None:
    """Run jobs of growing size."""
    size = 1000
    while size <= (count or 100_000):
        spent = run("embed", pictures(folder, size), "-o", f"{folder}/{size}/")
        rate = f"{size / spent.wall:.1f} pictures/s, {size / spent.cpu:.1f} in a second of CPU"
        print(f"{size} pictures: {spent}, {rate}", flush=True)
        size *= 10


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None)
