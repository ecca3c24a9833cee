"""Self-tests of files that did not come in the wheel: what a file answered when it came in, to be asked again later.

Trust on first use: a hash tells whether a file is the one that came, this whether it still computes what it did then,
under another ONNX Runtime, another system, or on another machine that a bundle took it to.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from facecli.errors import OutputError
from facecli.models.selftests.rule import TOLERANCE, Rule, distance, leading
from facecli.system.files import write_bytes

if TYPE_CHECKING:
    from facecli.contract import ModelFile, ModelSpec, Session
    from facecli.models.disk.layout import Layout

SUFFIXES = (".onnx", ".ort")
LOOSEST = 0.05  # a self-test that lets more pass would test nothing
BATCH, SIDE = 2, 64  # of what a file leaves free and its model's description does not say; strides divide 64
LEVELS = 127.5  # mean and std where the description has none
NUDGE = 0.05  # of 255 levels: what must not matter
MOST_VALUES = 2**24  # of an input
MOST_AXES = 8
LARGEST = 2**20  # bytes of a record


@dataclass(frozen=True, slots=True)
class Golden:
    """The input, what each output began with, and how far from that is still the same answer."""

    rule: Rule
    outputs: Mapping[str, list[float]]
    tolerance: float

    def difference(self, session: Session) -> float:
        """How far a session's answer is from the recorded one, as `selftest.distance`; inf if it gives none."""
        try:
            return distance(leading(session, self.rule), self.outputs)
        except Exception:  # noqa: BLE001 - onnxruntime's errors share no base class
            return math.inf

    def document(self) -> dict[str, Any]:
        """What `read` reads."""
        return asdict(self)


def applies(file: ModelFile) -> bool:
    """Whether a file is one that runs and that has no self-test of ours."""
    return file.path is None and PurePath(file.name).suffix in SUFFIXES


def record(session: Session, spec: ModelSpec) -> Golden | None:
    """What a file answers now; None if it does not take pictures, or answers nothing that could be compared."""
    rule = _rule(session, spec)
    if rule is None:
        return None
    try:
        outputs = {name: values for name, values in leading(session, rule).items() if values}
        moved = leading(session, rule, NUDGE)
    except Exception:  # noqa: BLE001 - onnxruntime's errors share no base class
        return None
    if not outputs or not all(map(math.isfinite, (value for values in outputs.values() for value in values))):
        return None
    # Where numbers are rounded to int8 on the way, as much as other hardware may change: a few steps of that.
    found = distance({name: moved.get(name, []) for name in outputs}, outputs)
    tolerance = max(TOLERANCE, 2 * found)
    return Golden(rule, outputs, tolerance) if tolerance <= LOOSEST else None


def _rule(session: Session, spec: ModelSpec) -> Rule | None:
    if len(session.input_shapes) != 1:
        return None
    ((name, shape),) = session.input_shapes.items()
    how, crop = spec.preprocessing, spec.crop
    sides = (SIDE, SIDE) if crop is None else (crop.height, crop.width)
    channels = 1 if how is not None and how.colour == "grey" else 3
    last = how is not None and how.layout == "NHWC"
    free = (BATCH, *sides, channels) if last else (BATCH, channels, *sides)
    if len(shape) != len(free):
        return None
    whole = tuple(other if own is None else own for own, other in zip(shape, free, strict=True))
    mean, std = (LEVELS, LEVELS) if how is None else (how.mean[0], how.std[0])
    return Rule(name, whole, mean, std) if 0 < math.prod(whole) <= MOST_VALUES else None


def write(path: Path, golden: Golden) -> None:
    """Write a record. Raises OutputError."""
    write_bytes(path, json.dumps(golden.document()).encode())


def keep(layout: Layout, sha256: str, golden: Golden) -> None:
    """Write the record of a store's file, if the store can be written."""
    try:
        write(layout.golden(sha256), golden)
    except OutputError:  # one that can only be read works too
        return


def read(path: Path) -> Golden | None:
    """A record; None if there is none, or if it is not one."""
    try:
        return parse(json.loads(path.read_bytes())) if path.stat().st_size <= LARGEST else None
    except (OSError, ValueError, RecursionError):
        return None


def parse(entry: Any) -> Golden:
    """A record as `Golden.document` makes it. Raises ValueError for anything else: whoever wrote it is not trusted."""
    try:
        given = entry["rule"]
        rule = Rule(given["input"], tuple(given["shape"]), float(given["mean"]), float(given["std"]))
        outputs = {name: [float(value) for value in values] for name, values in entry["outputs"].items()}
        tolerance = float(entry["tolerance"])
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"it is no self-test: {error!r}") from error
    sizes = len(rule.shape) <= MOST_AXES and all(type(size) is int and size > 0 for size in rule.shape)
    sound = isinstance(rule.input, str) and sizes and math.prod(rule.shape) <= MOST_VALUES
    numbers = [rule.mean, rule.std, tolerance, *(value for values in outputs.values() for value in values)]
    sound = (
        sound
        and rule.std != 0
        and 0 < tolerance <= LOOSEST
        and all(map(math.isfinite, numbers))
        and all(outputs.values())
    )
    if not (sound and outputs):
        raise ValueError("it is no self-test")
    return Golden(rule, outputs, tolerance)
