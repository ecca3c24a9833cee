"""`facecli models add`: an ONNX file of the user's becomes a model that is named like any other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facecli.commands import _describing as describing
from facecli.commands import _options as options
from facecli.commands import _trial

if TYPE_CHECKING:
    from facecli.contract import ModelSpec


@click.command("add")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE.onnx")
@click.option("--name", metavar="ID", help="What to call it.  [default: what the file says]")
@describing.describing_options
@click.option("--ignore-metadata", is_flag=True, help="Do not read what the file says of itself.")
@click.option("--replace", is_flag=True, help="Put it in the place of a model of yours with this name.")
@options.output_options
def command(file: Path, name: str | None, ignore_metadata: bool, replace: bool, **kwargs: Any) -> None:
    """Register an ONNX file of your own as a detector, a recognizer or an attribute model.

    What the file's metadata says (facecli's exports write it) is taken, and options go before it. Nothing is guessed:
    what neither says is asked for. The file is tried first, and copied into the model store.
    """
    given = describing.taken(kwargs)
    settings = options.Settings(**kwargs)

    from facecli import records
    from facecli.commands import _work

    sink = _work.open_output(settings)
    with sink.opened():
        spec = _add(file, name, given, ignore_metadata=ignore_metadata, replace=replace)
        document = records.header("models.add", model=spec.id, kind=spec.kind, file=spec.files[0].name)
        document |= {"sha256": spec.files[0].sha256, "size": spec.files[0].size, "use": _use(spec)}
    sink.document(document, [{"model": spec.id, "kind": spec.kind, "use": _use(spec)}])


def _add(file: Path, name: str | None, given: dict[str, Any], *, ignore_metadata: bool, replace: bool) -> ModelSpec:
    import shutil
    from tempfile import TemporaryDirectory

    from facecli.commands import _installing, _selftests, _work
    from facecli.errors import ModelError, OutputError, UsageError
    from facecli.models import checked, metadata, own
    from facecli.runtime import open_session

    with TemporaryDirectory(prefix="facecli-add-") as folder:
        # Alone in a folder: a file that keeps its weights in others, wherever those are, does not load.
        alone = Path(folder) / file.name
        try:
            shutil.copyfile(file, alone)
        except OSError as error:
            raise OutputError(f"{file} can not be copied: {error.strerror}", hint="free some space") from error
        try:
            session = open_session(alone)
        except ModelError as error:
            raise ModelError(error.message, hint="is it a whole ONNX file, with its weights inside?") from error
        said = {} if ignore_metadata else metadata.read(session.metadata, file.name)
        entry = describing.described(said, given)
        if name is not None:
            entry["id"] = name
        if "id" not in entry:
            raise UsageError(f"{file.name} does not say its name", hint="add --name")
        describing.fill(entry)
        _trial.fill_detector(entry)
        spec = checked.spec(entry, (), file.name)
        _installing.check_name(spec, replace=replace)
        _trial.run(spec, session, file.name)
        kept = alone.with_name(f"{spec.id.replace('/', '-')}{file.suffix}")
        store = _work.open_store()
        added = own.add(spec, alone.replace(kept), store, {"added_from": file.name, "metadata": said != {}})
        _selftests.remember(store, added)
        return added


def _use(spec: ModelSpec) -> str:
    return f"facecli analyze --attributes {spec.id}" if spec.kind == "attribute" else f"--{spec.kind} {spec.id}"
