"""Jobs, measured: `python benchmarks/scale.py listing|local|ray|memory|curve [PICTURES] [detect|embed]`.

listing: a list of a million names is frozen. local: a job beside the command without a job, and whether both say the
same. ray: beside the engine local, which needs facecli[ray]. memory: of one worker, shard after shard. curve: 1,000
pictures, 3,000, 10,000 and so on up to PICTURES.

The pictures are the sample portraits, made smaller, in a folder that is removed afterwards. Every command is a process
of its own. Wall times, with the start of all processes, are worth little where something else runs beside them; the CPU
time, which is told as well, is that of the command and all its descendants, also those that it does not wait for, as
/proc tells it from time to time.
"""

from __future__ import annotations

import json
import os
import statistics
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
POLL, TICKS = 0.25, os.sysconf("SC_CLK_TCK")  # seconds between two looks, and the unit of CPU time
LEAST_LOCAL, LEAST_RAY, MOST_SLOPE = 0.95, 0.9, 0.02


def main(what: str, count: int | None, command: str) -> None:
    """Measure one thing. command: that is run, detect or embed."""
    with tempfile.TemporaryDirectory() as folder:
        measures = {"listing": listing, "local": local, "ray": ray, "memory": memory, "curve": curve}
        measures[what](Path(folder), count, command)


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
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "facecli", *map(str, arguments), "--quiet"])
    spent: dict[int, float] = {}
    while process.poll() is None:
        spent |= cpu_of({process.pid, *spent})
        time.sleep(POLL)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return Spent(time.perf_counter() - start, sum(spent.values()))


def cpu_of(family: set[int]) -> dict[int, float]:
    """Return the CPU seconds of these processes, as far as they run, and of all that descend from them."""
    parents, seconds = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        parents[int(path.parent.name)] = int(fields[1])
        seconds[int(path.parent.name)] = (int(fields[11]) + int(fields[12])) / TICKS
    found = family & parents.keys()
    while more := {one for one, parent in parents.items() if parent in found} - found:
        found |= more
    return {one: seconds[one] for one in found}


def listing(folder: Path, count: int | None, _command: str) -> None:
    """Freeze a list of names in a process of its own, whose memory is told by the system."""
    count = count or NAMES
    names = folder / "names.txt"
    with names.open("w") as stream:
        stream.writelines(f"/pictures/{number // 1000:06}/{number:09}.jpg\n" for number in range(count))
    code = """
import resource, sys, time
from facecli.scale import listing, sources
from facecli.places.opening import open_place
start = time.perf_counter()
frozen = listing.freeze(sources.named([], files_from=sys.argv[1]), open_place(sys.argv[2]), None)
print(frozen.names, time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, names, folder / "out"], check=True, capture_output=True, text=True
    )
    frozen, spent, used = map(float, done.stdout.split())
    print(f"{frozen:.0f} names in {spent:.1f} s (at most {MOST_SECONDS}), {used:.0f} MiB (at most {MOST_MIB})")


def local(folder: Path, count: int | None, command: str) -> None:
    """Run a job and the command without a job, in turns, and compare what they say."""
    made = pictures(folder, count or 2000)
    ratios = []
    for turn in range(TURNS):
        plain = run(command, made, "-o", folder / f"{turn}.jsonl")
        job = run(command, made, "-o", f"{folder}/{turn}/")
        ratios.append(plain.cpu / job.cpu)
        shown = f"{plain.wall / job.wall:.2f} by the clock, {ratios[-1]:.2f} by CPU"
        print(f"without a job {plain}, with {job}: {shown}", flush=True)
        if turn == 0:
            compare(folder / "0.jsonl", folder / "0")
    print(f"median by CPU: {statistics.median(ratios):.2f} (at least {LEAST_LOCAL})")


def compare(plain: Path, job: Path) -> None:
    """Tell whether a job's rows are the records of the command without a job, number by number as far as it rounds."""
    from pyarrow import parquet

    kinds = ("faces", "pictures")
    faces, told = (
        [row for file in sorted((job / kind).iterdir()) for row in parquet.read_table(file).to_pylist()]
        for kind in kinds
    )
    records = [json.loads(line) for line in plain.read_text("utf-8").splitlines()]
    names = ("source", "width", "height", "detected", "faces_found")
    assert [[row[name] for name in names] for row in told] == [[one[name] for name in names] for one in records]
    expected = [(one["source"], face) for one in records for face in one["faces"]]
    assert len(faces) == len(expected)
    for row, (source, face) in zip(faces, expected, strict=True):
        assert (row["source"], row["face"], round(row["score"], 4)) == (source, face["index"], face["score"])
        assert np.allclose(row["bbox"], face["bbox"], atol=0.006)
        if "embedding" in row:
            assert np.allclose(row["embedding"], face["embedding"], atol=1e-6)
    print(f"the rows of {len(told)} pictures and {len(faces)} faces are those of the command without a job")


def ray(folder: Path, count: int | None, command: str) -> None:
    """Run a job on both engines, in turns."""
    made = pictures(folder, count or 10_000)
    for turn in range(TURNS):
        ours, theirs = (
            run(command, made, "-o", f"{folder}/{name}-{turn}/", "--engine", name) for name in ("local", "ray")
        )
        shown = f"{ours.wall / theirs.wall:.2f} by the clock, {ours.cpu / theirs.cpu:.2f} by CPU"
        print(f"local {ours}, ray {theirs}: {shown} (at least {LEAST_RAY})", flush=True)


def memory(folder: Path, count: int | None, command: str) -> None:
    """Let one worker do shards, and compare its memory in the middle with that at the end."""
    made = pictures(folder, count or 5000)
    used = [mib for _, mib in worker_memory(made, folder / "out", command)]
    middle, end = used[len(used) // 2], used[-1]
    slope = (end - middle) / middle
    print(f"{middle:.0f} MiB after half of the shards, {end:.0f} at the end: {slope:+.1%} (at most {MOST_SLOPE:.0%})")


def worker_memory(made: Path, place: Path, command: str) -> Iterator[tuple[int, float]]:
    """Yield each shard's number, and the memory in MiB of the one worker, this process, after it."""
    from facecli.api.selection import Request
    from facecli.contract import Shard
    from facecli.places.opening import open_place
    from facecli.scale import listing, sources
    from facecli.scale.query import Query
    from facecli.scale.work import ShardWork

    frozen = listing.freeze(sources.named([str(made)]), open_place(str(place)), 100)
    worker = ShardWork(Query(command, {}, Request(embed=command == "embed")), str(place), frozen.name).open(1)
    for number in range(frozen.shards):
        worker(Shard(number))
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        yield number, pages * 4096 / 2**20


def curve(folder: Path, count: int | None, command: str) -> None:
    """Run jobs of growing size."""
    size = 1000
    while size <= (count or 100_000):
        spent = run(command, pictures(folder, size), "-o", f"{folder}/{size}/")
        rate = f"{size / spent.wall:.1f} pictures/s, {size / spent.cpu:.1f} in a second of CPU"
        files = [path.stat().st_size for path in (folder / str(size)).rglob("*.*")]
        print(
            f"{size} pictures: {spent}, {rate}; {len(files)} files, {sum(files) / size:.0f} bytes a picture", flush=True
        )
        size = size * 3 if str(size)[0] == "1" else size // 3 * 10


if __name__ == "__main__":
    what, *more = sys.argv[1:]
    words = [word for word in more if not word.isdecimal()]
    main(what, next((int(word) for word in more if word.isdecimal()), None), words[0] if words else "embed")
