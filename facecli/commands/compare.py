"""`facecli compare`: decides about the embeddings of two files, without their pictures and without a model."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from facecli.cli import manual, options
from facecli.cli.comparing import NO_MATCH
from facecli.cli.settings import InputSettings, OutputSettings, gathered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facecli.contract import Metric
    from facecli.output.records import Record


@manual.command(examples=("compare me.npz holidays.npz --matches", "compare a.npz b.npz --format csv"))
@click.argument("x", type=click.Path(path_type=Path), metavar="X.npz")
@click.argument("y", type=click.Path(path_type=Path), metavar="Y.npz")
@options.decision_options
@click.option("--matches", is_flag=True, help="Only the pairs that are of one person.")
@click.option("--exit-code", is_flag=True, help="Exit with 3 if no pair is of one person.")
@options.max_bytes_option
@options.output_options
@gathered
def command(
    reading: InputSettings,
    output: OutputSettings,
    x: Path,
    y: Path,
    metric: Metric | None,
    threshold: float | None,
    fmr: float | None,
    operating_point: str | None,
    matches: bool,
    exit_code: bool,
) -> int:
    """Compare the faces of one file of embeddings with those of another.

    The files are of `facecli embed -o FILE.npz`. Each face of X is compared with each of Y, by the threshold that
    `facecli verify` takes. Embeddings of different models, parameters or detectors are refused.
    """
    from facecli.cli import context
    from facecli.matching import stored
    from facecli.matching.rules import DecisionRequest
    from facecli.output import embedding_pairs

    sink = context.open_sink(output)
    matched = False
    with sink.opened():
        first, second = (stored.read(path, reading.max_bytes) for path in (x, y))
        wish = DecisionRequest(metric, threshold, fmr, operating_point, first.header.get("preset"))
        rule = stored.rule(first, second, wish, context.registry())
        header = embedding_pairs.header(first, second, rule)

        def compared() -> Iterator[Record]:
            nonlocal matched
            for pair in embedding_pairs.pairs(first, second, rule, matches=matches):
                matched |= pair["verified"]
                yield pair

        shown = partial(embedding_pairs.csv_rows, header), partial(embedding_pairs.table_rows, header)
        sink.stream(header, "pairs", compared(), embedding_pairs.CSV_COLUMNS, *shown)
    return NO_MATCH if exit_code and not matched else 0
