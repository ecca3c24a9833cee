"""The checks of a plugin that runs. Each raises ContractError with what is wrong, for the plugin's author."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from facecli.contract import RecognizerPlugin
from facecli.errors import ContractError
from facecli.inference.answers import are_equal
from facecli.testing import following, inputs, statements
from facecli.testing.subjects import Answer, CropSubject, DetectorSubject, Subject
from facecli.types import FloatArray

NEEDED = frozenset({"load", "output"})  # after a failure of these all further checks would fail for one reason


def checks_for(subject: Subject | following.TrackerSubject) -> dict[str, Callable[..., None]]:
    """Return the checks that fit a kind of plugin and its inputs, by name, in the order to run them."""
    if isinstance(subject, following.TrackerSubject):
        return dict(following.CHECKS)
    checks: dict[str, Callable[..., None]] = dict(_CHECKS)
    if isinstance(subject, CropSubject):
        checks["preprocessing"] = statements.require_stated_preprocessing
        checks["difference"] = require_different_answers
    if isinstance(subject, DetectorSubject):
        checks["blank"] = require_blank_is_empty
        if inputs.PORTRAIT in subject.inputs:
            checks["face"] = require_face
    if isinstance(subject.plugin, RecognizerPlugin):
        checks["length"] = require_stated_length
    return checks


def require_load(subject: Subject) -> None:
    """Load the model; whatever that raises is the finding. Its files must take the crops that are stated for them."""
    subject.load()
    statements.require_fit(subject)


def require_empty_batch(subject: Subject) -> None:
    """Run an empty batch: a detector returns [], the others (0, columns)."""
    subject.run([])


def require_output(subject: Subject) -> None:
    """Raise ContractError if the answer to any input alone breaks the contract; the message names the input."""
    for name, pixels in subject.inputs.items():
        try:
            subject.run([pixels])
        except ContractError as error:
            raise ContractError(f"on {name}: {error.message}", hint=error.hint) from error


def require_repeatable(subject: Subject) -> None:
    """Raise ContractError unless an input gives equal answers twice, bit for bit, and later calls leave them alone."""
    pictures = list(subject.inputs.items())
    for (name, pixels), (_, other) in zip(pictures, pictures[1:] + pictures[:1], strict=True):
        first = subject.run([pixels])[0]
        copies = [array.copy() for array in first]
        subject.run([other])
        if not _equal(first, copies):
            raise ContractError(f"on {name}: the next call overwrites the answer (return an array of its own)")
        if not _equal(subject.run([pixels])[0], copies):
            raise ContractError(f"on {name}: a second run gives another answer than the first")


def require_batch_independent(subject: Subject) -> None:
    """Raise ContractError unless an input gives one answer alone and in a batch."""
    batch = subject.run(list(subject.inputs.values()))
    for answer, (name, pixels) in zip(batch, subject.inputs.items(), strict=True):
        _require_close(subject, answer, subject.run([pixels])[0], f"on {name}: alone and in a batch the answers differ")


def require_thread_safe(subject: Subject) -> None:
    """Raise ContractError unless two threads that share the model get the answers that one thread gets."""
    names = list(subject.inputs)
    alone = {name: subject.run([subject.inputs[name]])[0] for name in names}
    jobs = names * 3
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda name: subject.run([subject.inputs[name]])[0], jobs))
    for name, answer in zip(jobs, together, strict=True):
        _require_close(subject, answer, alone[name], f"on {name}: beside another thread the answer differs")


def require_inputs_kept(subject: Subject) -> None:
    """Raise ContractError if the plugin writes into the pixels that it gets."""
    batch = subject.batch(list(subject.inputs.values()))
    subject.answers(batch)
    after = [item.pixels if isinstance(subject, DetectorSubject) else item for item in batch]
    for pixels, (name, before) in zip(after, subject.inputs.items(), strict=True):
        if not np.array_equal(pixels, before):
            raise ContractError(f"on {name}: the plugin writes into the pixels that it is given")


def require_different_answers(subject: Subject) -> None:
    """Raise ContractError if a model of crops gives all of them one answer."""
    if are_equal(np.stack([answer[0] for answer in subject.run(list(subject.inputs.values()))])):
        raise ContractError("every crop has the same answer: were the model's weights lost?")


def require_blank_is_empty(subject: Subject) -> None:
    """Raise ContractError if a detector finds a face in plain grey."""
    faces = len(subject.run([subject.inputs[inputs.BLANK]])[0][0])
    if faces:
        raise ContractError(f"a picture of {inputs.BLANK} holds no face, {faces} found")


def require_face(subject: Subject) -> None:
    """Raise ContractError unless a detector finds a face, at least partly inside, in the picture with a face."""
    pixels = subject.inputs[inputs.PORTRAIT]
    bboxes = subject.run([pixels])[0][0]
    height, width = pixels.shape[:2]
    if not ((bboxes[:, :2] < (width, height)) & (bboxes[:, 2:] > 0)).all(1).any():
        raise ContractError("no face was found in the picture that was given as one with a face")


def require_stated_length(subject: Subject) -> None:
    """Raise ContractError unless embeddings have length 1 if, and only if, the descriptor states `normalized`."""
    normalized = subject.plugin.normalized
    answers = zip(subject.inputs, subject.run(list(subject.inputs.values())), strict=True)
    lengths = {name: float(np.linalg.norm(answer[0])) for name, answer in answers}
    if empty := [name for name, length in lengths.items() if not length]:
        raise ContractError(f"on {empty[0]} the embedding has length 0")
    others = {name: length for name, length in lengths.items() if abs(length - 1) > 1e-3}  # float32 rounding is less
    if normalized and others:
        name, length = next(iter(others.items()))
        raise ContractError(f"the descriptor states normalized=True; on {name} the embedding has length {length:.4g}")
    if not normalized and not others:
        raise ContractError("the descriptor states normalized=False, and every embedding has length 1")


_CHECKS: dict[str, Callable[[Subject], None]] = {
    "load": require_load,
    "empty batch": require_empty_batch,
    "output": require_output,
    "repeat": require_repeatable,
    "batch": require_batch_independent,
    "threads": require_thread_safe,
    "inputs": require_inputs_kept,
}


def _equal(a: Sequence[FloatArray], b: Sequence[FloatArray]) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def _require_close(subject: Subject, answer: Answer, expected: Answer, message: str) -> None:
    for a, b in zip(answer, expected, strict=True):
        if a.shape != b.shape:
            raise ContractError(f"{message}: {len(a)} faces, {len(b)} alone")
        if not np.allclose(a, b, rtol=subject.tolerance, atol=subject.tolerance):
            raise ContractError(f"{message} by up to {np.abs(a - b).max():.3g}")
