"""A model's description by somebody else, made into a ModelSpec only if every part of it is what it must be.

Such a description comes from the metadata of an ONNX file or from a file in the user's folder; nothing of it is
trusted.
"""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from facecli.contract import CropSpec, ModelFile, ModelSpec, OperatingPoint, Preprocessing
from facecli.contract.kinds import MODEL_KINDS
from facecli.contract.operating_point import METRICS
from facecli.errors import ModelError
from facecli.system.home import ID

LONGEST_TEXT, LONGEST_ID, MOST_LABELS = 2000, 100, 1000
LARGEST_SIDE, LARGEST_DIM = 4096, 65536  # crops are allocated before anything else is known about them
LARGEST_NUMBER = 1e6  # of a template's coordinate, a mean, a std or a threshold; none is near


def spec(entry: Mapping[str, Any], files: tuple[ModelFile, ...], where: str) -> ModelSpec:
    """The description `entry`, without its files, as a ModelSpec. Raises ModelError saying what is wrong `where`."""
    try:
        made: ModelSpec = _build(ModelSpec, {**entry, "files": ()}, "")
        _judge(made)
    except ValueError as error:
        raise ModelError(f"{where}: {error}", hint="mend it; docs/models.md says what belongs there") from error
    return dataclasses.replace(made, files=files)


def _build(kind: Any, given: Any, place: str) -> Any:
    """A dataclass of `kind` from a mapping of its fields, each checked against its annotation."""
    if not isinstance(given, Mapping):
        raise ValueError(f"{place} must be a table")  # noqa: TRY004 # all that is wrong is of one class
    fields = {field.name: field for field in dataclasses.fields(kind)}
    if unknown := set(given) - set(fields):
        raise ValueError(f"{f'{place}.' if place else ''}{min(unknown)!s:.40} is not known")
    hints = get_type_hints(kind, vars(__import__(kind.__module__, fromlist=["*"])))
    known = {name: _conform(value, hints[name], f"{place}.{name}".lstrip(".")) for name, value in given.items()}
    nothing = dataclasses.MISSING
    missing = [n for n, f in fields.items() if n not in known and f.default is nothing and f.default_factory is nothing]
    if missing:
        raise ValueError(f"{f'{place}.' if place else ''}{missing[0]} is missing")
    return kind(**known)


def _conform(value: Any, wanted: Any, place: str) -> Any:  # noqa: PLR0911 # one per kind of type
    """The value, in the type that an annotation of the contract names; ValueError if it is none of it."""
    origin, arguments = get_origin(wanted), get_args(wanted)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _conform(value, next(one for one in arguments if one is not type(None)), place)
    if origin is Literal:
        if value not in arguments:
            raise ValueError(f"{place} must be one of {', '.join(map(str, arguments))}")
        return value
    if origin is tuple:
        return _tuple(value, arguments, place)
    if dataclasses.is_dataclass(wanted):
        return _build(wanted, value, place)
    if origin is not None:  # the one mapping of the contract: names to numbers
        if not isinstance(value, Mapping):
            raise ValueError(f"{place} must be a table")
        return {_conform(k, str, place): _conform(v, float, f"{place}.{k!s:.40}") for k, v in value.items()}
    return _plain(value, wanted, place)


def _tuple(value: Any, arguments: tuple[Any, ...], place: str) -> Any:
    if not isinstance(value, (list, tuple)) or len(value) > MOST_LABELS:
        raise ValueError(f"{place} must be a list")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_conform(item, arguments[0], place) for item in value)
    if len(value) != len(arguments):
        raise ValueError(f"{place} must have {len(arguments)} values")
    return tuple(_conform(item, one, place) for item, one in zip(value, arguments, strict=True))


