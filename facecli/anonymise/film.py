"""A film written anew with covered faces: at its own times, in one pass over frames whose boxes are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from facecli.anonymise.analysis import Analysis, Sight
from facecli.anonymise.proof import Proof, Witness
from facecli.anonymise.veil import Veil
from facecli.errors import InputError
from facecli.film import writing
from facecli.film.address import Address, address_of
from facecli.film.reading import Film
from facecli.types import Detections, FloatArray

SAME_TIME = 2e-3  # s that a frame's time may differ from the one in its analysis
APART = 0.5  # s between two frames of a track that are proved


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A film's copy before it is written.

    analysis: of the film. tracks: those that are covered. boxes: (4,) xyxy px that are covered, of each frame. codec:
    of film.writing.CODECS, None for the usual one. sound: whether it is copied.
    """

    analysis: Analysis
    tracks: frozenset[int]
    boxes: Sequence[Sequence[FloatArray]]
    veil: Veil
    codec: str | None = None
    sound: bool = False


def write(address: Address, target: Path, plan: Plan, max_pixels: int, proof: Proof | None) -> tuple[Witness, ...]:
    """Write the covered copy of a film; it appears whole or not at all. Return the witnesses of the proof, if any.

    Raises FacecliError as Film does, InputError if it is not the film that was analysed, RecognisableError.
    """
    with writing.written(target) as (path, form):
        _copy(address, path, form, plan, max_pixels)
        if proof is None:
            return ()
        _prove(address, path, plan, max_pixels, proof)
        return proof.refuse_recognised(address.source)


def _copy(address: Address, path: Path, form: str, plan: Plan, max_pixels: int) -> None:
    times = plan.analysis.times
    with ExitStack() as stack:
        film = stack.enter_context(closing(Film(address, max_pixels=max_pixels)))
        facts = film.facts
        copy = writing.FilmWriter(path, form, (facts.width, facts.height), facts.rate, plan.codec)
        stack.callback(copy.close)
        copy.show_as(facts.display)
        count, begin = 0, times[0] if times else 0.0
        if plan.sound and facts.sound:
            copy.copy_sound(address, begin)
        for count, frame in enumerate(film.frames(), start=1):
            if count > len(times) or abs(frame.time - times[count - 1]) > SAME_TIME:
                raise _other_film(address, plan, f"frame {count - 1} is at {frame.time:.3f} s")
            plan.veil.lay(frame.image.pixels, plan.boxes[count - 1])
            copy.write(frame.image.pixels, frame.time - begin)
        if count != len(times):
            raise _other_film(address, plan, f"it has {count} frames")
        copy.finish()


def _other_film(address: Address, plan: Plan, found: str) -> InputError:
    message = f"{address.source} is not as it was analysed, with {len(plan.analysis.times)} frames: {found}"
    return InputError(message, hint="analyse the whole film, each frame of it")


def _prove(address: Address, path: Path, plan: Plan, max_pixels: int, proof: Proof) -> None:
    """Compare faces of the film with the same places in the file that was written."""
    wanted = samples(plan.analysis, plan.tracks)
    with ExitStack() as stack:
        before, after = (
            stack.enter_context(closing(Film(place, max_pixels=max_pixels))).frames()
            for place in (address, address_of(str(path)))
        )
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            if number in wanted:
                proof.compare(one.image, other.image, wanted[number])


def samples(analysis: Analysis, tracks: Iterable[int]) -> Mapping[int, Detections]:
    """Return the faces to prove, by frame: of each of these tracks the largest sight in every APART seconds."""
    chosen: dict[int, list[Sight]] = {}
    for track in tracks:
        best: dict[int, Sight] = {}
        for sight in analysis.tracks[track]:
            part = int(analysis.times[sight.frame] / APART)
            if part not in best or _area(sight) > _area(best[part]):
                best[part] = sight
        for sight in best.values():
            chosen.setdefault(sight.frame, []).append(sight)
    return {frame: _detections(sights) for frame, sights in chosen.items()}


def _area(sight: Sight) -> float:
    width, height = (sight.bbox[2:] - sight.bbox[:2]).tolist()
    return float(width * height)


def _detections(sights: Sequence[Sight]) -> Detections:
    ordered = sorted(sights, key=lambda sight: -sight.score)
    points = [sight.landmarks for sight in ordered if sight.landmarks is not None]
    return Detections(
        np.stack([sight.bbox for sight in ordered]),
        np.array([sight.score for sight in ordered], np.float32),
        np.stack(points) if len(points) == len(ordered) else None,
    )
