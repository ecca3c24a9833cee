"""The work on one shard: its names are read, its pictures go through the stages, its two files are put in place."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from facecli.contract import Shard, ShardReport
from facecli.errors import CrashedError
from facecli.pictures.sources import Source
from facecli.pipeline.flow import Stopwatch
from facecli.pipeline.results import ImageResult
from facecli.places.opening import open_place
from facecli.scale import files, listing
from facecli.scale.files import Table
from facecli.scale.journal import Journal
from facecli.scale.picture import Picture, pictures_of
from facecli.scale.query import Query
from facecli.scale.tables import ShardTables


@dataclass(frozen=True, slots=True)
class ShardWork:
    """The work of a job, for an engine; see facecli.contract.Work.

    query: what is asked. place: name of the place of the job's files. listing: name of the list in it. retry_failed:
    of a shard that is done the pictures that failed are tried again, and the others stay.
    """

    query: Query
    place: str
    listing: str
    retry_failed: bool = False

    def open(self, threads: int) -> ShardWorker:
        """Load the models. Raises FacecliError if one can not be loaded: no shard is lost by it."""
        return ShardWorker(self, threads)


class ShardWorker:
    """Works on shards with models that are loaded once."""

    def __init__(self, work: ShardWork, threads: int) -> None:
        self._work = work
        self._place = open_place(work.place)  # before the query changes the folder
        faces = work.query.open(threads)
        self._engine, self._flow = faces.engine, work.query.flow(faces)
        self._tools = self._engine.tools(work.query.request)
        self._tools.wait()

    def __call__(self, shard: Shard) -> ShardReport:
        """Write the files of a shard. A lack of memory is a death of this worker, also where the system does not kill.

        Raises OutputError, and ModelError or DeviceError if the models do not run.
        """
        try:
            return self._done(shard)
        except MemoryError:
            return ShardReport(shard.number, lost="out of memory")

    def _done(self, shard: Shard) -> ShardReport:
        """Write the files of a shard; the pictures last, because they say that the shard is done."""
        place, name, clock = self._place, file_name(shard.number), Stopwatch()
        old = self._old(name)
        again = None if old is None else _failed(old[1])
        journal = Journal(place, shard.number) if shard.careful else None
        gathered, tried = ShardTables(self._work.query, self._tools), 0
        for picture, result in self._results(self._pictures(shard.number, again), journal, clock):
            gathered.add(picture.place, result, picture.sha256)
            tried += 1
        faces, pictures = gathered.tables()
        if old is not None and again is not None:
            faces, pictures = (files.merged(*both, {*again}) for both in ((old[0], faces), (old[1], pictures)))
        seconds = {stage: round(spent, 3) for stage, spent in clock.seconds.items()}
        contents = gathered.content(faces, pictures, {"seconds": seconds})
        for folder, content in zip(("faces", "pictures"), contents, strict=True):
            place.write(f"{folder}/{name}", content)
        if journal is not None:
            journal.close()
        codes = pictures.column("error_code")
        return ShardReport(shard.number, None, tried, len(codes) - codes.null_count, len(faces))

    def _old(self, name: str) -> tuple[Table, Table] | None:
        """Return the tables of a shard that is done and tried again, None for a shard that is not done."""
        if not self._work.retry_failed:
            return None
        try:
            contents = [self._place.read(f"{folder}/{name}") for folder in ("faces", "pictures")]
        except FileNotFoundError:
            return None
        faces, pictures = map(files.opened, contents, (f"faces/{name}", f"pictures/{name}"))
        return faces, pictures

    def _pictures(self, number: int, failed: Mapping[int, str] | None) -> Iterator[Picture]:
        """Yield the pictures of a shard; with failed those alone, and all from the place where an archive broke off."""
        ends = [place for place, source in (failed or {}).items() if listing.is_archive(source)]
        for picture in pictures_of(listing.read(self._place, self._work.listing, number), self._flow.limits):
            if failed is None or picture.place in failed or (ends and picture.place > ends[0]):
                yield picture

    def _results(
        self, pictures: Iterable[Picture], journal: Journal | None, clock: Stopwatch
    ) -> Iterator[tuple[Picture, ImageResult]]:
        pipeline = self._engine.pipeline(self._tools, self._flow, clock)
        if journal is None:
            on_their_way: deque[Picture] = deque()

            def begun() -> Iterator[Source]:
                for picture in pictures:
                    on_their_way.append(picture)
                    yield picture.hashing()

            for result in pipeline.run(begun()):
                yield on_their_way.popleft(), result
            return
        for picture in pictures:
            if picture.place in journal.crashed:
                yield picture, _crashed(picture.source.name)
                continue
            journal.begin(picture.place)
            (result,) = pipeline.run([picture.hashing()])
            yield picture, result


def file_name(number: int) -> str:
    """Return the name of a shard's files."""
    return f"{number:05}.parquet"


def _failed(pictures: Table) -> dict[int, str]:
    """Return the names of the pictures that failed by their places; an archive that broke off has its own name."""
    columns = (pictures.column(name).to_pylist() for name in ("picture", "source", "error_code"))
    return {place: source for place, source, code in zip(*columns, strict=True) if code is not None}


def _crashed(name: str) -> ImageResult:
    message = f"{name} has ended its worker each time that it was tried, as a lack of memory does"
    hint = "use {retry_failed} with fewer {workers}, or lower {max_pixels} in another {output}"
    return ImageResult(name, error=CrashedError(message, hint=hint))
