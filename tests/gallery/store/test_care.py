from __future__ import annotations

import stat

import numpy as np
import pytest

from facecli.errors import OutputError
from facecli.gallery.store import cache, care
from facecli.gallery.store.records import Point
from facecli.gallery.store.store import GalleryStore
from tests.gallery.conftest import DIM, SPACE, face_of


def found(store):
    return {check.name: check.found for check in care.checks(store) if check.found}


def test_sound_gallery(staffed, store):
    assert found(staffed) == {}


@pytest.mark.parametrize(
    ("damage", "check", "words"),
    [
        ("UPDATE template SET embedding = substr(embedding, 1, 8) WHERE face = 2", "templates", "face 2 has 8 bytes"),
        ("UPDATE template SET embedding = zeroblob(64) WHERE face = 2", "templates", "face 2 is not finite, or zero"),
        ("DELETE FROM template WHERE face = 2", "faces", "1 faces have no template"),
        ("UPDATE space SET state = 'retired'", "space", "no active space"),
    ],
)
def test_damage_is_found(staffed, damage, check, words):
    staffed.database.change(damage)
    assert words in found(staffed)[check]


def test_cache_of_the_search_is_looked_at(staffed):
    cache.open_index(staffed, least=1)
    staffed.database.change("UPDATE person SET name = 'Eda' WHERE name = 'Ada'")
    assert found(staffed) == {"search": "staff.db.index differs from the gallery: delete it, and it is made anew"}


def test_rows_that_refer_to_nothing(staffed):
    staffed.database.change("PRAGMA foreign_keys = OFF")
    staffed.database.change("DELETE FROM picture WHERE id = 1")
    assert "1 rows refer to nothing" in found(staffed)["references"]


def test_backup_is_a_gallery_for_its_owner_alone(staffed, tmp_path):
    care.backup(staffed, tmp_path / "copy.db")
    staffed.add("Ada", face_of(np.ones(DIM, np.float32), "later.jpg"), SPACE)
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    copy = GalleryStore(tmp_path / "copy.db")
    assert [(person.name, person.pictures) for person in copy.people()] == [("Ada", 3), ("Grace", 3)]
    assert found(copy) == {}
    copy.close()
    with pytest.raises(OutputError, match="there is no folder"):
        care.backup(staffed, tmp_path / "none" / "copy.db")


def test_compact_leaves_nothing_of_what_was_deleted(staffed):
    row = staffed.templates(["Ada"]).embeddings[0].tobytes()
    staffed.database.change("DELETE FROM face WHERE id = 1")
    before, after = care.compact(staffed)
    assert before >= after > 0
    assert all(row not in path.read_bytes() for path in staffed.path.parent.glob("staff.db*"))


def test_points_hold_until_the_gallery_changes(staffed):
    point = Point(0.01, 0.4, 2, 6)
    revision = staffed.revision
    staffed.keep_points([point, Point(0.1, 0.5, 2, 6)])
    staffed.keep_points([point])
    assert staffed.points() == [point, Point(0.1, 0.5, 2, 6)]
    assert staffed.revision == revision
    staffed.add("Ada", face_of(np.ones(DIM, np.float32), "later.jpg"), SPACE)
    assert staffed.points() == []
