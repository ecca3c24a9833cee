"""The decision who each face of a picture is: one person, or honestly nobody, with the candidates in any case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from facecli.gallery.index import Index
from facecli.gallery.nearest import nearest
from facecli.gallery.rule import Rule
from facecli.types import FloatArray

# known: there is a person. unknown: nobody is near enough. ambiguous: two people are, and too near to each other.
# ignored: the nearest person is one whom somebody asked to ignore.
# taken: another face of the picture is nearer to the same person, and nobody is in a picture twice.
Outcome = Literal["known", "unknown", "ambiguous", "ignored", "taken"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person whom a face may be. distance: as Index has it. templates: how many there are. accepted: near enough."""

    rank: int
    person: str
    distance: float
    templates: int
    accepted: bool


@dataclass(frozen=True, slots=True)
class Identification:
    """The answer for one face.

    person: the name, or None: then `outcome` says why. candidates: nearest first. margin: distance between the first
    and the second person; None with fewer than two. near: nobody was named, and the first candidate is in the band of
    suggestions, somewhat beyond the threshold; None where no rate tells how wide that is.
    """

    person: str | None
    outcome: Outcome
    candidates: tuple[Candidate, ...]
    margin: float | None
    near: bool | None


def identify(embeddings: FloatArray, index: Index, rule: Rule, top: int = 1) -> tuple[Identification, ...]:
    """Return who the faces of one picture are. embeddings: (N, dim) float32, its faces. top: candidates to list.

    People at one distance come in the order in which they were enrolled.
    """
    found = nearest(embeddings, index, max(top, 2))
    answers = [_alone(people, distances, index, rule, top) for people, distances in found]
    closest: dict[str, int] = {}  # person -> the face that is nearest, the first of equal ones
    for face, answer in enumerate(answers):
        if answer.person is not None:
            holder = closest.setdefault(answer.person, face)
            if answer.candidates[0].distance < answers[holder].candidates[0].distance:
                closest[answer.person] = face
    return tuple(
        answer if answer.person is None or closest[answer.person] == face else _taken(answer)
        for face, answer in enumerate(answers)
    )


def _alone(people: list[int], distances: list[float], index: Index, rule: Rule, top: int) -> Identification:
    """Return the answer for one face, as if it were the only one. people: the nearest, at these distances."""
    listed = tuple(
        # A face's distance to itself may be less than 0 by a rounding.
        Candidate(rank, index.name(person), max(distance, 0.0), int(index.counts[person]), distance <= rule.threshold)
        for rank, (person, distance) in enumerate(zip(people, distances, strict=True), 1)
    )
    margin = listed[1].distance - listed[0].distance if len(listed) > 1 else None
    accepted = bool(listed) and listed[0].accepted
    rival = len(listed) > 1 and listed[1].accepted and margin is not None and margin < rule.margin
    near = None if rule.near is None else bool(listed) and not accepted and listed[0].distance <= rule.near
    if accepted and not rival and listed[0].person in index.ignored:
        return Identification(None, "ignored", listed[:top], margin, near)
    if accepted and not rival:
        return Identification(listed[0].person, "known", listed[:top], margin, near)
    # Both people between whom nothing can be decided are told, however few were asked for.
    return Identification(None, "ambiguous" if accepted else "unknown", listed[: max(top, 2 * rival)], margin, near)


def _taken(answer: Identification) -> Identification:
    return Identification(None, "taken", answer.candidates, answer.margin, answer.near)
