"""The loop of detect, embed, emotion and analyze: each analysed picture becomes one record in the sink."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from facecli.cli import progress

if TYPE_CHECKING:
    from facecli.api.picture import Picture
    from facecli.cli.settings import OutputSettings
    from facecli.output.pictures import Writer
    from facecli.output.sink import Sink
    from facecli.pipeline.results import ImageResult

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Presentation:
    """A form of results as output.

    header: the beginning of the document. record: from a result to its record. columns: of a CSV. csv_rows, table_rows:
    from a record to the rows of a CSV or a table, None for the usual ones. writers: what writes pictures for a result;
    their files are listed in its record as "written". finish: called after the last picture, while a failure still gets
    into the document. remarks: tell in one line, at the end, which pictures have no face.
    """

    header: Record
    record: Callable[[ImageResult], Record]
    columns: Sequence[str]
    csv_rows: Callable[[Record], list[Record]] | None = None
    table_rows: Callable[[Record], list[Record]] | None = None
    writers: Sequence[Writer] = ()
    finish: Callable[[], None] | None = None
    remarks: bool = False


def stream(
    sink: Sink, pictures: Iterable[Picture], shown: Presentation, output: OutputSettings, *, total: progress.Total
) -> int:
    """Write a record per picture as it comes, and its errors to stderr. Return the exit code: 1 if a picture failed.

    total: how many pictures there are, for the progress bar.
    """
    from facecli.output import rows

    failed = count = faces = 0
    remarked: list[ImageResult] = []

    def records() -> Iterator[Record]:
        nonlocal failed, count, faces
        for picture in progress.reporting_errors(pictures, output, total):
            result, files = progress.write_pictures(picture.result, shown.writers)
            failed += result.error is not None
            count += 1
            faces += len(result.indices)
            if result.remark is not None:
                remarked.append(result)
            yield shown.record(result) | ({"written": files} if shown.writers else {})
        if shown.finish is not None:
            shown.finish()

    csv_rows, table_rows = shown.csv_rows or rows.csv_rows, shown.table_rows or rows.table_rows
    sink.stream(shown.header, "images", records(), shown.columns, csv_rows, table_rows)
    progress.report_summary({"pictures": count, "faces": faces, "failed": failed}, output)
    if shown.remarks and remarked and not output.quiet:
        progress.report_remarks(remarked, count)
    return 1 if failed else 0
