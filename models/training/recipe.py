"""Reading a recipe, a TOML file, into a Config: every key, type and value is checked, and named in the error."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

from facecli.errors import UsageError
from facecli.models.training.config import Config

# Last part of a key -> the least and the greatest value that makes sense.
_BOUNDS = {
    "holdout": (0.001, 0.5),
    "share": (0.0, 1.0),
    "from_votes": (0.0, 1.0),
    "side": (8, 512),
    "epochs": (1, 10_000),
    "batch": (2, 65_536),
    "rate": (1e-8, 100.0),
    "weight_decay": (0.0, 1.0),
    "head_rate": (0.0, 1000.0),
    "warmup": (0.0, 0.9),
    "ema": (0.0, 0.999999),
    "clip": (0.0, 1e6),
    "degrees": (0.0, 180.0),
    "scale": (0.0, 0.9),
    "shift": (0.0, 0.9),
    "brightness": (0.0, 1.0),
    "contrast": (0.0, 1.0),
    "cutout": (0.0, 1.0),
    "cutout_side": (0.0, 1.0),
    "edges": (0.0, 4.0),
    "edge_width": (0.0, 0.9),
    "mixup": (0.0, 1.0),
    "views": (0, 1000),
    "weight": (0.0, 1.0),
    "temperature": (0.05, 20.0),
}
# Last part of a key -> the words that it, or its list, may have.
_WORDS = {
    "optimizer": ("sgd", "adamw"),
    "answer": ("probabilities", "mean"),
    "earlier": ("teacher", "student"),
    "begin": ("", "dlib-resnet"),
}


def read(path: Path) -> Config:
    """Return the configuration in a TOML file, and those of the files that its key `after` leads to.

    Raises UsageError that names the file, the key and the fault.
    """
    return _read(path, ())


def parse(table: Mapping[str, Any], name: str) -> Config:
    """Return the configuration in a TOML table without `after`. name: the file's, for messages. Raises UsageError."""
    config: Config = _build(Config, table, name, "")
    if config.student.augmentation.mixup and config.student.schedule.batch % 2:
        raise UsageError(f"{name}: student.schedule.batch must be even for mixup, is {config.student.schedule.batch}")
    if config.distillation and not (config.teacher and config.student.augmentation.views):
        raise UsageError(f"{name}: distillation needs a [teacher] and student.augmentation.views above 0")
    if any(stage.begin and stage.network != "trunk" for stage in config.stages.values()):
        raise UsageError(f"{name}: only the network 'trunk' has the layers to begin with another's")
    if config.teacher and not config.distillation:
        raise UsageError(f"{name}: a [teacher] needs [distillation], or nobody learns from it")
    return config


def _read(path: Path, later: tuple[Path, ...]) -> Config:
    """Return the configuration in a file. later: the files whose `after` led here."""
    if path in later:
        raise UsageError(f"{path.name} comes after itself", hint="take out one of the keys 'after'")
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path} can not be read: {error.strerror}") from error
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError
        raise UsageError(f"{path} is not TOML: {error}") from error
    after = table.pop("after", None)
    config = parse(table, path.name)
    if after is None:
        return config
    if not isinstance(after, str) or not after or Path(after).name != after:
        raise UsageError(f"{path.name}: after must be the name of a file beside it, is {after!r}")
    first = _read(path.with_name(after), (*later, path))
    if first.holdout != config.holdout:
        # Else the earlier networks would have learned pictures that are held out now.
        raise UsageError(f"{path.name}: holdout must be as in {after}, {first.holdout}, is {config.holdout}")
    return dataclasses.replace(config, after=first)


def _build(kind: Any, table: Any, name: str, prefix: str) -> Any:
    """Return the dataclass `kind` from a table. prefix: the table's key and a dot, for messages."""
    where = prefix.rstrip(".") or "the file"
    if not isinstance(table, Mapping):
        raise UsageError(f"{name}: {where} must be a table, is {table!r}")
    fields = {f.name: f for f in dataclasses.fields(kind)}
    for key in table:
        if key not in fields:
            raise UsageError(f"{name}: unknown key {prefix}{key}", hint=f"{where} has {', '.join(fields)}")
    for key, f in fields.items():
        required = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        if required and key not in table:
            raise UsageError(f"{name}: {prefix}{key} is missing")
    hints = get_type_hints(kind)
    return kind(**{key: _value(hints[key], value, name, prefix + key) for key, value in table.items()})


def _value(kind: Any, value: Any, name: str, key: str) -> Any:
    """Return a value in the annotated type `kind`."""
    nested = next((k for k in (kind, *getattr(kind, "__args__", ())) if dataclasses.is_dataclass(k)), None)
    if nested is not None:
        return _build(nested, value, name, f"{key}.")
    if kind is float and type(value) is int:
        value = float(value)
    if kind in {int, float, str, bool}:
        if type(value) is not kind:
            raise UsageError(f"{name}: {key} must be {kind.__name__}, is {value!r}")
    elif kind == tuple[str, ...]:
        if not isinstance(value, list):
            raise UsageError(f"{name}: {key} must be a list, is {value!r}")
        value = tuple(value)
    elif not isinstance(value, Mapping):
        raise UsageError(f"{name}: {key} must be a table, is {value!r}")
    _check(value, name, key)
    return value


def _check(value: Any, name: str, key: str) -> None:
    """Raise UsageError for a value of the right type that makes no sense."""
    last = key.rpartition(".")[2]
    low, high = _BOUNDS.get(last, (None, None))
    if low is not None and high is not None and not low <= value <= high:
        raise UsageError(f"{name}: {key} must be from {low} to {high}, is {value}")
    words = value if isinstance(value, tuple) else (value,)
    if any(words.count(word) > 1 for word in words):
        raise UsageError(f"{name}: {key} names one twice: {', '.join(map(str, words))}")
    for word in words:
        if last in _WORDS and word not in _WORDS[last]:
            raise UsageError(f"{name}: {key} must be one of {', '.join(_WORDS[last])}, is {word!r}")
    if last == "heads" and not (value and all(isinstance(w, (int, float)) and w > 0 for w in value.values())):
        raise UsageError(f"{name}: {key} must have a weight for each head, a number above 0")
