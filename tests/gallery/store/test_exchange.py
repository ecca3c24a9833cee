from __future__ import annotations

import stat
import zipfile

import numpy as np
import pytest

from facecli.errors import GalleryError, UsageError
from facecli.gallery.space import Space
from facecli.gallery.store import changes, exchange, exchange_files
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


def imported(store, path):
    with exchange_files.opened(path) as contents:
        return exchange.add(store, contents)


@pytest.fixture
def varied(staffed):
    """A gallery with all that can be: somebody ignored, a face of nobody, a rejection, a face without a box."""
    whole = face_of(ONES, "whole.jpg")
    bare = NewFace(whole.sha256, "whole\udcff.jpg", 100, 200, None, None, None, 2 * ONES)
    staffed.add("Katherine", bare, SPACE)
    changes.reject(staffed, 1, staffed.person("Ada"))
    changes.ignore(staffed, staffed.person("Grace"))
    return staffed


CROP = b"\xff\xd8\xff crop"


@pytest.fixture
def cropped(varied):
    """The varied gallery, with crops of some faces: of one of Ada's, one of Grace's and one of nobody's."""
    for face in (1, 2, 4):
        varied.database.change("UPDATE face SET crop = ? WHERE id = ?", (CROP + bytes([face]), face))
    return varied


def crops_of(store):
    return store.database.rows("SELECT sha256, crop FROM face JOIN picture ON picture.id = picture ORDER BY 1")


@pytest.mark.parametrize("name", ["x.npz", "x.zip", "x.parquet"])
def test_every_kind_of_file_is_the_identity(cropped, tmp_path, name):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    assert exchange_files.export(cropped, tmp_path / name) == 7
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    other = GalleryStore(tmp_path / "other.db", create=True)
    assert imported(other, tmp_path / name).added == 7
    assert content(other) == content(cropped)
    kept = crops_of(cropped) if name == "x.zip" else [(sha256, None) for sha256, _ in crops_of(cropped)]
    assert crops_of(other) == kept
    other.close()


def test_zip_is_a_folder_for_each_person(cropped, tmp_path):
    changes.rename(cropped, cropped.person("Grace"), "../Grace: x")
    exchange_files.export(cropped, tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        names = archive.namelist()
        assert archive.read("people/Ada/1.jpg") == CROP + bytes([2])
    assert names == ["gallery.npz", "unnamed/0.jpg", "people/Ada/1.jpg", "people/_Grace_ x/3.jpg"]
    changes.rename(cropped, cropped.person("Ada"), ".._Grace_ x")
    exchange_files.export(cropped, tmp_path / "y.zip")
    with zipfile.ZipFile(tmp_path / "y.zip") as archive:  # two people stay two
        assert archive.namelist()[-2:] == ["people/_Grace_ x/1.jpg", "people/_Grace_ x 2/3.jpg"]


def test_zip_without_crops_and_other_names_are_refused(staffed, tmp_path):
    with pytest.raises(UsageError, match="no crops"):
        exchange_files.export(staffed, tmp_path / "x.zip")
    with pytest.raises(UsageError, match=r"x\.json"):
        exchange_files.export(staffed, tmp_path / "x.json")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("x")] == []


