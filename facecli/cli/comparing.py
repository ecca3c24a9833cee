"""The loop of commands that compare: each comparison becomes one record in the sink."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from facecli.cli import progress
from facecli.cli.wording import option

if TYPE_CHECKING:
    from facecli.api.judge import Comparison
    from facecli.cli.settings import OutputSettings
    from facecli.output.records import Record
    from facecli.output.sink import Sink

NO_MATCH = 3  # the exit code of a command that was asked for one, and that found nobody


def stream(
    sink: Sink, header: Record, compared: Iterable[Comparison], output: OutputSettings, *, total: progress.Total
) -> tuple[int, int]:
    """Write a record per comparison as it comes, and errors to stderr. Return how many matched and how many failed.

    total: how many comparisons there are, for the progress bar.
    """
    from facecli.output import comparisons, verifications

    count = matched = failed = 0

    def records() -> Iterator[Record]:
        nonlocal count, matched, failed
        for comparison in progress.reporting_errors(compared, output, total):
            verification = comparison.verification
            count += 1
            matched += verification is not None and verification.verified
            failed += comparison.error is not None
            yield comparisons.record(comparison.result, verification, option)

    columns = [*comparisons.CSV_COLUMNS, *(verifications.REAL if "anti_spoof" in header else ())]
    shown = partial(comparisons.csv_rows, header), partial(comparisons.table_rows, header)
    sink.stream(header, "comparisons", records(), columns, *shown)
    progress.report_summary({"pictures": count, "of the same person": matched, "failed": failed}, output)
    return matched, failed
