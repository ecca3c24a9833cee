"""`facecli calibrate`: measures and keeps a threshold of the user's own, from the user's pairs of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from facecli.cli import manual, options, values
from facecli.cli.settings import InputSettings, OutputSettings, PluginSettings, RunSettings, gathered

if TYPE_CHECKING:
    from facecli.contract import Metric
    from facecli.matching.operating_points import OperatingPointStore


@manual.command(examples=("calibrate pairs.csv --root pictures --fmr 0.001", "calibrate --list"))
@click.argument(
    "pairs", required=False, type=click.File("r", encoding="utf-8-sig", errors="surrogateescape"), metavar="[PAIRS.csv]"
)
@click.option(
    "--root", type=click.Path(path_type=Path, exists=True, file_okay=False), default=".", help="Folder of the pictures."
)
@click.option(
    "--fmr",
    type=values.Finite(0, 0.5, min_open=True),
    default=1e-3,
    metavar="RATE",
    help="The false match rate to keep: 0.001 lets one in a thousand other people pass.",
)
@options.by_option
@click.option("--worst", is_flag=True, help="Keep the rate within every group of --by, not only over all pairs.")
@click.option("--name", metavar="NAME", help="What to call it.  [default: RECOGNIZER@RATE, with -worst for --worst]")
@click.option("--list", "listing", is_flag=True, help="List your operating points instead.")
@click.option("--remove", metavar="NAME", help="Forget the operating point of this name instead.")
@options.recognizer_options
@options.metric_option
@click.option("--cohort", is_flag=True, help="Compare beside the recognizer's cohort of strangers.")
@options.measuring_options
@gathered
def command(
    reading: InputSettings,
    plugins: PluginSettings,
    running: RunSettings,
    output: OutputSettings,
    pairs: IO[str] | None,
    root: Path,
    fmr: float,
    by: tuple[str, ...],
    worst: bool,
    name: str | None,
    listing: bool,
    remove: str | None,
    metric: Metric | None,
    cohort: bool,
) -> int:
    """Measure and keep your own threshold.

    PAIRS is a CSV file with the columns file_a,file_b,same (1 or 0), as for evaluate. The largest distance in them at
    which the false match rate is at most --fmr is kept, and from then on `verify` and `evaluate` use it with the same
    recognizer, model file, parameters and detector. A rate takes 3 / RATE pairs of different people at least; with
    --worst it takes as many within every group.
    """
    if (pairs is not None) + listing + (remove is not None) != 1:
        raise click.UsageError("give PAIRS.csv, --list or --remove")
    if worst and not by:
        raise click.UsageError("--worst keeps the rate in groups: name their column with --by")
    if cohort and metric is not None:
        raise click.UsageError("--cohort has a distance of its own: leave out --metric")

    from facecli.cli import context
    from facecli.matching.operating_points import OperatingPointStore

    sink = context.open_sink(output)
    with sink.opened():
        from facecli.output import calibrations

        store = OperatingPointStore(context.open_store().root)
        if pairs is None:
            if remove is not None:
                store.remove(remove)
            document, failed = calibrations.list_document(store.all(), remove), False
            rows = calibrations.list_rows(document)
        else:
            if name is not None:
                store.path(name)  # raises, before any work, for a text that can not be a name
            document, failed = _calibrate(
                reading,
                plugins,
                running,
                output,
                pairs=pairs,
                root=root,
                fmr=fmr,
                by=by,
                worst=worst,
                name=name,
                metric=metric,
                cohort=cohort,
                store=store,
            )
            rows = calibrations.rows(document)
    sink.document(document, rows)
    return 1 if failed else 0


def _calibrate(
    reading: InputSettings,
    plugins: PluginSettings,
    running: RunSettings,
    output: OutputSettings,
    *,
    pairs: IO[str],
    root: Path,
    fmr: float,
    by: tuple[str, ...],
    worst: bool,
    name: str | None,
    metric: Metric | None,
    cohort: bool,
    store: OperatingPointStore,
) -> tuple[dict[str, Any], bool]:
    """Measure and keep an operating point; return its document, and True if a picture failed."""
    from facecli.api.selection import Request
    from facecli.cli import progress, wiring
    from facecli.cli.wording import option
    from facecli.evaluation import calibration, labelled
    from facecli.evaluation.pairs import pictures_of, read_stream
    from facecli.hosting.presets import PRESETS
    from facecli.kinds import COHORT
    from facecli.matching.rules import cohort_point
    from facecli.output import calibrations

    labelled_pairs = read_stream(pairs, pairs.name, by)
    calibration.check_pairs(labelled_pairs, fmr, worst=worst)  # before any work
    names = pictures_of(labelled_pairs)
    labelled.check_present(root, names, pairs.name)
    faces = wiring.open_faces(plugins, running, reading, inputs=len(names))
    request = Request(embed=True)
    tools = faces.engine.tools(request)
    plugin = tools.recognizer_plugin
    assert plugin is not None
    name = name or f"{plugin.name}@{fmr:g}{'-worst' * worst}".replace("/", "-")
    store.path(name)
    identity = tools.identity(plugin)
    store.refuse_other_owner(name, identity)
    own = plugin.operating_point if plugins.preset is None else PRESETS[plugins.preset]
    strangers = cohort_point(tools, plugin).cohort if cohort else None
    decisive = metric or own.metric if strangers is None else COHORT
    flow = faces.engine.flow(request, plugins.face, need_face=True)
    pictures = faces.engine.stream(request, labelled.sources_of(root, names), flow)
    reported = progress.reporting_errors(pictures, output, len(names))
    labelled_faces = labelled.collect_faces(names, (picture.result for picture in reported))
    measured = calibration.calibrate_metrics(
        labelled_pairs, labelled_faces.embeddings, fmr, by, worst=worst, cohort=strangers
    )
    conditions = " ".join([f"--face {plugins.face}", *(f"--by {column}" for column in by), *["--worst"] * worst])
    evidence = calibration.Evidence(pairs.name, len(labelled_faces.failures), conditions)
    entry = calibration.operating_point(name, identity, decisive, measured, evidence, strangers)
    path, failures = store.save(entry), labelled_faces.failures
    document = calibrations.document(tools, entry, measured[decisive], failures, option, path=path)
    return document | plugins.named_preset, bool(failures)
