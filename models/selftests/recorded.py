"""Self-tests of files that did not come in the wheel: a file's first answer on this machine, recorded in the store.

This is trust on first use: nothing vouches for the first answer, but every later one is compared with it.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from facecli.errors import ModelError, OutputError
from facecli.inference.reasons import reason_of
from facecli.models.selftests.rule import TOLERANCE, Answer, Rule, distance, leading
from facecli.system.files import write_bytes

if TYPE_CHECKING:
    from facecli.contract import ModelFile, ModelSpec, Session
    from facecli.inference.session import OnnxSession
    from facecli.models.disk.layout import Layout

SUFFIXES = (".onnx", ".ort")
LOOSEST = 0.05  # the largest tolerance: a self-test that lets more pass would test nothing
# Used for axes that neither the file nor its description fixes; 64 px is a multiple of every stride.
BATCH, SIDE = 2, 64
LEVELS = 127.5  # mean and std if the description has none
NUDGE = 0.05  # levels of 0..255: a change of the input that must not matter
MOST_VALUES = 2**24  # of an input
MOST_AXES = 8
LARGEST = 2**20  # bytes of a record


@dataclass(frozen=True, slots=True)
class SelfTest:
    """A file's recorded answer. outputs: the first values of each output. tolerance: the largest distance to accept."""

    rule: Rule
    outputs: Answer
    tolerance: float

    def difference(self, session: Session) -> float:
        """Return the distance, as `rule.distance`, of a session's answer from the recorded one; inf if it fails."""
        try:
            return distance(leading(session, self.rule), self.outputs)
        except Exception:  # noqa: BLE001 - onnxruntime's errors share no base class
            return math.inf

    def document(self) -> dict[str, Any]:
        """Return the self-test as JSON can hold it; `parse` reads it."""
        return asdict(self)


def applies(file: ModelFile) -> bool:
    """Return True for a file that ONNX Runtime runs and that no package carries."""
    return file.path is None and PurePath(file.name).suffix in SUFFIXES


def record(session: OnnxSession, spec: ModelSpec) -> SelfTest | None:
    """Return the self-test of a file by its present answer.

    None if the file does not take pictures of a known size, or gives nothing that could be compared. Raises ModelError
    for a file that does not run, or that gives NaN or infinity.
    """
    rule = _rule(session, spec)
    if rule is None:
        return None
    try:
        outputs = {name: values for name, values in leading(session, rule).items() if values}
        nudged = leading(session, rule, NUDGE)
    except Exception as error:  # onnxruntime's errors share no base class
        if _is_guessed(session, spec):  # it may run on pictures of another size
            return None
        reason = reason_of(error)
        raise ModelError(f"model {spec.id} does not run: {reason.text}", hint=reason.hint) from error
    if not all(map(math.isfinite, (value for values in outputs.values() for value in values))):
        raise ModelError(f"model {spec.id} gives NaN or infinity", hint="its weights are damaged, or overflow")
    if not outputs:
        return None
    # A network that rounds to int8 on the way moves by a few steps of that, here as on other hardware.
    moved = distance({name: nudged.get(name, []) for name in outputs}, outputs)
    tolerance = max(TOLERANCE, 2 * moved)
    return SelfTest(rule, outputs, tolerance) if tolerance <= LOOSEST else None


def _rule(session: OnnxSession, spec: ModelSpec) -> Rule | None:
    """Return the rule for a model's one input of four axes of float32 numbers, None for a file with other inputs."""
    if len(session.input_shapes) != 1:
        return None
    ((name, shape),) = session.input_shapes.items()
    if session.input_types[name] != "float":
        return None
    preprocessing, crop = spec.preprocessing, spec.crop
    sides = (SIDE, SIDE) if crop is None else (crop.height, crop.width)
    channels = 1 if preprocessing is not None and preprocessing.colour == "grey" else 3
    channels_last = preprocessing is not None and preprocessing.layout == "NHWC"
    default = (BATCH, *sides, channels) if channels_last else (BATCH, channels, *sides)
    if len(shape) != len(default):
        return None
    whole = tuple(other if own is None else own for own, other in zip(shape, default, strict=True))
    mean, std = (LEVELS, LEVELS) if preprocessing is None else (preprocessing.mean[0], preprocessing.std[0])
    return Rule(name, whole, mean, std) if 0 < math.prod(whole) <= MOST_VALUES else None


def _is_guessed(session: OnnxSession, spec: ModelSpec) -> bool:
    """Return whether the size of a rule's pictures is a guess: neither the file nor its description fixes it."""
    (shape,) = session.input_shapes.values()
    return spec.crop is None and None in shape[1:]


def write(path: Path, selftest: SelfTest) -> None:
    """Write a self-test. Raises OutputError."""
    write_bytes(path, json.dumps(selftest.document()).encode())


def keep(layout: Layout, sha256: str, selftest: SelfTest) -> None:
    """Write the self-test of a store's file, unless the store can not be written: such a one works, too."""
    try:
        write(layout.selftest(sha256), selftest)
    except OutputError:
        return


def read(path: Path) -> SelfTest | None:
    """Return a self-test, None if there is none or if it is damaged."""
    try:
        return parse(json.loads(path.read_bytes())) if path.stat().st_size <= LARGEST else None
    except (OSError, ValueError, RecursionError):
        return None


def parse(entry: Any) -> SelfTest:
    """Return the self-test that `SelfTest.document` gave. Raises ValueError for anything else: nothing is trusted."""
    try:
        table = entry["rule"]
        rule = Rule(table["input"], tuple(table["shape"]), float(table["mean"]), float(table["std"]))
        outputs = {name: [float(value) for value in values] for name, values in entry["outputs"].items()}
        selftest = SelfTest(rule, outputs, float(entry["tolerance"]))
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"it is no self-test: {error!r}") from error
    if not _is_sound(selftest):
        raise ValueError("it is no self-test")
    return selftest


def _is_sound(selftest: SelfTest) -> bool:
    rule, outputs = selftest.rule, selftest.outputs
    if not isinstance(rule.input, str) or len(rule.shape) > MOST_AXES:
        return False
    if not all(type(size) is int and size > 0 for size in rule.shape) or math.prod(rule.shape) > MOST_VALUES:
        return False
    numbers = [rule.mean, rule.std, selftest.tolerance, *(value for values in outputs.values() for value in values)]
    if not all(map(math.isfinite, numbers)) or rule.std == 0 or not 0 < selftest.tolerance <= LOOSEST:
        return False
    return bool(outputs) and all(outputs.values())