def _plain(value: Any, wanted: Any, place: str) -> Any:
    if wanted is float and type(value) is int:
        value = float(value) if abs(value) <= LARGEST_NUMBER else math.inf
    if type(value) is not wanted:
        raise ValueError(f"{place} must be {_NAMES.get(wanted, wanted.__name__)}")
    if wanted is float and not abs(value) <= LARGEST_NUMBER:  # so that NaN is refused too
        raise ValueError(f"{place} must be a number up to {LARGEST_NUMBER:g}")
    # What can not be printed could rewrite a terminal.
    if wanted is str and not (value.isprintable() and len(value) <= LONGEST_TEXT):
        raise ValueError(f"{place} must be printable and at most {LONGEST_TEXT} characters long")
    return value


_NAMES = {str: "a text", bool: "true or false", int: "a whole number", float: "a number"}


def _judge(made: ModelSpec) -> None:
    """What types do not say. Raises ValueError."""
    _require(ID.fullmatch(made.id) and len(made.id) <= LONGEST_ID, f"{made.id!r:.60} is no id: a-z, 0-9, - and _")
    _require(made.kind in MODEL_KINDS, f"a {made.kind} needs a plugin")
    _require(made.summary, "summary is empty")
    _require(made.preprocessing, "preprocessing is missing")
    assert made.preprocessing is not None
    _judge_preprocessing(made.preprocessing)
    _require(not made.logits or made.labels, "logits are of an attribute model with labels")
    _require(made.kind == "detector" or not made.family, "only a detector has a family")
    if made.kind == "detector":
        _judge_detector(made, made.preprocessing)
        return
    _require(made.crop, "crop is missing")
    assert made.crop is not None
    _judge_crop(made.crop)
    if made.kind == "recognizer":
        _require(made.dim and 1 <= made.dim <= LARGEST_DIM, f"dim must be 1 to {LARGEST_DIM}")
        _require(made.operating_point, "operating_point is missing: metric and threshold")
        assert made.operating_point is not None
        _judge_point(made.operating_point)
    else:
        named = made.attribute and made.id.startswith(f"{made.attribute}/")
        _require(named, f"an attribute model's id is ATTRIBUTE/NAME, this is {made.id} of {made.attribute}")
        _require(len(set(made.labels)) == len(made.labels) and "" not in made.labels, "labels must differ")


def _judge_detector(made: ModelSpec, how: Preprocessing) -> None:
    _require(made.family, "family is missing: the detector whose outputs it has")
    _require("/" not in made.id, "a detector's id has no /")
    needless = (made.crop, made.dim, made.attribute, made.labels, made.operating_point)
    _require(not any(needless), "a detector has no crop, dim, attribute, labels or operating point")
    _require(how.layout == "NCHW" and how.colour != "grey", "a detector takes coloured pictures, NCHW")


def _judge_crop(crop: CropSpec) -> None:
    sides = 1 <= crop.width <= LARGEST_SIDE and 1 <= crop.height <= LARGEST_SIDE
    _require(sides, f"crop.width and height must be 1 to {LARGEST_SIDE}")
    _require(-0.4 <= crop.margin <= 10, "crop.margin must be -0.4 to 10")
    points = crop.template
    _require(points is None or len(set(points)) == len(points), "crop.template must be five different points")


def _judge_preprocessing(how: Preprocessing) -> None:
    channels = 1 if how.colour == "grey" else 3
    for name, values in (("mean", how.mean), ("std", how.std)):
        _require(len(values) in (1, channels), f"preprocessing.{name} must have 1 or {channels} values")
    _require(all(abs(value) > 1e-6 for value in how.std), "preprocessing.std must not be 0")
    _require(how.version >= 1, "preprocessing.version must be 1 or more")


def _judge_point(point: OperatingPoint) -> None:
    rates = [point.fmr, point.fnmr, *(fmr for fmr, _ in point.by_fmr)]
    _require(all(rate is None or 0 <= rate <= 1 for rate in rates), "operating_point: a rate must be 0 to 1")
    thresholds = [point.threshold, *point.equivalents.values(), *(threshold for _, threshold in point.by_fmr)]
    _require(all(threshold >= 0 for threshold in thresholds), "operating_point: a threshold must be 0 or more")
    _require(set(point.equivalents) <= set(METRICS), "operating_point.equivalents: an unknown metric")


def _require(good: object, what: str) -> None:
    if not good:
        raise ValueError(what)
