"""`Faces.cluster`: the same people as the command line finds, from Python."""

from __future__ import annotations

from pathlib import Path

import pytest

import facecli
from facecli import Faces
from facecli.errors import UsageError


def test_pictures_and_a_gallery(faces: Faces, examples: Path, tmp_path: Path) -> None:
    pixels = facecli.read(examples / "collins.jpg")
    found = faces.cluster([pixels, examples / "collins_variant.jpg", examples / "hopper.jpg", b"no picture"])
    assert [len(one.members) for one in found.clusters] == [2]
    assert [member.source for member in found.alone] == [str(examples / "hopper.jpg")]
    assert [str(error)[:5] for _, error in found.failed] == ["bytes"]
    later = faces.cluster(iter([examples / "collins_variant.jpg"]), min_faces=1, ids_from=found)
    assert later.clusters[0].id == found.clusters[0].id
    with faces.gallery(tmp_path / "staff.db") as gallery:
        gallery.enroll(examples / "collins.jpg", "Eileen")
        named = faces.cluster(examples / "collins_variant.jpg", gallery=gallery)
        assert [one.person for one in named.clusters] == ["Eileen"]
        assert [one.person for one in faces.cluster(gallery=gallery).clusters] == ["Eileen"]


def test_errors(faces: Faces, examples: Path) -> None:
    with pytest.raises(UsageError, match="no input"):
        faces.cluster([])
    with pytest.raises(UsageError, match="threshold and fmr exclude each other"):
        faces.cluster(examples / "hopper.jpg", threshold=0.3, fmr=0.01)
