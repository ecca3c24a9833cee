"""`facecli models add`: an ONNX file of the user's becomes a model that is named like any other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from facecli.commands import _options as options

if TYPE_CHECKING:
    from facecli.contract import ModelSpec
    from facecli.runtime import OnnxSession

# Names for crops that many models share: the catalogue's models that have them.
CROPS = {"arcface": "mobilefacenet", "dlib": "dlib-resnet"}
METRICS = ("cosine", "euclidean", "euclidean_l2", "angular")


def _numbers(ctx: click.Context, parameter: click.Parameter, value: str | None) -> tuple[float, ...] | None:
    if value is None:
        return None
    try:
        return tuple(float(part) for part in value.split(","))
    except ValueError:
        raise click.BadParameter(f"{value!r} is no list of numbers", ctx, parameter) from None


def _size(ctx: click.Context, parameter: click.Parameter, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    width, cross, height = value.partition("x")
    if not (cross and width.isdecimal() and height.isdecimal() and len(value) < 12):
        raise click.BadParameter(f"{value!r} is no WIDTHxHEIGHT", ctx, parameter)
    return int(width), int(height)


@click.command("add")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE.onnx")
@click.option("--name", metavar="ID", help="What to call it.  [default: what the file says]")
@click.option("--kind", type=click.Choice(["recognizer", "attribute"]), help="What it does.")
@click.option("--crop", metavar="arcface|dlib|bbox|MODEL", help="How its faces are cut, or as whose.")
@click.option("--size", callback=_size, metavar="WxH", help="Size of a bbox crop, px.")
@click.option("--margin", type=options.Finite(0, 10), help="Of a bbox crop: part of the box added on each side.")
@click.option("--square", is_flag=True, help="Of a bbox crop: grow the shorter side to the longer.")
@click.option("--colour", type=click.Choice(["RGB", "BGR", "grey"]), help="Colour order of its input.")
@click.option("--mean", callback=_numbers, metavar="N[,N,N]", help="Subtracted from pixels 0..255.")
@click.option("--std", callback=_numbers, metavar="N[,N,N]", help="What they are divided by then.")
@click.option("--layout", type=click.Choice(["NCHW", "NHWC"]), help="Order of its input's axes.")
@click.option("--dim", type=click.IntRange(1), help="Length of its embeddings.")
@click.option("--normalized", is_flag=True, help="Bring its embeddings to length 1.")
@click.option("--metric", type=click.Choice(METRICS), help="Distance that its threshold is of.")
@click.option("--threshold", type=options.Finite(0), help="Largest distance that is still the same person.")
@click.option("--attribute", help="What an attribute model tells, such as emotion.")
@click.option("--labels", callback=options.split_commas, metavar="LABEL,...", help="Its classes, in column order.")
@click.option("--summary", help="One line about it.")
@click.option("--licence", "--license", help="Its licence, as an SPDX name where there is one.")
@click.option("--commercial-use/--no-commercial-use", default=None, help="Whether the licence allows it.")
@click.option("--source", help="Where it is from.")
@click.option("--ignore-metadata", is_flag=True, help="Do not read what the file says of itself.")
@click.option("--replace", is_flag=True, help="Put it in the place of a model of yours with this name.")
@options.output_options
def command(file: Path, name: str | None, ignore_metadata: bool, replace: bool, **kwargs: Any) -> None:
    """Register an ONNX file of your own as a recognizer or an attribute model.

    What the file's metadata says (facecli's exports write it) is taken, and options go before it. Nothing is guessed:
    what neither says is asked for. The file is copied into the model store and tried on the sample faces first.
    """
    given = {key: kwargs.pop(key) for key in list(kwargs) if key in _DESCRIBING}
    settings = options.Settings(**kwargs)

    from facecli import records
    from facecli.commands import _work

    sink = _work.open_output(settings)
    with sink.opened():
        spec = _add(file, name, given, ignore_metadata=ignore_metadata, replace=replace)
        document = records.header("models.add", model=spec.id, kind=spec.kind, file=spec.files[0].name)
        document |= {"sha256": spec.files[0].sha256, "size": spec.files[0].size, "use": _use(spec)}
    sink.document(document, [{"model": spec.id, "kind": spec.kind, "use": _use(spec)}])


_DESCRIBING = (
    *("kind", "crop", "size", "margin", "square", "colour", "mean", "std", "layout", "dim", "normalized", "metric"),
    *("threshold", "attribute", "labels", "summary", "licence", "commercial_use", "source"),
)


def _add(file: Path, name: str | None, given: dict[str, Any], *, ignore_metadata: bool, replace: bool) -> ModelSpec:
    import shutil
    from tempfile import TemporaryDirectory

    from facecli.commands import _work
    from facecli.errors import OutputError, UsageError
    from facecli.models import checked, metadata, own
    from facecli.runtime import open_session

    with TemporaryDirectory(prefix="facecli-add-") as folder:
        # Alone in a folder: a file that keeps its weights in others, wherever those are, does not load.
        alone = Path(folder) / f"model{file.suffix}"
        try:
            shutil.copyfile(file, alone)
        except OSError as error:
            raise OutputError(f"{file} can not be copied: {error.strerror}", hint="free some space") from error
        session = open_session(alone)
        said = {} if ignore_metadata else metadata.read(session.metadata, file.name)
        entry = _described(said, {key: value for key, value in given.items() if value not in (None, (), False)})
        if name is not None:
            entry["id"] = name
        if "id" not in entry:
            raise UsageError(f"{file.name} does not say its name", hint="add --name")
        entry.setdefault("summary", f"{entry['id']}, added by the user")
        for text in ("licence", "source"):
            entry.setdefault(text, "not stated")
        entry.setdefault("commercial_use", False)
        spec = checked.spec(entry, (), file.name)
        _check_name(spec, replace=replace)
        _try(spec, session, file.name)
        kept = alone.with_name(f"{spec.id.replace('/', '-')}{file.suffix}")
        return own.add(spec, alone.replace(kept), _work.open_store(), {"added_from": file.name, "metadata": said != {}})


def _described(said: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """What the file says, with what the options say instead."""
    from facecli.errors import UsageError
    from facecli.models import catalogue

    entry = dict(said)
    if crop := given.pop("crop", None):
        if crop == "bbox":
            if "size" not in given:
                raise UsageError("--crop bbox needs a size", hint="add --size WxH")
            width, height = given["size"]
            entry["crop"] = {"width": width, "height": height}
            entry["crop"] |= {key: given[key] for key in ("margin", "square") if key in given}
        else:
            import dataclasses

            like = catalogue.load(CROPS.get(crop, crop)).crop
            if like is None:
                raise UsageError(f"{crop} has no crop", hint="choose another --crop")
            entry["crop"] = dataclasses.asdict(like)
    elif {"size", "margin", "square"} & set(given):
        raise UsageError("--size, --margin and --square are for --crop bbox", hint="add it")
    for key in ("size", "margin", "square"):
        given.pop(key, None)
    how = {key: given.pop(key) for key in ("colour", "mean", "std", "layout") if key in given}
    if how:
        entry["preprocessing"] = {**_table(entry.get("preprocessing")), **how}
    point = {key: given.pop(key) for key in ("metric", "threshold") if key in given}
    if point:  # what was measured belongs to the file's own point
        old = {key: value for key, value in _table(entry.get("operating_point")).items() if key in ("metric", "threshold")}
        entry["operating_point"] = {**old, **point, "source": "given to `facecli models add`"}
    return entry | given


def _table(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}


def _check_name(spec: ModelSpec, *, replace: bool) -> None:
    from facecli.commands import _work
    from facecli.errors import UsageError
    from facecli.models import catalogue, own

    if spec.id in catalogue.shipped():
        raise UsageError(f"the name {spec.id} belongs to facecli itself", hint="choose another --name")
    kind: Any = "recognizers" if spec.kind == "recognizer" else "attributes"
    if spec.id in own.model_ids():
        if not replace:
            raise UsageError(f"you have a model {spec.id} already", hint="add --replace, or choose another --name")
    elif spec.id in _work.registry().names(kind):
        raise UsageError(f"there is a plugin {spec.id} already", hint="choose another --name")


def _try(spec: ModelSpec, session: OnnxSession, name: str) -> None:
    """Run the model once on plain crops: its input and output must be those that are described."""
    import numpy as np

    from facecli.errors import ModelError
    from facecli.preprocess import to_input

    assert spec.crop is not None and spec.preprocessing is not None
    if len(session.input_shapes) != 1:
        raise ModelError(f"{name} has {len(session.input_shapes)} inputs, not one", hint="it needs a plugin of its own")
    ((given, shape),) = session.input_shapes.items()
    count = shape[0] if shape and shape[0] else 2
    crops = np.random.default_rng(0).integers(0, 256, (count, spec.crop.height, spec.crop.width, 3), np.uint8)
    pixels = to_input(crops, spec.preprocessing)
    fits = len(shape) == 4 and all(n is None or n == m for n, m in zip(shape, pixels.shape, strict=True))
    if not fits:
        raise ModelError(f"{name} takes {shape}, its description makes {pixels.shape}", hint="mend --crop or --layout")
    try:
        output = next(iter(session.run({given: pixels}).values()))
    except Exception as error:  # onnxruntime's errors share no base class
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(f"{name} does not run: {first}", hint="is it a float32 model of face crops?") from error
    width = spec.dim if spec.kind == "recognizer" else len(spec.labels) or 1
    if output.shape != (count, width) or output.dtype != np.float32 or not np.isfinite(output).all():
        what = f"{output.shape} {output.dtype}, its description says {(count, width)} finite float32"
        raise ModelError(f"{name} gives {what}", hint="mend --dim or --labels")
    if spec.labels and (output.min() < 0 or abs(output.sum(1) - 1).max() > 1e-3):
        raise ModelError(f"{name} does not give probabilities", hint="export it with a softmax at its end")


def _use(spec: ModelSpec) -> str:
    return f"--recognizer {spec.id}" if spec.kind == "recognizer" else f"facecli analyze --attributes {spec.id}"
