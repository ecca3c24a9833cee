"""`Faces.anonymize`: the twin of `facecli anonymize`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import facecli
from facecli import Faces
from facecli.anonymise.proof import RecognisableError
from facecli.errors import UsageError


@pytest.fixture(scope="module")
def faces() -> Faces:
    return Faces()


def test_a_picture_in_any_form_is_covered_alike(faces: Faces, examples: Path, tmp_path: Path) -> None:
    path = examples / "hopper.jpg"
    before = facecli.read(path)
    done = faces.anonymize(path, tmp_path / "o.png")
    assert (done.kind, done.faces, done.covered, done.output) == ("picture", 1, 1, tmp_path / "o.png")
    assert done.pixels is not None
    assert np.array_equal(facecli.read(tmp_path / "o.png"), done.pixels)
    assert 0.03 < float((done.pixels != before).any(axis=2).mean()) < 0.3
    for form in (str(path), path.read_bytes(), before):
        other = faces.anonymize(form)
        assert other.output is None
        assert np.array_equal(np.asarray(other.pixels), done.pixels)
    assert np.array_equal(facecli.read(path), before)


def test_an_ellipse_leaves_the_corners_of_the_box(faces: Faces, examples: Path) -> None:
    before = facecli.read(examples / "hopper.jpg")
    box, ellipse = (
        (np.asarray(faces.anonymize(before, method="mask", shape=shape).pixels) == 0).all(axis=2)
        for shape in ("box", "ellipse")
    )
    assert not (ellipse & ~box).any()
    assert ellipse.sum() / box.sum() == pytest.approx(np.pi / 4, abs=0.02)


def test_the_check_refuses_a_thin_veil_also_without_a_file(faces: Faces, examples: Path, tmp_path: Path) -> None:
    for output in (None, tmp_path / "o.jpg"):
        with pytest.raises(RecognisableError, match="lower cells, raise margin, or take method mask"):
            faces.anonymize(examples / "hopper.jpg", output, cells=64, margin=0, check=True)
    assert not [*tmp_path.iterdir()]
    done = faces.anonymize(examples / "hopper.jpg", check=True)
    assert done.witnesses
    assert all(one.recognised == 0 for one in done.witnesses)


def test_a_gallery_tells_who_stays_and_is_left_as_it_was(faces: Faces, examples: Path, tmp_path: Path) -> None:
    with faces.gallery(tmp_path / "people.db") as people:
        people.enroll(examples / "collins_variant.jpg", "Eileen")
        engine = people.engine
        assert faces.anonymize(examples / "collins.jpg", except_="Eileen", gallery=people).covered == 0
        assert faces.anonymize(examples / "hopper.jpg", except_=["Eileen"], gallery=people).covered == 1
        assert faces.anonymize(examples / "hopper.jpg", only="Eileen", gallery=people).covered == 0
        assert people.engine is engine
        with pytest.raises(UsageError, match="nobody in"):
            faces.anonymize(examples / "hopper.jpg", only="Ellen", gallery=people)


def test_what_can_not_be_is_refused(faces: Faces, examples: Path, tmp_path: Path) -> None:
    path = tmp_path / "hopper.jpg"
    path.write_bytes((examples / "hopper.jpg").read_bytes())
    with pytest.raises(UsageError, match="would overwrite the input"):
        faces.anonymize(path, path)
    with pytest.raises(UsageError, match=r"can not write a \.gif"):
        faces.anonymize(path, tmp_path / "o.gif")
    with pytest.raises(UsageError, match="need a gallery"):
        faces.anonymize(path, only="Ada")
    with pytest.raises(UsageError, match="there is no method"):
        faces.anonymize(path, method="smear")  # type: ignore[arg-type] # what a program without types may say


def test_films(faces: Faces, door: tuple[Path, Path], tmp_path: Path) -> None:
    done = faces.anonymize(door[0], tmp_path / "o.mkv", method="mask", codec="mpeg4")
    assert (done.kind, done.length, done.faces, done.covered, done.pixels) == ("film", 30, 2, 2, None)
    assert (tmp_path / "o.mkv").stat().st_size > 1000
    with pytest.raises(UsageError, match="the copy of a film is a file; name output"):
        faces.anonymize(door[0])
    with pytest.raises(UsageError, match="record or download it first"):
        faces.anonymize("rtsp://127.0.0.1/door", tmp_path / "o.mp4")
