"""The faces to be clustered, wherever they come from: pictures, stored embeddings, and a gallery."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from facecli.errors import FacecliError
from facecli.gallery.index import unit
from facecli.gallery.store.faces import SAME_FACE, Box, Kept, KeptFace, KeptPerson, shared
from facecli.matching.stored import StoredEmbeddings
from facecli.pipeline.results import ImageResult
from facecli.types import FloatArray


@dataclass(frozen=True, slots=True)
class Member:
    """A face on its way into a cluster.

    source: its picture's name, None where it was forgotten. index: its place among the picture's faces, None for a face
    of a gallery. hash: 64 hexadecimal digits, of the picture's content and the face's place in it: the same in every
    run. picture: what tells pictures apart; copies of one are one. bbox: xyxy px, or None. person, kept: ids in the
    gallery, of the person whose face it is known to be and of the stored face that it is, None where there is none.
    asked: whether the user named its picture; other faces of a gallery only help to recognise people.
    """

    source: str | None
    index: int | None
    hash: str
    picture: str
    bbox: Box | None
    person: int | None = None
    kept: int | None = None
    asked: bool = True

    @property
    def unit(self) -> tuple[str, int | str]:
        """The faces of one value are one cluster from the beginning: of a known person, or in copies of a picture."""
        return ("face", self.hash) if self.person is None else ("person", self.person)


class Album:
    """The faces to be clustered and what is known of them. Faces are added in the order of the pictures.

    pictures: how many there are. failed: names and errors of further ones.
    """

    def __init__(self) -> None:
        self.members: list[Member] = []
        self.people: dict[int, KeptPerson] = {}
        self.rejections: tuple[tuple[int, int], ...] = ()
        self.pictures = 0
        self.failed: list[tuple[str, FacecliError]] = []
        self._rows: list[FloatArray] = []
        self._files = 0

    @property
    def rows(self) -> FloatArray:
        """The embeddings of all members, (N, dim) float32, of length 1."""
        if not self._rows:
            return np.zeros((0, 1), np.float32)
        return np.asarray(unit(np.concatenate(self._rows)), np.float32)

    def add(self, result: ImageResult, sha256: bytes) -> None:
        """Add the faces of one picture. sha256: of its content."""
        if result.error is not None:
            self.failed.append((result.source, result.error))
        self.pictures += result.error is None
        if result.embeddings is None or not len(result.embeddings):
            return
        self._rows.append(result.embeddings)
        for row, index in enumerate(result.indices):
            box = None if result.detections is None else tuple(result.detections.bboxes[row].tolist())
            digest = hashlib.sha256(sha256 + f"{index}".encode()).hexdigest()
            self.members.append(Member(result.source, index, digest, sha256.hex(), box))

    def add_stored(self, stored: StoredEmbeddings) -> None:
        """Add the embeddings of a file. A picture is known by its name there, and a face by its embedding.

        Two files may both name an a.jpg, of two folders: those are two pictures.
        """
        self._files += 1
        self.pictures += len(set(stored.sources))
        self._rows.append(stored.rows)
        for row, source, index in zip(stored.rows, stored.sources, stored.faces, strict=True):
            digest = hashlib.sha256(row.astype("<f4").tobytes() + f"{index}".encode()).hexdigest()
            self.members.append(Member(source, index, digest, f"{self._files}:{source}", None))

    def add_kept(self, kept: Kept, *, asked: bool) -> None:
        """Add the faces of a gallery, last; a face that is here already, in the same picture, is told who it is.

        asked: whether they are to be listed themselves.
        """
        self.people, self.rejections = kept.people, kept.rejections
        here = defaultdict(list)
        for place, member in enumerate(self.members):
            here[member.picture].append(place)
        rest = [row for row, face in enumerate(kept.faces) if not self._recognised(face, here[face.sha256.hex()])]
        if rest:
            self._rows.append(kept.embeddings[rest])
        for face in (kept.faces[row] for row in rest):
            box = b"" if face.bbox is None else np.array(face.bbox, "<f4").tobytes()
            digest = hashlib.sha256(face.sha256 + box).hexdigest()
            member = Member(face.source, None, digest, face.sha256.hex(), face.bbox, face.person, face.id, asked)
            self.members.append(member)
        self.pictures += len({kept.faces[row].sha256 for row in rest}) if asked else 0

    def together(self) -> list[list[int]]:
        """Return the places of the members that are one cluster from the beginning."""
        groups = defaultdict(list)
        for place, member in enumerate(self.members):
            groups[member.unit].append(place)
        return [group for group in groups.values() if len(group) > 1]

    def apart(self) -> list[list[int]]:
        """Return sets of members that are as many people: of one picture, of known people, of a face and who it is not.

        Of members that are one cluster anyway the first stands for all.
        """
        first: dict[tuple[str, int | str], int] = {}
        by_picture: dict[str, dict[tuple[str, int | str], int]] = defaultdict(dict)
        by_face: dict[int, int] = {}
        for place, member in enumerate(self.members):
            first.setdefault(member.unit, place)
            by_picture[member.picture].setdefault(member.unit, place)
            if member.kept is not None:
                by_face.setdefault(member.kept, place)
        people = {unit[1]: place for unit, place in first.items() if unit[0] == "person"}
        refused = [
            [by_face[face], people[person]]
            for face, person in self.rejections
            if face in by_face and person in people and self.members[by_face[face]].person != person
        ]
        groups = [list(units.values()) for units in by_picture.values()] + [list(people.values())]
        return [group for group in groups if len(group) > 1] + refused

    def _recognised(self, face: KeptFace, places: Sequence[int]) -> bool:
        """Tell the members that are this face of a gallery who they are; return whether there is one."""
        found = False
        by_source = defaultdict(list)
        for place in places:
            if self.members[place].kept is None:
                by_source[self.members[place].source].append(place)
        for own in by_source.values():
            best = max(own, key=lambda place: shared(self.members[place].bbox, face.bbox))
            if shared(self.members[best].bbox, face.bbox) >= SAME_FACE:
                self.members[best] = replace(self.members[best], person=face.person, kept=face.id)
                found = True
        return found
