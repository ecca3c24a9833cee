"""`facecli evaluate`: measures the error rates of a recognizer on labelled pairs of pictures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from facecli.cli import manual, options
from facecli.cli.settings import InputSettings, OutputSettings, PluginSettings, RunSettings, gathered

if TYPE_CHECKING:
    from facecli.contract import Metric
    from facecli.evaluation.labelled import LabelledFaces, PairsEvaluation
    from facecli.evaluation.pairs import Pair
    from facecli.evaluation.strangers import Stranger
    from facecli.matching.thresholds import DecisionRule


@manual.command(examples=("evaluate pairs.csv --root pictures", "evaluate --impostors people/ --fmr 0.001"))
@click.argument(
    "pairs", required=False, type=click.File("r", encoding="utf-8-sig", errors="surrogateescape"), metavar="[PAIRS.csv]"
)
@click.option(
    "--root", type=click.Path(path_type=Path, exists=True, file_okay=False), default=".", help="Folder of the pictures."
)
@click.option(
    "--impostors",
    type=click.Path(path_type=Path, exists=True, readable=True),
    metavar="DIR",
    help="Compare all pictures of a folder with each other instead, each of another person; or of a CSV file with the"
    " column file.",
)
@options.by_option
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="OUT",
    help="Draw the false match rate of each group (.png, .svg, .pdf), or write the groups' rates (.csv).",
)
@click.option(
    "--roc",
    "roc_path",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="OUT",
    help="Draw the ROC curve (.png, .svg, .pdf), or write its points (.csv).",
)
@options.recognizer_options
@options.decision_options
@options.measuring_options
@gathered
def command(
    reading: InputSettings,
    plugins: PluginSettings,
    running: RunSettings,
    output: OutputSettings,
    pairs: IO[str] | None,
    root: Path,
    impostors: Path | None,
    by: tuple[str, ...],
    plot: Path | None,
    roc_path: Path | None,
    metric: Metric | None,
    threshold: float | None,
    fmr: float | None,
    operating_point: str | None,
) -> int:
    """Measure accuracy and error rates on labelled pairs.

    PAIRS is a CSV file with the columns file_a,file_b,same (1 or 0). Pictures of such data sets are centred on the
    person meant, hence --face center. With --face all, the closest pair of faces decides. A picture that gives no face
    counts as a failure to acquire, and its pairs as not recognised.

    With --impostors DIR every picture is of another person, and all of them are compared: that shows how often
    strangers pass, and which pairs are closest. A person who is there twice is among these.
    """
    start = time.perf_counter()
    if (pairs is None) == (impostors is None):
        raise click.UsageError("give PAIRS.csv or --impostors")
    if impostors is not None and roc_path is not None:
        raise click.UsageError("--roc needs pairs of the same person, and --impostors has none")
    if plot is not None and not by:
        raise click.UsageError("--plot shows groups: name their column with --by")

    from facecli.api.selection import Request
    from facecli.cli import context, progress, wiring
    from facecli.cli.wording import option
    from facecli.evaluation.labelled import check_present

    sink = context.open_sink(output)
    with sink.opened():
        truth = _Truth.read(pairs, impostors, root, by)
        check_present(truth.root, truth.names, truth.file)
        faces = wiring.open_faces(plugins, running, reading, inputs=len(truth.names))
        request = Request(embed=True)
        tools = faces.engine.tools(request)

        # Imported while the models load in their threads.
        from facecli.evaluation import group_figure, labelled, roc
        from facecli.matching.rules import DecisionRequest, rule_for
        from facecli.output import evaluations

        plugin = tools.recognizer_plugin
        assert plugin is not None
        rule = rule_for(tools, plugin, DecisionRequest(metric, threshold, fmr, operating_point, plugins.preset))
        for setting, figure in (("roc", roc_path), ("plot", plot)):
            if figure is not None:
                _check_figure(figure, truth, setting)
        flow = faces.engine.flow(request, plugins.face, need_face=True)
        pictures = faces.engine.stream(request, labelled.sources_of(truth.root, truth.names), flow)
        reported = progress.reporting_errors(pictures, output, len(truth.names))
        labelled_faces = labelled.collect_faces(truth.names, (picture.result for picture in reported))
        evaluation = truth.evaluate(labelled_faces, rule, plugins.face)
        document = evaluations.document(evaluation, tools, option, plugins.named_preset)
        if roc_path is not None:
            title = f"{plugin.name}, {len(truth.pairs)} pairs, {rule.metric} distance"
            roc.write(roc_path, evaluation.rates, title)
        if plot is not None and evaluation.groups is not None:
            title = f"{plugin.name}, {rule.metric} distance <= {rule.threshold:.4g}"
            group_figure.write(plot, evaluation.groups, title)
        document["seconds"] = round(time.perf_counter() - start, 4)
    sink.document(document, evaluations.rows(document))
    return 1 if labelled_faces.failures else 0


@dataclass(frozen=True)
class _Truth:
    """Labelled pairs, or else pictures of different people. file: the list. names: the pictures, relative to `root`."""

    file: str
    root: Path
    names: Sequence[str]
    by: tuple[str, ...]
    pairs: Sequence[Pair] = ()
    strangers: Sequence[Stranger] = ()

    @classmethod
    def read(cls, pairs: IO[str] | None, impostors: Path | None, root: Path, by: tuple[str, ...]) -> _Truth:
        from facecli.evaluation import strangers
        from facecli.evaluation.pairs import pictures_of, read_stream

        if pairs is not None:
            listed = read_stream(pairs, pairs.name, by)
            return cls(pairs.name, root, pictures_of(listed), by, pairs=listed)
        assert impostors is not None
        people = strangers.listed(impostors, root, by)
        return cls(str(impostors), Path(), [stranger.picture for stranger in people], by, strangers=people)

    def evaluate(self, faces: LabelledFaces, rule: DecisionRule, face: str) -> PairsEvaluation:
        from facecli.evaluation import labelled, strangers

        if self.pairs:
            return labelled.evaluate_pairs(self.pairs, faces, rule, face, self.by)
        return strangers.evaluate(self.strangers, faces, rule, face, self.by)


def _check_figure(path: Path, truth: _Truth, setting: str) -> None:
    """Refuse, before any work, a place where a figure can not be written."""
    from facecli.evaluation import figures
    from facecli.output import overwriting
    from facecli.system import files

    figures.check(path)
    overwriting.refuse_inputs(path, (truth.file, *(truth.root / name for name in truth.names)), setting)
    files.check_writable(path)
