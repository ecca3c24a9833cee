"""`facecli serve`: a server of this machine's faces, with a web page."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import click

from facecli.cli import manual, options, values
from facecli.cli.settings import InputSettings, OutputSettings, PluginSettings, RunSettings, gathering

SCOPES = ("read", "identify", "enroll", "admin")


@dataclass(frozen=True, slots=True)
class ServingSettings:
    """The options of a server; facecli.server.settings.Settings tells of each."""

    host: str
    port: int
    keys: Path | None
    allow_url: tuple[str, ...]
    max_body: int
    max_pixels: int
    queue: int
    seconds: float
    rate: int
    live_fps: float
    dataset: Path | None
    compat: tuple[str, ...]


@manual.command(examples=("serve --gallery staff.db", "serve --host 0.0.0.0 --keys keys.json"))
@options.gallery_option
@click.option(
    "--dataset",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Enroll what is put into DIR/unTrained_data/NAME and move it to Trained_data; the gallery is in Embeddings.",
)
@click.option(
    "--compat",
    callback=lambda _context, _option, text: tuple(name.strip() for name in text.split(",") if name.strip()),
    default="",
    metavar="NAMES",
    help="Also answer as other servers do, for their clients: compreface, deepface.",
)
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", help="Listen here; others than this machine need keys.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", default=8000, help="The port; 0 for a free one.")
@click.option(
    "--keys",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Let in who has one of the keys in FILE.",
)
@click.option("--add-key", metavar="LABEL", help="Make a key, add it to --keys, print it once, and end.")
@click.option("--scope", type=click.Choice(SCOPES), help="Of the new key; each includes those before.  [default: read]")
@click.option(
    "--allow-url",
    multiple=True,
    metavar="HOST",
    help="Fetch pictures of this public host, * for all, or HOST:PORT of yours.  [default: of none]",
)
@click.option("--max-body", type=click.IntRange(1), metavar="N", default=10 * 2**20, help="Bytes of one request.")
@click.option(
    "--max-pixels",
    type=click.IntRange(1),
    metavar="N",
    default=25_000_000,
    help="Refuse larger pictures undecoded.",
)
@click.option("--queue", type=click.IntRange(1, 10_000), metavar="N", default=32, help="Requests that may wait.")
@click.option(
    "--seconds",
    type=values.Finite(0, 3600, min_open=True),
    metavar="SECONDS",
    default=30.0,
    help="Time that one request may take.",
)
@click.option("--rate", type=click.IntRange(1), metavar="N", default=600, help="Requests a minute of one client.")
@click.option(
    "--live-fps",
    type=values.Finite(0, 60, min_open=True),
    metavar="N",
    default=5.0,
    help="Pictures a second that one live view gets answers to.",
)
@options.recognizer_options
@options.detector_options
@options.run_options
@options.format_options
@gathering(serving=ServingSettings)
def command(
    plugins: PluginSettings,
    running: RunSettings,
    output: OutputSettings,
    serving: ServingSettings,
    gallery: Path | None,
    add_key: str | None,
    scope: str | None,
) -> None:
    """Answer over HTTP what the other commands answer, and serve a web page.

    On the page people sign up with their face, log in, and see themselves recognised. The server listens on this
    machine alone unless keys lock it, and ends with Ctrl-C.
    """
    from facecli.cli import context
    from facecli.errors import UsageError

    if add_key is not None:
        _add_key(output, serving.keys, add_key, scope or SCOPES[0])
        return
    sink = context.open_sink(output)
    with sink.opened():
        if scope is not None:  # whoever gives it wants a lock
            hint = "make a key with {add_key}, and serve with {keys}"
            raise UsageError("{scope} is of a new key, and none is made", hint=hint, about=("scope", "add_key", "keys"))
        _serve(gallery, plugins, running, output, serving)


def _serve(
    gallery: Path | None,
    plugins: PluginSettings,
    running: RunSettings,
    output: OutputSettings,
    serving: ServingSettings,
) -> None:
    """Answer requests until the process is told to end."""
    from dataclasses import replace

    from facecli.cli import context, galleries, wiring
    from facecli.errors import ModelError, UsageError
    from facecli.server.dataset import gallery_of
    from facecli.server.settings import Settings
    from facecli.system.streams import print_error

    if serving.dataset is not None:
        if gallery is not None:
            raise UsageError("a dataset has a gallery of its own", hint="leave out {gallery}", about="gallery")
        gallery = gallery_of(serving.dataset)
    settings = Settings(galleries.gallery_path(gallery), **asdict(serving))
    try:
        from facecli.server.running import serve
        from facecli.server.service import Service
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "facecli":
            raise
        hint = 'pip install "facecli[serve]"'
        raise ModelError(f"a server needs {error.name}, which is not installed", hint=hint) from error
    chosen = replace(
        plugins,
        recognizer=None if context.defaulted("recognizer") else plugins.recognizer,
        detector=None if context.defaulted("detector") else plugins.detector,
    )
    limits = InputSettings(max_pixels=settings.max_pixels, max_bytes=settings.max_body)
    faces = wiring.open_faces(chosen, running, limits, inputs=None)
    service = Service(settings, faces, running.jobs)

    def tell(address: str) -> None:
        if not output.quiet:
            print_error(f"listening on {address}")

    serve(service, tell)


def _add_key(output: OutputSettings, keys: Path | None, label: str, scope: str) -> None:
    """Make a key, and write it as the only result: nobody can tell it later."""
    from facecli.cli import context
    from facecli.errors import UsageError
    from facecli.output import records
    from facecli.server.keys import Keys, label_of

    sink = context.open_sink(output)
    if keys is None:
        raise UsageError("a key is added to a file, and none was named", hint="name it with {keys}", about="keys")
    label = label_of(label)
    key = Keys.add(keys, label, scope)
    document = records.header("serve.key", label=label, scope=scope, key=key)
    sink.document(document, [{name: document[name] for name in ("label", "scope", "key")}])
