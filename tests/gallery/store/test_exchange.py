from __future__ import annotations

import stat

import numpy as np
import pytest

from facecli.errors import GalleryError, UsageError
from facecli.gallery.space import Space
from facecli.gallery.store import changes, exchange
from facecli.gallery.store.records import NewFace
from facecli.gallery.store.store import GalleryStore
from tests.gallery.conftest import DIM, SPACE, face_of

ONES = np.ones(DIM, np.float32)


def content(store):
    """What an export is about, without ids and times."""
    query = """SELECT person.name, person.kind, sha256, source, width, height, bbox, landmarks, score, embedding
        FROM face JOIN picture ON picture.id = picture JOIN template ON face = face.id
        LEFT JOIN person ON person.id = person ORDER BY sha256, bbox"""
    query = query.replace("person.id = person ", "person.id = face.person ")
    said = """SELECT person.name, sha256, bbox FROM rejection JOIN face ON face.id = rejection.face
        JOIN picture ON picture.id = face.picture JOIN person ON person.id = rejection.person ORDER BY 1, 2"""
    return store.database.rows(query), store.database.rows(said), store.space


@pytest.fixture
def varied(staffed):
    """A gallery with all that can be: somebody ignored, a face of nobody, a rejection, a face without a box."""
    whole = face_of(ONES, "whole.jpg")
    bare = NewFace(whole.sha256, "whole\udcff.jpg", 100, 200, None, None, None, 2 * ONES)
    staffed.add("Katherine", bare, SPACE)
    changes.reject(staffed, 1, staffed.person("Ada"))
    changes.ignore(staffed, staffed.person("Grace"))
    return staffed


def test_export_and_import_are_the_identity(varied, tmp_path):
    assert exchange.export(varied, tmp_path / "x.npz") == 7
    assert stat.S_IMODE((tmp_path / "x.npz").stat().st_mode) == 0o600
    other = GalleryStore(tmp_path / "other.db", create=True)
    done = exchange.add(other, exchange.load(tmp_path / "x.npz"))
    assert (done.added, done.known, done.rejected) == (7, 0, ())
    assert content(other) == content(varied)
    again = exchange.add(other, exchange.load(tmp_path / "x.npz"))
    assert (again.added, again.known, len(again.rejected)) == (0, 6, 1)  # the face of nobody has no name to be known by
    assert content(other) == content(varied)
    other.close()


def test_import_beside_others_takes_nothing_away(varied, tmp_path):
    exchange.export(varied, tmp_path / "x.npz")
    other = GalleryStore(tmp_path / "other.db", create=True)
    other.add("grace", face_of(ONES, "own.jpg"), SPACE)
    other.add("Somebody", face_of(ONES, "people/Ada/1.jpg"), SPACE)
    done = exchange.add(other, exchange.load(tmp_path / "x.npz"))
    assert [str(error)[:41] for _, error in done.rejected] == ["the face in people/Ada/1.jpg is enrolled "]
    assert {person.name: (person.kind, person.pictures) for person in other.people()} == {
        "Ada": ("known", 1),
        "grace": ("known", 4),
        "Katherine": ("known", 1),
        "Somebody": ("known", 1),
    }
    other.close()


def test_other_space_and_empty_gallery(staffed, store, tmp_path):
    exchange.export(staffed, tmp_path / "x.npz")
    other = GalleryStore(tmp_path / "other.db", create=True)
    with pytest.raises(UsageError, match="nothing to export"):
        exchange.export(other, tmp_path / "y.npz")
    other.add("Ada", face_of(ONES, "own.jpg"), Space({**SPACE.identity, "recognizer": "other"}, DIM))
    with pytest.raises(UsageError, match="can not be compared"):
        exchange.add(other, exchange.load(tmp_path / "x.npz"))
    assert not (tmp_path / "y.npz").exists()
    other.close()


@pytest.mark.parametrize(
    "change",
    [
        {"embedding": np.full((6, DIM), np.nan, np.float32)},
        {"embedding": np.ones((6, DIM + 1), np.float32)},
        {"sha256": np.zeros((6, 31), np.uint8)},
        {"person": np.arange(6)},
        {"form": np.array("facecli.embed/1")},
        {"identity": np.array("{}")},
        {"source": np.zeros(6, "U1000000")},
    ],
)
def test_files_that_are_no_export_are_refused(staffed, tmp_path, change):
    exchange.export(staffed, tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz") as file:
        arrays = dict(file)
    np.savez_compressed(tmp_path / "y.npz", **(arrays | change))
    with pytest.raises(GalleryError, match=r"no exported gallery.*gallery export"):
        exchange.load(tmp_path / "y.npz")


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 cut"])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(GalleryError, match="no exported gallery"):
        exchange.load(tmp_path / "x.npz")


def test_nothing_is_unpickled(tmp_path):
    np.savez(tmp_path / "x.npz", form=np.array([print], object))
    with pytest.raises(GalleryError, match="no exported gallery"):
        exchange.load(tmp_path / "x.npz")
