"""Options that several commands share; cli/settings.py has the values that they become."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from facecli.cli import completing
from facecli.cli.values import WORKERS, Finite, split_commas
from facecli.hosting.choice import DETECTOR, RECOGNIZER
from facecli.hosting.presets import PRESETS
from facecli.kinds import METRICS, ROTATIONS
from facecli.output.sink import FORMATS

F = TypeVar("F", bound=Callable[..., Any])


def chain(*decorators: Callable[[F], F]) -> Callable[[F], F]:
    """Return several option decorators as one; --help lists their options in this order."""

    def apply(function: F) -> F:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply


def _option(*names: str, **attributes: Any) -> Callable[[F], F]:
    long = next(name for name in names if name.startswith("--")).split("/")[0]
    variable = "FACECLI_" + long.removeprefix("--").replace("-", "_").upper()
    return click.option(*names, envvar=attributes.pop("envvar", variable), **attributes)


format_options = chain(
    _option(
        "--format", "-f", type=click.Choice(FORMATS), help="Output format.  [default: table on a terminal, else json]"
    ),
    click.option("--json", is_flag=True, help="Short for --format json."),
    _option("--quiet", "-q", is_flag=True, help="No progress on stderr."),
)


def output_option(text: str) -> Callable[[F], F]:
    """Return the option -o with a command's own text."""
    return click.option(
        "--output", "-o", "path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help=text
    )


def _file_or_folder(ctx: click.Context, _param: click.Parameter, value: str | None) -> Path | None:
    """Return a file to write; a folder or a URL becomes the parameter `folder` instead, which asks for a job."""
    if value is not None and (value.endswith(("/", os.sep)) or "://" in value or os.path.isdir(value)):  # noqa: PTH112
        ctx.params["folder"] = value
        return None
    return None if value is None else Path(value)


def job_output_option(text: str) -> Callable[[F], F]:
    """Return the option -o of a command whose output may be a folder. text: what a file becomes."""
    return click.option(
        "--output",
        "-o",
        "path",
        callback=_file_or_folder,
        metavar="FILE|FOLDER/",
        help=f"{text} A folder, or the URL of one such as s3://bucket/out/, makes it a job that can be resumed.",
    )


job_options = chain(
    _option(
        "--engine",
        default="local",
        metavar="NAME",
        help="What runs a job: {engines}.",
        shell_complete=completing.engines,
    ),
    click.option(
        "--engine-option",
        multiple=True,
        metavar="ENGINE.NAME=VALUE",
        help="Set a parameter of an engine, such as ray.address=auto.",
    ),
    _option("--workers", type=click.IntRange(1), metavar="N", help="Processes of a job.  [default: the engine's]"),
    _option(
        "--shard",
        type=click.IntRange(1, 1_000_000),
        metavar="N",
        help="Pictures of a job that become one file.  [default: 1000, fewer for a short list]",
    ),
    click.option("--retry-failed", is_flag=True, help="Of a job, also try the pictures again that failed."),
)

output_options = chain(
    output_option("Write the results to FILE (.json, .jsonl or .csv), and nothing to stdout."), format_options
)

long_option = click.option("--long", "-l", is_flag=True, help="All columns in a table; other formats have them anyway.")

accept_license_option = _option(
    "--accept-license", is_flag=True, help="Accept a licence that does not allow commercial use; once for each."
)

input_options = chain(
    click.argument("inputs", nargs=-1, metavar="INPUTS..."),
    click.option("--files-from", metavar="FILE", help="Also read input names from FILE, one per line; - for stdin."),
    click.option("--files-from0", metavar="FILE", help="The same, separated by NUL bytes (as find -print0 writes)."),
)

max_bytes_option = _option(
    "--max-bytes", type=click.IntRange(1), metavar="N", default=256 * 2**20, help="Refuse larger files and downloads."
)
max_pixels_option = _option(
    "--max-pixels", type=click.IntRange(1), metavar="N", default=100_000_000, help="Refuse larger pictures undecoded."
)
limit_options = chain(
    max_pixels_option,
    max_bytes_option,
    _option(
        "--timeout",
        type=Finite(0, 86_400, min_open=True),
        metavar="SECONDS",
        default=30.0,
        help="Seconds a URL may take.",
    ),
)

