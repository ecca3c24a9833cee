"""`Faces.gallery`: the same people as the command line has, from Python."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import facecli
from facecli import Faces
from facecli.errors import GalleryError, NoFaceError, UsageError


def test_enroll_and_identify(faces: Faces, examples: Path, tmp_path: Path) -> None:
    for name in ("collins", "hopper"):
        (tmp_path / "people" / name).mkdir(parents=True)
        shutil.copy(examples / f"{name}.jpg", tmp_path / "people" / name)
    with faces.gallery(tmp_path / "staff.db") as gallery:
        outcome = gallery.enroll(tmp_path / "people")
        assert (outcome.added, outcome.known, outcome.rejected) == (2, 0, ())
        assert gallery.enroll([tmp_path / "people"]).known == 2
        found = gallery.identify(examples / "collins_variant.jpg", threshold=0.4, top=2)
        assert [one.person for one in found.people] == ["collins"]
        assert [one.person for one in found.people[0].candidates] == ["collins", "hopper"]
        assert len(found.picture.faces) == 1
        assert [person.name for person in gallery.people()] == ["collins", "hopper"]


def test_arrays_and_bytes(faces: Faces, examples: Path, tmp_path: Path) -> None:
    pixels = facecli.read(examples / "hopper.jpg")
    gallery = faces.gallery(tmp_path / "staff.db")
    outcome = gallery.enroll([pixels, (examples / "CREDITS.md").read_bytes()], "Grace")
    assert (outcome.added, [str(one.error)[:5] for one in outcome.rejected]) == (1, ["bytes"])
    assert gallery.enroll(pixels, "grace").known == 1
    assert gallery.enroll(pixels[:, ::-1], "grace").added == 1
    assert gallery.identify(pixels, threshold=0.4).people[0].person == "Grace"
    with pytest.raises(UsageError, match="give name"):
        gallery.enroll(pixels)
    gallery.close()


def test_errors(faces: Faces, examples: Path, tmp_path: Path) -> None:
    with pytest.raises(GalleryError, match="there is no gallery"):
        faces.gallery(tmp_path / "none.db").identify(examples / "hopper.jpg")
    gallery = faces.gallery(tmp_path / "staff.db")
    gallery.enroll(examples / "hopper.jpg", "Grace")
    with pytest.raises(UsageError, match="threshold and fpir exclude each other"):
        gallery.identify(examples / "hopper.jpg", threshold=0.4, fpir=0.1)
    blank = facecli.read(examples / "hopper.jpg")[:40, :40]
    with pytest.raises(NoFaceError):
        gallery.identify(blank, threshold=0.4)
    other = Faces(recognizer="dlib-resnet").gallery(tmp_path / "staff.db")
    with pytest.raises(UsageError, match="can not be compared"):
        other.identify(examples / "hopper.jpg", threshold=0.4)
    gallery.close()
    other.close()
