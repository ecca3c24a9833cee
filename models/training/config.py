"""The configuration of a training: a TOML file as frozen dataclasses, every key and value checked."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from facecli.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """How far a training picture strays from its original; every amount is a bound, drawn evenly below it.

    degrees: rotation. scale, shift: parts of the side. brightness: of 255. contrast: part. flip: mirror half of them.
    cutout: the part of the pictures that get a grey square; cutout_side: its largest side, part of the picture's.
    mixup: the part of the batches whose pictures are blended in pairs. views: how many different strays a picture has
    before they repeat (a teacher's answers can be kept for these); 0 means never.
    """

    degrees: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    flip: bool = False
    cutout: float = 0.0
    cutout_side: float = 0.4
    mixup: float = 0.0
    views: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How the weights are learned: warm-up, then a cosine down to nothing, and an average of the weights (EMA).

    warmup: part of all steps. rate: the peak. head_rate: the factor for the last layer. ema: the share that the average
    keeps at each step. clip: the largest norm of the gradient, 0 for none. bf16: autocast to bfloat16.
    """

    epochs: int
    batch: int
    rate: float
    optimizer: str = "sgd"
    weight_decay: float = 0.0
    head_rate: float = 1.0
    warmup: float = 0.05
    ema: float = 0.998
    clip: float = 0.0
    bf16: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One network to train. side: its input's height and width in pixels. options: what the network's maker takes."""

    network: str
    side: int
    schedule: Schedule
    augmentation: Augmentation = Augmentation()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Distillation:
    """How the teacher's answers enter the targets: `weight` parts of them, softened by `temperature`.

    earlier: which of the networks that this training begins with ("teacher", "student") are teachers as well; what
    counts is the mean of all.
    """

    weight: float
    temperature: float = 1.0
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole training.

    holdout: the part of the training pictures kept for calibration. heads: head -> weight in the loss. share: how much
    of the answer is the first of two heads'. from_votes: how much of a label's target is what its picture's votes make
    likely, where there are votes. answer: "probabilities", or "mean" of classes that are numbers. after: the
    training whose networks this one begins with; in the file it is the name of another file beside it.
    """

    seed: int
    holdout: float
    heads: Mapping[str, float]
    student: Stage
    share: float = 1.0
    from_votes: float = 0.0
    answer: str = "probabilities"
    teacher: Stage | None = None
    distillation: Distillation | None = None
    after: Config | None = None

    @property
    def stages(self) -> Mapping[str, Stage]:
        """The networks that are trained, by name, in their order."""
        return ({"teacher": self.teacher} if self.teacher else {}) | {"student": self.student}


# Dotted end of a key -> (least, greatest) value that makes sense.
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
    "mixup": (0.0, 1.0),
    "views": (0, 1000),
    "weight": (0.0, 1.0),
    "temperature": (0.05, 20.0),
}
# Key -> the words it may be, or that its list may hold.
_WORDS = {
    "optimizer": ("sgd", "adamw"),
    "answer": ("probabilities", "mean"),
    "earlier": ("teacher", "student"),
}


def read(path: Path) -> Config:
    """The configuration in a TOML file. Raises UsageError that names the file, the key and what is wrong."""
    return _read(path, ())


def _read(path: Path, later: tuple[Path, ...]) -> Config:
    """As read. later: the files that come after this one."""
    if path in later:
        raise UsageError(f"{path.name} comes after itself", hint="take out one of the keys 'after'")
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path} can not be read: {error.strerror}") from error
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError
        raise UsageError(f"{path} is not TOML: {error}") from error
    after = table.pop("after", None)
    made = parse(table, path.name)
    if after is None:
        return made
    if not isinstance(after, str) or not after or Path(after).name != after:
        raise UsageError(f"{path.name}: after must be the name of a file beside it, is {after!r}")
    first = _read(path.with_name(after), (*later, path))
    if first.holdout != made.holdout:
        # Else the earlier networks would have learned pictures that are held out now.
        raise UsageError(f"{path.name}: holdout must be as in {after}, {first.holdout}, is {made.holdout}")
    return dataclasses.replace(made, after=first)


def parse(table: Mapping[str, Any], name: str) -> Config:
    """As read, from a table; `name` stands in the errors."""
    made: Config = _build(Config, table, name, "")
    if made.student.augmentation.mixup and made.student.schedule.batch % 2:
        raise UsageError(f"{name}: student.schedule.batch must be even for mixup, is {made.student.schedule.batch}")
    if made.distillation and not (made.teacher and made.student.augmentation.views):
        raise UsageError(f"{name}: distillation needs a [teacher] and student.augmentation.views above 0")
    if made.teacher and not made.distillation:
        raise UsageError(f"{name}: a [teacher] needs [distillation], or nobody learns from it")
    return made


def digest(part: Stage | Augmentation, *others: object) -> str:
    """A short hash of everything that a result depends on: one that depends on something else is not taken for it."""
    text = json.dumps([dataclasses.asdict(part), *map(repr, others)], sort_keys=True, default=dict)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _build(kind: Any, table: Any, name: str, prefix: str) -> Any:
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