detector_option = _option(
    "--detector",
    default=DETECTOR,
    metavar="NAME",
    help="The detector: {detectors}.",
    shell_complete=completing.detectors,
)
min_score_option = _option(
    "--min-score",
    type=Finite(0, 1),
    metavar="SCORE",
    help="Leave out faces with a lower score, 0 to 1; each detector has its own.  [default: the detector's]",
)
sift_options = chain(
    _option("--min-face-size", type=Finite(1), metavar="PX", help="Leave out faces whose longer side is less, px."),
    _option(
        "--rotate",
        type=click.Choice(ROTATIONS),
        default=ROTATIONS[0],
        help="auto: look at each picture's four turns, and keep the one with the surest face.",
    ),
    click.option(
        "--parameter",
        "-p",
        multiple=True,
        metavar="PLUGIN.NAME=VALUE",
        help="Set a plugin's parameter, such as yunet.size=1280; see `facecli plugins info`.",
    ),
)
detector_options = chain(detector_option, min_score_option, sift_options)

recognizer_options = chain(
    _option(
        "--recognizer",
        default=RECOGNIZER,
        metavar="NAME",
        help="The recognizer: {recognizers}; `facecli models list` tells which are here.",
        shell_complete=completing.recognizers,
    ),
    _option("--flip", is_flag=True, help="Average each embedding with that of the mirrored crop."),
)

metric_option = _option(
    "--metric",
    type=click.Choice(METRICS),
    help="Distance to decide by.  [default: the recognizer's own]",
)

preset_option = _option(
    "--preset",
    type=click.Choice(tuple(PRESETS)),
    help="Work as this project does by default; other options that are typed win over it.",
)

decision_options = chain(
    metric_option,
    click.option(
        "--threshold", type=Finite(0), metavar="DISTANCE", help="Largest distance that is still the same person."
    ),
    click.option(
        "--fmr",
        type=Finite(0, 1, min_open=True, max_open=True),
        metavar="RATE",
        help="Take the threshold that was measured at this false match rate.",
    ),
    _option(
        "--operating-point",
        metavar="NAME",
        help="Take your own threshold of this name (see `facecli calibrate`), or for `catalogue` the catalogue's, for"
        " `publisher` that of the weights' publisher, for `cohort` the one that compares beside strangers."
        "  [default: your newest for this recognizer and detector, else the catalogue's]",
    ),
)

by_option = click.option(
    "--by",
    multiple=True,
    metavar="COLUMN",
    help="Also tell the rates within groups of people: the column of the list that names a row's group, or COLUMN_a and"
    " COLUMN_b for the two faces. Several columns make a group of each combination.",
)

device_options = chain(
    _option(
        "--device",
        default="auto",
        metavar="DEVICE",
        help="Where models run, or fail: auto (CUDA where it runs, else the CPU), cpu, cuda[:N], tensorrt[:N], "
        "openvino[:CPU|GPU|NPU], coreml, directml[:N], xnnpack.",
    ),
    click.option(
        "--provider-option",
        multiple=True,
        metavar="DEVICE.NAME=VALUE",
        help="Pass an option to ONNX Runtime's provider, such as cuda.arena_extend_strategy=kSameAsRequested.",
    ),
    click.option(
        "--session-option",
        multiple=True,
        metavar="NAME=VALUE",
        help="Set a session entry of ONNX Runtime, such as session.intra_op.allow_spinning=1.",
    ),
    _option(
        "--engine-cache",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Where tensorrt, openvino and coreml keep what they compiled.  [default: in the model store]",
    ),
)

threads_option = _option("--threads", type=WORKERS, metavar="N", help="Threads per model run.  [default: cores / jobs]")

run_options = chain(
    device_options,
    threads_option,
    _option("--jobs", type=WORKERS, metavar="N", help="Batches or frames at once.  [default: cores, 1 for one input]"),
    _option(
        "--batch-size",
        type=click.IntRange(1, 1024),
        metavar="N",
        default=1,
        help="Pictures that go through the models together.",
    ),
)


def face_option(default: str) -> Callable[[F], F]:
    """Return the option --face with a command's own default."""
    text = "Which faces: only, largest, center, score, all, or an index."
    return _option("--face", default=default, metavar="CHOICE", help=text)


require_face_option = _option(
    "--require-face", is_flag=True, help="A picture without a face is a failure: error no_face, exit code 1."
)
anti_spoof_option = _option(
    "--anti-spoof",
    is_flag=True,
    help="Also check for photos of photos: verified is false if either face looks like a print or a screen.",
)
no_detect_option = click.option(
    "--no-detect", is_flag=True, help="The pictures are face crops already; flagged in the output."
)
labels_option = click.option(
    "--labels", callback=split_commas, metavar="LABEL,...", help="Show only these labels, such as happy,sad."
)
# Of what measures labelled pictures, after the recognizer's.
measuring_options = chain(
    detector_options, preset_option, no_detect_option, face_option("center"), limit_options, run_options, output_options
)
annotate_option = click.option(
    "--annotate",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="Draw what was found: a file, or a folder for several.",
)
gallery_option = _option(
    "--gallery",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The gallery.  [default: gallery.db in the user's data folder, or FACECLI_HOME]",
)
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Tell what would be done, and do nothing.")
