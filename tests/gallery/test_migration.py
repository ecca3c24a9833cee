from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from facecli.errors import FacecliError, UsageError
from facecli.gallery.migration import migrate
from facecli.gallery.space import Space
from facecli.gallery.store import care, spaces
from facecli.gallery.store.records import NewFace
from facecli.gallery.store.store import GalleryStore
from facecli.pipeline.results import ImageResult
from facecli.types import Detections, Limits
from tests.gallery.conftest import DIM, SPACE

OTHER = Space({**SPACE.identity, "recognizer": "other"}, 4)
BOXES = np.array([[0, 0, 50, 60], [100, 0, 150, 60]], np.float32)


@pytest.fixture
def pictured(store: GalleryStore, tmp_path: Path) -> GalleryStore:
    """A gallery whose three pictures are files; the second has a face of each of two people."""
    for number, name, box in ((0, "Ada", 0), (1, "Ada", 0), (1, "Grace", 1), (2, "Grace", 1)):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(b"picture %d" % number)
        sha256 = hashlib.sha256(path.read_bytes()).digest()
        embedding = np.ones(DIM, np.float32)
        store.add(name, NewFace(sha256, str(path), 200, 80, BOXES[box], None, 0.9, embedding), SPACE)
    return store


def river(sources) -> Iterator[ImageResult]:
    """Stages that find both boxes, moved by 3 px, and embed each face as its place and its picture."""
    for source in sources:
        try:
            number = int(source.read(Limits())[-1:])
        except FacecliError as error:
            yield ImageResult(source.name, error=error)
            continue
        rows = np.array([[1, box, number, 1] for box in (1, 0)], np.float32)
        found = Detections(BOXES[::-1] + np.float32(3), np.ones(2, np.float32))
        yield ImageResult(source.name, 200, 80, 2, (0, 1), detections=found, embeddings=rows)


def run(store, pictures=None):
    number = spaces.begin(store, OTHER)
    return number, list(migrate(store, number, river, pictures, Limits()))


def test_every_face_is_embedded_from_its_place(pictured):
    number, done = run(pictured)
    assert [(one.faces, one.error) for one in done] == [(1, None), (2, None), (1, None)]
    assert pictured.space == SPACE  # still
    assert len(pictured.templates().faces) == 4
    assert spaces.switch(pictured, number)
    assert pictured.space == OTHER
    templates = pictured.templates()
    assert templates.embeddings.tolist() == [[1, 0, 0, 1], [1, 0, 1, 1], [1, 1, 1, 1], [1, 1, 2, 1]]
    assert {check.found for check in care.checks(pictured)} == {None}
    with pytest.raises(UsageError, match="of this recognizer and detector already"):
        spaces.begin(pictured, OTHER)


def test_interrupted_run_goes_on_where_it_was(pictured):
    number = spaces.begin(pictured, OTHER)
    half = migrate(pictured, number, river, None, Limits())
    next(half)
    half.close()
    assert not spaces.switch(pictured, number)
    assert pictured.space == SPACE
    again, done = run(pictured)
    assert (again, [one.faces for one in done]) == (number, [2, 1])
    assert spaces.switch(pictured, number)


def test_moved_and_missing_and_changed_pictures(pictured, tmp_path):
    (tmp_path / "moved").mkdir()
    (tmp_path / "0.jpg").rename(tmp_path / "moved" / "other-name.jpg")
    (tmp_path / "1.jpg").write_bytes(b"another 1")
    number, done = run(pictured)
    assert ["can not read" in str(done[0].error), "another picture" in str(done[1].error)] == [True, True]
    assert [one.faces for one in done] == [0, 0, 1]
    assert not spaces.switch(pictured, number)
    _, done = run(pictured, tmp_path / "moved")
    assert [one.faces for one in done] == [1, 0]
    assert spaces.switch(pictured, number, partial=True)
    assert len(pictured.templates().faces) == 2
    assert {check.name: check.found for check in care.checks(pictured)}["faces"] == "2 faces have no template"


def test_face_that_is_not_found_again_is_told(pictured, monkeypatch):
    monkeypatch.setattr("facecli.gallery.migration.SAME_FACE", 0.99)
    _, done = run(pictured)
    assert [one.faces for one in done] == [0, 0, 0]
    assert "2 of the 2 faces" in str(done[1].error)


def test_migration_to_a_third_recognizer_drops_what_was_begun(pictured):
    run(pictured)
    third = Space({**SPACE.identity, "recognizer": "third"}, 4)
    number = spaces.begin(pictured, third)
    assert len(spaces.pending(pictured, number)) == 3
    assert pictured.database.rows("SELECT count(*) FROM template") == [(4,)]


def test_empty_gallery_has_nothing_to_migrate(store):
    with pytest.raises(UsageError, match="nothing to migrate"):
        spaces.begin(store, OTHER)
