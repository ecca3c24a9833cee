"""`facecli anonymize`: pictures and films whose faces nobody recognises."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from facecli.cli import completing, manual, options, values
from facecli.cli.settings import InputSettings, OutputSettings, PluginSettings, RunSettings, gathering
from facecli.hosting.choice import TRACKER


@dataclass(frozen=True, slots=True)
class VeilSettings:
    """The veil, and whom it is for. beyond: its margin. check: recognizers look at each face before and after."""

    method: str = "pixelate"
    cells: int = 6
    beyond: float = 0.2
    shape: str = "box"
    only: tuple[str, ...] = ()
    except_: tuple[str, ...] = ()
    gallery: Path | None = None
    tracks: Path | None = None
    check: bool = False


@manual.command(examples=("anonymize street.jpg -o blurred.jpg", "anonymize clip.mp4 -o blurred.mp4 --check"))
@click.argument("inputs", nargs=-1, metavar="INPUTS...")
@click.option(
    "--output",
    "-o",
    "out",
    type=click.Path(path_type=Path),
    metavar="OUT",
    required=True,
    help="A file, or a folder for several.",
)
@click.option(
    "--method", type=click.Choice(("pixelate", "blur", "mask")), default="pixelate", help="mask is one colour."
)
@click.option(
    "--cells", type=click.IntRange(1, 64), metavar="N", default=6, help="Cells across a face; a blur is as coarse."
)
@click.option(
    "--margin",
    "beyond",
    type=values.Finite(0, 2),
    metavar="PART",
    default=0.2,
    help="Cover so much of a face's sides beyond each of them.",
)
@click.option("--shape", type=click.Choice(("box", "ellipse")), default="box", help="Of what is covered.")
@click.option("--only", multiple=True, metavar="NAME", help="Cover only this person of the gallery; may be repeated.")
@click.option(
    "--except", "except_", multiple=True, metavar="NAME", help="Cover everybody but this person; may be repeated."
)
@options.gallery_option
@click.option(
    "--tracks",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Take the faces of films from FILE, which `track --frames --json` has written.",
)
@click.option("--check", is_flag=True, help="Fail if any installed recognizer still recognises a covered face.")
@click.option(
    "--tracker",
    default=TRACKER,
    metavar="NAME",
    help="The tracker for films: {trackers}.",
    shell_complete=completing.trackers,
)
@click.option("--codec", type=click.Choice(("h264", "av1", "vp9", "mpeg4")), help="Of films that are written.")
@click.option("--audio", type=click.Choice(("copy", "none")), default="none", help="Sound of films: a voice is known.")
@options.detector_options
@options.limit_options
@options.device_options
@options.threads_option
@options.format_options
@gathering(veiling=VeilSettings)
def command(
    reading: InputSettings,
    plugins: PluginSettings,
    running: RunSettings,
    output: OutputSettings,
    veiling: VeilSettings,
    out: Path,
    tracker: str,
    codec: str | None,
    audio: str,
) -> int:
    """Cover faces in pictures and films so that nobody is recognised.

    The copies hold no metadata, no thumbnails and no positions; films no sound unless --audio copy asks for it. A film
    is read twice: a face that the detector loses for a moment stays covered.
    """
    from facecli.api.anonymising import Anonymizer, AnonymousWish
    from facecli.cli import anonymising, context, galleries, tally, wiring
    from facecli.cli.wording import option
    from facecli.errors import UsageError

    if not reading.inputs:
        raise UsageError("no input", hint="name pictures, films, or folders of them")
    sink = context.open_sink(output)
    with sink.opened():
        from facecli.anonymise import document
        from facecli.anonymise.choice import Chosen
        from facecli.anonymise.veil import Veil
        from facecli.output import anonymised, records

        veil = Veil(veiling.method, veiling.cells, veiling.beyond, veiling.shape)
        chosen = Chosen(frozenset(veiling.only), frozenset(veiling.except_))
        planned = anonymising.jobs(reading.inputs, out)
        films = [job for job in planned if job.picture is None]
        if films:
            from facecli.film import library

            library.require()
        analyses = {} if veiling.tracks is None else document.read(veiling.tracks)
        wish = AnonymousWish(veil, chosen, tracker, veiling.check, codec, audio == "copy", reading.max_pixels, analyses)
        people = None
        count = None if len(films) == len(planned) else 1  # frames of a film are looked at side by side
        if chosen.everybody or analyses:
            engine = wiring.open_faces(plugins, running, reading, inputs=count).engine
        else:
            people = galleries.open_gallery(veiling.gallery, plugins, running, reading, inputs=count)
            engine = people.engine
        anonymizer = Anonymizer(engine, wish, people)
        header = records.header(
            "anonymize",
            detector=records.described(anonymizer.tools, anonymizer.tools.detector_plugin),
            method=veil.method,
            cells=None if veil.method == "mask" else veil.cells,
            margin=veil.margin,
            shape=veil.shape,
        )
        tally.warn_of_fewer(analyses.values(), header["detector"])
        told = tally.Tally(output)
        outcomes = told.counted(anonymising.run(anonymizer, planned, reading.limits), len(planned))
        shown = (anonymised.record(one, option) for one in outcomes)
        sink.stream(header, "files", shown, anonymised.CSV_COLUMNS, anonymised.csv_rows, anonymised.table_rows)
        told.tell()
        if people is not None:
            people.close()
    return 1 if told.failed else 0
