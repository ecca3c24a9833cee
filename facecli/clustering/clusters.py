"""Clusters of an album: the people whom its faces show, with ids that stay, and the faces that stand alone."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facecli.clustering.album import Album, Member
from facecli.clustering.linkage import average_linkage, clusters_of
from facecli.clustering.rule import Rule
from facecli.errors import FacecliError

ID = 12  # hexadecimal digits: two of a million clusters have the same with a probability of 1 in 500


@dataclass(frozen=True, slots=True)
class Cluster:
    """The faces of one person.

    id: the same in every run as long as the earlier result is known; without it as long as the face with the least hash
    is there. person: the name in the gallery, or None. members: in the order of the pictures. cohesion: the mean cosine
    similarity of two of all its faces, None for one face.
    """

    id: str
    person: str | None
    members: tuple[Member, ...]
    cohesion: float | None


@dataclass(frozen=True, slots=True)
class Clustering:
    """The people of an album.

    clusters: named people first, by name, then the largest. alone: faces of nobody known that are in no cluster of
    `least` or more. ignored: faces of people whom somebody asked to ignore. pictures: how many there were. failed:
    names and errors of pictures that could not be used.
    """

    rule: Rule
    least: int
    pictures: int
    clusters: tuple[Cluster, ...]
    alone: tuple[Member, ...]
    ignored: tuple[Member, ...]
    failed: tuple[tuple[str, FacecliError], ...] = ()

    @property
    def ids(self) -> dict[str, str]:
        """The id of the cluster of each face that is in one, by the face's hash."""
        return {member.hash: one.id for one in self.clusters for member in one.members}


def cluster(album: Album, rule: Rule, least: int = 2, earlier: Mapping[str, str] | None = None) -> Clustering:
    """Return the people of an album.

    least: faces that somebody unnamed must have to be a cluster. earlier: face's hash -> id of the cluster that it was
    in; a cluster keeps the id that most of its faces had.
    """
    rows = album.rows
    found: list[tuple[str | None, Cluster]] = []
    alone: list[Member] = []
    ignored: list[Member] = []
    for places in clusters_of(average_linkage(rows, rule.threshold, album.together(), album.apart())):
        members = [album.members[place] for place in places]
        asked = tuple(member for member in members if member.asked)
        number = next((member.person for member in members if member.person is not None), None)
        person = None if number is None else album.people[number]
        if person is not None and person.ignored:
            ignored += asked
        elif asked and (person is not None or len(asked) >= least):
            uid = None if person is None else person.uid
            name = None if person is None else person.name
            found.append((uid, Cluster("", name, asked, _cohesion(rows[places]))))
        else:
            alone += asked
    ids = _ids([uid for uid, _ in found], [one.members for _, one in found], earlier or {})
    clusters = [Cluster(own, one.person, one.members, one.cohesion) for own, (_, one) in zip(ids, found, strict=True)]
    clusters.sort(key=lambda one: (one.person is None, one.person or "", -len(one.members), one.id))
    return Clustering(rule, least, album.pictures, tuple(clusters), tuple(alone), tuple(ignored), tuple(album.failed))


def _cohesion(rows: NDArray[np.float32]) -> float | None:
    """Return the mean cosine similarity of two different rows, which have length 1."""
    count = len(rows)
    if count < 2:
        return None
    total = rows.sum(axis=0, dtype=np.float64)
    return float((total @ total - count) / (count * (count - 1)))


def _ids(uids: Sequence[str | None], clusters: Sequence[Sequence[Member]], earlier: Mapping[str, str]) -> list[str]:
    """Return an id for each cluster: a known person's is of the uid, others are inherited, or of the least hash."""
    ids = ["" if uid is None else hashlib.sha256(uid.encode()).hexdigest()[:ID] for uid in uids]
    taken = {own for own in ids if own}
    votes = [
        (-count, old, place)
        for place, members in enumerate(clusters)
        for old, count in Counter(earlier[one.hash] for one in members if one.hash in earlier).items()
    ]
    for _, old, place in sorted(votes):
        if not ids[place] and old not in taken:
            ids[place] = old
            taken.add(old)
    reserved = set(earlier.values())  # also of clusters that are no more: an id never means somebody else
    for place, members in enumerate(clusters):
        if not ids[place]:
            hashes = sorted(member.hash[:ID] for member in members)
            ids[place] = next((own for own in hashes if own not in taken | reserved), "")
            if not ids[place]:
                ids[place] = hashlib.sha256("".join(hashes).encode()).hexdigest()[:ID]
            taken.add(ids[place])
    return ids