@pytest.mark.parametrize("crop", [b"text", CROP + bytes(10**6)])
def test_crops_that_are_none_are_refused(cropped, tmp_path, crop):
    exchange_files.export(cropped, tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive, zipfile.ZipFile(tmp_path / "y.zip", "w") as changed:
        changed.writestr("gallery.npz", archive.read("gallery.npz"))
        changed.writestr("people/Ada/1.jpg", crop)
    other = GalleryStore(tmp_path / "other.db", create=True)
    with pytest.raises(GalleryError, match="no exported gallery"):
        imported(other, tmp_path / "y.zip")
    assert other.people() == []
    other.close()


@pytest.mark.parametrize("content", [b"PAR1 cut", b""])
def test_damaged_parquet_and_another_one_are_refused(store, tmp_path, content):
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow as pa

    (tmp_path / "x.parquet").write_bytes(content)
    parquet.write_table(pa.table({"person": ["Ada"]}), tmp_path / "y.parquet")
    for name in ("x.parquet", "y.parquet"):
        with pytest.raises(GalleryError, match="no exported gallery"):
            imported(store, tmp_path / name)


def test_export_and_import_are_the_identity(varied, tmp_path):
    assert exchange_files.export(varied, tmp_path / "x.npz") == 7
    assert stat.S_IMODE((tmp_path / "x.npz").stat().st_mode) == 0o600
    other = GalleryStore(tmp_path / "other.db", create=True)
    done = imported(other, tmp_path / "x.npz")
    assert (done.added, done.known, done.rejected) == (7, 0, ())
    assert content(other) == content(varied)
    again = imported(other, tmp_path / "x.npz")
    assert (again.added, again.known, again.rejected) == (0, 7, ())
    changes.reject(other, 5, other.person("Grace"))
    again = imported(other, tmp_path / "x.npz")
    assert (again.added, again.known, again.rejected) == (0, 7, ())  # what was said here stays
    changes.move(other, [5], "Grace")
    assert content(other) == content(varied)
    other.close()


def test_import_beside_others_takes_nothing_away(varied, tmp_path):
    exchange_files.export(varied, tmp_path / "x.npz")
    other = GalleryStore(tmp_path / "other.db", create=True)
    other.add("grace", face_of(ONES, "own.jpg"), SPACE)
    other.add("Somebody", face_of(ONES, "people/Ada/1.jpg"), SPACE)
    done = imported(other, tmp_path / "x.npz")
    assert [str(error)[:41] for _, error in done.rejected] == ["the face in people/Ada/1.jpg is enrolled "]
    assert {person.name: (person.kind, person.pictures) for person in other.people()} == {
        "Ada": ("known", 1),
        "grace": ("known", 4),
        "Katherine": ("known", 1),
        "Somebody": ("known", 1),
    }
    other.close()


def test_other_space_and_empty_gallery(staffed, store, tmp_path):
    exchange_files.export(staffed, tmp_path / "x.npz")
    other = GalleryStore(tmp_path / "other.db", create=True)
    with pytest.raises(UsageError, match="nothing to export"):
        exchange_files.export(other, tmp_path / "y.npz")
    other.add("Ada", face_of(ONES, "own.jpg"), Space({**SPACE.identity, "recognizer": "other"}, DIM))
    with pytest.raises(UsageError, match="can not be compared"):
        imported(other, tmp_path / "x.npz")
    assert not (tmp_path / "y.npz").exists()
    other.close()


@pytest.mark.parametrize(
    "change",
    [
        {"embedding": np.full((6, DIM), np.nan, np.float32)},
        {"embedding": np.full((6, DIM), 1e300)},
        {"embedding": np.zeros((6, DIM), np.float32)},
        {"embedding": np.ones((6, DIM + 1), np.float32)},
        {"sha256": np.zeros((6, 31), np.uint8)},
        {"person": np.arange(6)},
        {"form": np.array("facecli.embed/1")},
        {"identity": np.array("{}")},
        {"identity": np.array("[" * 100_000)},
        {"source": np.zeros(6, "U1000000")},
    ],
)
def test_files_that_are_no_export_are_refused(staffed, store, tmp_path, change):
    exchange_files.export(staffed, tmp_path / "x.npz")
    with np.load(tmp_path / "x.npz") as file:
        arrays = dict(file)
    np.savez_compressed(tmp_path / "y.npz", **(arrays | change))
    with pytest.raises(GalleryError, match=r"no exported gallery.*gallery export"):
        imported(store, tmp_path / "y.npz")


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 cut"])
def test_other_files_are_refused(store, tmp_path, content):
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(GalleryError, match="no exported gallery"):
        imported(store, tmp_path / "x.npz")


def test_nothing_is_unpickled(store, tmp_path):
    np.savez(tmp_path / "x.npz", form=np.array([print], object))
    with pytest.raises(GalleryError, match="no exported gallery"):
        imported(store, tmp_path / "x.npz")
