"""Options that describe a model of the user's: what it is for, how its crops are cut and become its input."""

from __future__ import annotations

from typing import Any

import click

from facecli.commands import _options as options

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


describing_options = options.chain(
    click.option("--kind", type=click.Choice(["detector", "recognizer", "attribute"]), help="What it does."),
    click.option("--family", metavar="DETECTOR", help="Of a detector: whose outputs it has, such as scrfd."),
    click.option("--crop", metavar="arcface|dlib|bbox|MODEL", help="How its faces are cut, or as whose."),
    click.option("--size", callback=_size, metavar="WxH", help="Size of a bbox crop, px."),
    click.option(
        "--margin",
        type=options.Finite(-0.4, 10),
        help="Of a bbox crop: part of the box added on each side; negative to cut off.",
    ),
    click.option("--square", is_flag=True, help="Of a bbox crop: grow the shorter side to the longer."),
    click.option("--colour", type=click.Choice(["RGB", "BGR", "grey"]), help="Colour order of its input."),
    click.option("--mean", callback=_numbers, metavar="N[,N,N]", help="Subtracted from pixels 0..255."),
    click.option("--std", callback=_numbers, metavar="N[,N,N]", help="What they are divided by then."),
    click.option("--layout", type=click.Choice(["NCHW", "NHWC"]), help="Order of its input's axes."),
    click.option("--dim", type=click.IntRange(1), help="Length of its embeddings."),
    click.option("--normalized", is_flag=True, help="Bring its embeddings to length 1."),
    click.option("--metric", type=click.Choice(METRICS), help="Distance that its threshold is of."),
    click.option("--threshold", type=options.Finite(0), help="Largest distance that is still the same person."),
    click.option("--attribute", help="What an attribute model tells, such as emotion."),
    click.option("--labels", callback=options.split_commas, metavar="LABEL,...", help="Its classes, in column order."),
    click.option("--logits", is_flag=True, help="Of an attribute model: its file ends before the softmax."),
    click.option("--summary", help="One line about it."),
    click.option("--licence", "--license", help="Its licence, as an SPDX name where there is one."),
    click.option("--commercial-use/--no-commercial-use", default=None, help="Whether the licence allows it."),
    click.option("--source", help="Where it is from."),
)

_DESCRIBING = (
    *("kind", "crop", "size", "margin", "square", "colour", "mean", "std", "layout", "dim", "normalized", "metric"),
    *("family", "threshold", "attribute", "labels", "logits", "summary", "licence", "commercial_use", "source"),
)


def taken(arguments: dict[str, Any]) -> dict[str, Any]:
    """The describing options out of a command's arguments, those that were given."""
    found = {key: arguments.pop(key) for key in _DESCRIBING}
    absent = {key for key, value in found.items() if value is None or value == ()}
    absent |= {flag for flag in ("square", "normalized", "logits") if not found[flag]}
    return {key: value for key, value in found.items() if key not in absent}


def described(said: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """What the file says, with what the options say instead."""
    from facecli.errors import UsageError
    from facecli.models import catalogue

    entry = dict(said)
    crop = given.pop("crop", None)
    if crop != "bbox" and {"size", "margin", "square"} & set(given):
        raise UsageError("--size, --margin and --square are for --crop bbox", hint="add it")
    if crop:
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
    for key in ("size", "margin", "square"):
        given.pop(key, None)
    how = {key: given.pop(key) for key in ("colour", "mean", "std", "layout") if key in given}
    if how:
        entry["preprocessing"] = {**_table(entry.get("preprocessing")), **how}
    point = {key: given.pop(key) for key in ("metric", "threshold") if key in given}
    if point:  # what was measured belongs to the file's own point
        old = {
            key: value for key, value in _table(entry.get("operating_point")).items() if key in ("metric", "threshold")
        }
        entry["operating_point"] = {**old, **point, "source": "given by the user"}
    return entry | given


def _table(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}


def fill(entry: dict[str, Any]) -> None:
    """Say what nobody has said, where nothing is guessed by it."""
    entry.setdefault("summary", f"{entry['id']}, added by the user")
    for text in ("licence", "source"):
        entry.setdefault(text, "not stated")
    entry.setdefault("commercial_use", False)
