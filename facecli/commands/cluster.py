"""`facecli cluster`: pictures sorted by the people in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facecli.cli import manual, options, values
from facecli.cli.settings import InputSettings, OutputSettings, PluginSettings, RunSettings, gathering

if TYPE_CHECKING:
    from collections.abc import Iterator

    from facecli.api.clustering import Gathering
    from facecli.api.picture import Picture
    from facecli.output.people_folder import Mode

RECORDS = (".json", ".jsonl", ".csv")  # files of results; another output is a folder of pictures
MODES = ("copy", "link", "csv")


@dataclass(frozen=True, slots=True)
class SortingSettings:
    """The way to make clusters, and what becomes of their pictures. See facecli.Faces.cluster."""

    threshold: float | None = None
    fmr: float | None = None
    min_faces: int = 2
    ids_from: Path | None = None
    mode: Mode | None = None
    update: bool = False


@manual.command(examples=("cluster photos/ --output people/", "cluster faces.npz --gallery staff.db --json"))
@options.input_options
@click.option(
    "--gallery",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Recognise the people of this gallery first; without INPUTS, cluster its own faces.",
)
@click.option("--threshold", type=values.Finite(0), metavar="DISTANCE", help="Largest mean distance of one person.")
@click.option(
    "--fmr",
    type=values.Finite(0, 1, min_open=True, max_open=True),
    metavar="RATE",
    help="Or take the threshold that was measured at this false match rate.  [default: 0.001]",
)
@click.option(
    "--min-faces", type=click.IntRange(1), metavar="N", default=2, help="Faces that make a person of somebody unnamed."
)
@click.option(
    "--ids-from",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Let people keep the ids that they have in this JSON file of an earlier run.",
)
@options.recognizer_options
@options.detector_options
@options.preset_option
@options.no_detect_option
@options.face_option("all")
@options.limit_options
@options.run_options
@click.option(
    "--output",
    "-o",
    "path",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="Sort the pictures into the folder OUT, a folder for each person; or write the results to OUT (.json, .jsonl"
    " or .csv), and nothing to stdout.",
)
@click.option("--mode", type=click.Choice(MODES), help="Fill the folder with copies, links or a list.  [default: copy]")
@click.option("--update", is_flag=True, help="Add to the folder of an earlier run; nothing there is deleted.")
@options.format_options
@gathering(sorting=SortingSettings)
def command(
    reading: InputSettings,
    plugins: PluginSettings,
    running: RunSettings,
    output: OutputSettings,
    sorting: SortingSettings,
    gallery: Path | None,
) -> int:
    """Find out which faces are of one person.

    INPUTS are pictures, or files of `facecli embed -o FILE.npz`, or folders that its jobs have filled. Two faces of one
    picture are two people. The threshold is not that of `facecli verify`: it holds for the mean distance between groups
    of faces. What was said in the gallery, names, "not this person" and "ignore", holds here, and nothing is changed
    there.
    """
    from facecli.api.clustering import names_stored
    from facecli.cli import context, inputs, progress
    from facecli.cli.wording import option
    from facecli.errors import UsageError

    folder = None if output.path is None or output.path.suffix.lower() in RECORDS else output.path
    if folder is None and (sorting.mode is not None or sorting.update):
        raise click.UsageError("--mode and --update are for a folder: name one with --output")
    sink = context.open_sink(output if folder is None else replace(output, path=None))
    with sink.opened():
        named = bool(reading.inputs or reading.files_from or reading.files_from0)
        if not named and gallery is None:
            raise UsageError("no input", hint="name pictures or folders, or a {gallery}", about="gallery")
        stored = names_stored(reading.inputs)
        if stored and (reading.files_from or reading.files_from0):
            raise UsageError("stored embeddings are not clustered together with a list of pictures")
        if folder is not None and sorting.mode != "csv":
            _check_files(reading)
        gathered = _gathering(reading, plugins, running, gallery, inputs.count_inputs(reading) if named else 0)

        # Imported while the models load in their threads.
        from facecli.output import clusterings, people_folder

        earlier = {} if sorting.ids_from is None else clusterings.read_ids(sorting.ids_from, reading.max_bytes)
        if folder is not None:
            earlier |= people_folder.earlier_ids(folder, reading.max_bytes, update=sorting.update)
        if stored:
            gathered.stored(reading.inputs, reading.max_bytes)
        else:
            gathered.rule(sorting.threshold, sorting.fmr)  # which may be refused: before the work
            pictures = _pictures(gathered, reading, plugins) if named else ()
            for _ in progress.reporting_errors(pictures, output, inputs.total(reading) if named else 0):
                pass
        clustering = gathered.clustered(sorting.threshold, sorting.fmr, sorting.min_faces, earlier)
        document = clusterings.document(clustering, _parts(gathered, plugins), option)
        if folder is not None:
            document["written"] = people_folder.write(folder, clustering, document, sorting.mode or "copy")
    sink.document(document, clusterings.csv_rows(document), table=clusterings.table_rows(document))
    return 1 if clustering.failed else 0


def _check_files(reading: InputSettings) -> None:
    """Raise UsageError for inputs that can not be copied, as they are no files."""
    from facecli.errors import UsageError
    from facecli.pictures.sources import URL

    for name in reading.inputs:
        if name == "-" or URL.match(name):
            shown = "stdin" if name == "-" else "a URL"
            message = f"{shown} is no file here, so that it can not be copied"
            raise UsageError(message, hint="save the picture, or give {mode} csv", about="mode")


def _gathering(
    reading: InputSettings, plugins: PluginSettings, running: RunSettings, gallery: Path | None, count: int | None
) -> Gathering:
    """Return what gathers faces: with the gallery's plugins, if there is a gallery and no others are named."""
    from facecli.api.clustering import Gathering
    from facecli.cli import galleries, wiring

    if gallery is None:
        return Gathering(wiring.open_faces(plugins, running, reading, inputs=count).engine)
    opened = galleries.open_gallery(gallery, plugins, running, reading, inputs=count)
    return Gathering(opened.engine, opened)


def _pictures(gathered: Gathering, reading: InputSettings, plugins: PluginSettings) -> Iterator[Picture]:
    from facecli.cli import inputs
    from facecli.output.overwriting import OutputPaths

    return gathered.pictures(inputs.open_sources(reading, OutputPaths()), plugins.face)


def _parts(gathered: Gathering, plugins: PluginSettings) -> dict[str, Any]:
    """Return the parts of the document that say where the embeddings come from."""
    from facecli.output import galleries, records

    gallery = None if gathered.gallery is None else galleries.gallery(gathered.gallery.store())
    if gathered.files:
        header = gathered.files[0].header
        preset = {key: header[key] for key in ("preset",) if key in header}
        return {"gallery": gallery, "detector": header["detector"], "recognizer": header["recognizer"]} | preset
    tools = gathered.tools()
    detector, recognizer = records.described(tools, tools.detector_plugin), records.embedder(tools)
    return {"gallery": gallery, "detector": detector, "recognizer": recognizer} | plugins.named_preset
