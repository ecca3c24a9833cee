"""The state of a job as its folder tells it: the shards that are missing, and the sum of all when none is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from facecli.contract import Shard
from facecli.output.records import header
from facecli.output.sink import dumps
from facecli.places.place import Place
from facecli.scale import files
from facecli.scale.job import Job

FILE = "done.json"
READERS = 16  # files whose ends are read at once


def pending(place: Place, job: Job, *, retry_failed: bool = False) -> list[Shard]:
    """Return the shards that are not done; with retry_failed those with failed pictures, too."""
    done, trouble = _done(place), _numbers(place.names("trouble"))
    again = {number for number, facts in _facts(place, done) if facts["failed"]} if retry_failed else set()
    return [Shard(n, careful=n in trouble) for n in range(job.shards) if n not in done or n in again]


def finish(place: Place, job: Job) -> dict[str, Any] | None:
    """Write done.json and return it, if all shards are done; None if some are not.

    Raises InputError for a file of pictures or faces that is damaged, or of another shard.
    """
    if len(_done(place) & set(range(job.shards))) < job.shards:
        return None
    totals: Counter[str] = Counter()
    seconds: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    for _, facts in _facts(place, range(job.shards), with_faces=True):
        totals.update({name: facts[name] for name in ("pictures", "faces", "failed")})
        seconds.update(facts["seconds"])
        errors.update(facts["errors"])
    spent = {stage: round(value, 3) for stage, value in sorted(seconds.items())}
    counts = {name: totals[name] for name in ("pictures", "faces", "failed")}
    document = header("done", shards=job.shards, **counts, errors=dict(sorted(errors.items())), seconds=spent)
    place.write(FILE, dumps(document, indent=2).encode())
    return document


def _done(place: Place) -> set[int]:
    """Return the shards of which both files are there."""
    return _numbers(place.names("pictures")) & _numbers(place.names("faces"))


def _facts(place: Place, numbers: Iterable[int], *, with_faces: bool = False) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield number and facts of shards that are done. with_faces: their files of faces are looked at, too."""

    def read(number: int) -> tuple[int, dict[str, Any]]:
        name = f"pictures/{number:05}.parquet"
        with files.whole(name), place.open(name) as stream:
            facts = files.facts_of(stream)
        if with_faces:
            name = f"faces/{number:05}.parquet"
            with files.whole(name), place.open(name) as stream:
                if (rows := files.rows_of(stream)) != facts["faces"]:
                    raise ValueError(f"{rows} rows in the place of {facts['faces']}")
        return number, facts

    with ThreadPoolExecutor(READERS) as pool:
        yield from pool.map(read, numbers)


def _numbers(names: Iterable[str]) -> set[int]:
    """Return the numbers of shards in names of files."""
    heads = (name.partition(".")[0] for name in names)
    return {int(head) for head in heads if head.isdecimal()}
