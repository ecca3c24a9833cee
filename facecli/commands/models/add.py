"""`facecli models add`: an ONNX file of the user's becomes a model that is named like any other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from facecli.cli import manual, model_options, options
from facecli.cli.settings import gathering
from facecli.inventory.describing import ModelDescription

if TYPE_CHECKING:
    from facecli.cli.settings import OutputSettings
    from facecli.contract import ModelSpec


@manual.command(
    "add",
    examples=(
        "models add mine.onnx",
        "models add mine.onnx --name mine --kind recognizer --crop arcface --metric cosine --threshold 0.6",
    ),
)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE.onnx")
@click.option("--name", metavar="ID", help="What to call it.  [default: what the file says]")
@model_options.describing_options
@click.option("--ignore-metadata", is_flag=True, help="Do not read what the file says of itself.")
@click.option("--replace", is_flag=True, help="Put it in the place of a model of yours with this name.")
@options.output_options
@gathering(description=ModelDescription)
def command(
    *,
    file: Path,
    name: str | None,
    description: ModelDescription,
    ignore_metadata: bool,
    replace: bool,
    output: OutputSettings,
) -> None:
    """Register an ONNX file of your own as a detector, a recognizer or an attribute model.

    What the file's metadata says (facecli's exports write it) is taken, and options go before it. Nothing is guessed:
    what neither says is asked for. The file is tried first, and copied into the model store.
    """
    from facecli.cli import context
    from facecli.inventory.admission import Applicant, admit
    from facecli.output import records

    sink = context.open_sink(output)
    with sink.opened():
        applicant = Applicant(file, name, description, ignore_metadata, replace)
        admitted = admit(applicant, context.registry(), context.open_store())
    spec = admitted.spec
    (installed,) = spec.files
    document = records.header("models.add", model=spec.id, kind=spec.kind, file=installed.name)
    document |= {"sha256": installed.sha256, "size": installed.size, "use": _use(spec), "mended": list(admitted.notes)}
    mended = {"mended": "; ".join(admitted.notes)} if admitted.notes else {}
    sink.document(document, [{"model": spec.id, "kind": spec.kind, "use": _use(spec)} | mended])


def _use(spec: ModelSpec) -> str:
    return f"facecli analyze --attributes {spec.id}" if spec.kind == "attribute" else f"--{spec.kind} {spec.id}"
