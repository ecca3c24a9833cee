"""`facecli track`: the faces of films, cameras and streams through time."""

from __future__ import annotations

from pathlib import Path

import click

from facecli.cli import completing, manual, options, values
from facecli.cli.settings import FilmSettings, InputSettings, OutputSettings, PluginSettings, RunSettings, gathering
from facecli.hosting.choice import TRACKER


@manual.command(examples=("track door.mp4 --format jsonl", "track door.mp4 --gallery staff.db --annotate named.mp4"))
@click.argument("inputs", nargs=-1, metavar="INPUTS...")
@click.option(
    "--tracker",
    default=TRACKER,
    metavar="NAME",
    help="The tracker: {trackers}.",
    shell_complete=completing.trackers,
)
@click.option(
    "--every", type=click.IntRange(1), metavar="N", default=1, help="Detect in every Nth frame, follow between."
)
@click.option("--start", type=values.Finite(0), metavar="SECONDS", default=0.0, help="Begin at this time of the film.")
@click.option("--duration", type=values.Finite(0, min_open=True), metavar="SECONDS", help="End after so much of it.")
@click.option("--max-fps", type=values.Finite(0, min_open=True), metavar="RATE", help="Frames per second to look at.")
@click.option("--max-frames", type=click.IntRange(1), metavar="N", help="End after so many frames.")
@click.option(
    "--retry", type=click.IntRange(0), metavar="N", help="Try a lost stream so often.  [default: until it is back]"
)
@click.option("--join/--no-join", default=True, help="Join tracks of one person by their faces.")
@click.option("--gallery", type=click.Path(path_type=Path), metavar="FILE", help="Name people of this gallery.")
@click.option(
    "--attributes", callback=values.split_commas, metavar="NAME,...", help="Also tell these over time, such as emotion."
)
@click.option(
    "--window",
    type=values.Finite(0, min_open=True),
    metavar="SECONDS",
    default=1.0,
    help="Average attributes over so much time.",
)
@click.option("--frames", is_flag=True, help="Tell the faces of each frame, too (json, jsonl).")
@click.option("--embeddings", is_flag=True, help="Tell the embedding of each track.")
@click.option(
    "--annotate", type=click.Path(path_type=Path), metavar="OUT", help="Draw tracks: a film, or a folder for several."
)
@click.option("--codec", type=click.Choice(("h264", "av1", "vp9", "mpeg4")), help="Of the annotated film.")
@click.option("--audio", type=click.Choice(("copy", "none")), default="copy", help="Sound of the annotated film.")
@click.option(
    "--crops", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="Keep each track's best face."
)
@click.option(
    "--crops-per-track", type=click.IntRange(1, 100), metavar="N", default=1, help="Keep so many of each, best first."
)
@click.option(
    "--mot", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write MOTChallenge boxes."
)
@options.recognizer_options
@options.detector_options
@options.face_option("all")
@options.max_pixels_option
@options.run_options
@options.output_options
@gathering(films=FilmSettings)
def command(
    reading: InputSettings,
    plugins: PluginSettings,
    running: RunSettings,
    output: OutputSettings,
    films: FilmSettings,
    tracker: str,
    every: int,
    gallery: Path | None,
    attributes: tuple[str, ...],
    window: float,
    crops_per_track: int,
    *,
    join: bool,
) -> int:
    """Follow faces through films, cameras (camera:0) and streams: one id per person, names, attributes over time.

    --format jsonl tells each event as it happens; the other formats tell one record or row per track at the end.
    """
    from facecli.api.films import FilmTools, FilmWish, names_of
    from facecli.cli import context, galleries, wiring
    from facecli.cli.films import Run, inputs_of
    from facecli.errors import UsageError
    from facecli.film import library

    if not reading.inputs:
        raise UsageError("no input", hint="name films, folders of films, camera:0, or the address of a stream")
    sink = context.open_sink(output)
    with sink.opened():
        library.require()
        names = names_of(reading.inputs)
        wish = FilmWish(tracker, every, join, attributes, window, plugins.face, crops_per_track)
        people = None
        if gallery is None:
            faces = wiring.open_faces(plugins, running, reading, inputs=inputs_of(names))
            engine = faces.engine
        else:
            people = galleries.open_gallery(gallery, plugins, running, reading, inputs=inputs_of(names))
            engine = people.engine
        tools = FilmTools(engine, wish, people)
        run = Run(tools, films, names, reading.max_pixels, output.path)
        run.write(sink)
        if people is not None:
            people.close()
    return run.status
