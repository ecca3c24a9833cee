from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from facecli.errors import GalleryError, UsageError
from facecli.gallery.store import forgetting, loose
from facecli.gallery.store.changes import rename
from facecli.gallery.store.database import Database
from tests.gallery.conftest import DIM, SPACE, face_of


def content(store):
    """The bytes of every file of a gallery."""
    return b"".join(path.read_bytes() for path in store.path.parent.glob(f"{store.path.name}*"))


def test_nothing_is_left_of_a_person(staffed):
    ada, embeddings = staffed.person("Ada"), staffed.templates(["Ada"]).embeddings
    rename(staffed, ada, "Augusta")
    ada = staffed.person("Augusta")
    needles = [row.tobytes() for row in embeddings] + [b"Ada", b"Augusta", b"augusta", ada.uid.encode()]
    assert all(needle in content(staffed) for needle in needles)
    receipt = forgetting.remove(staffed, [ada])
    after = content(staffed)
    assert [needle for needle in needles if needle in after] == []
    assert (receipt.faces, receipt.templates, receipt.pictures, receipt.unchecked) == (3, 3, 3, 0)
    assert receipt.people == (ada.uid,)
    assert receipt.pieces == 3 * 2 + 2  # both halves of each template, and two spellings of the name
    assert [person.name for person in staffed.people()] == ["Grace"]
    assert len(staffed.templates().people) == 3


def test_many_people_in_pages_that_move(store):
    """Rows that lie in pages with others, which SQLite moves about while it deletes and inserts."""
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(300, DIM)).astype(np.float32)
    for number, row in enumerate(rows):
        store.add(f"person number {number % 30}", face_of(row, f"{number}.jpg"), SPACE)
    gone = [store.person(f"person number {number}") for number in range(0, 30, 2)]
    forgetting.remove(store, gone)
    after = content(store)
    assert [n for n, row in enumerate(rows) if (row.tobytes() in after) != (n % 2 == 1)] == []


def test_picture_with_somebody_else_stays_without_its_name(staffed):
    staffed.add("Grace", face_of(np.ones(DIM, np.float32), "people/Ada/0.jpg", x=300), SPACE)
    receipt = forgetting.remove(staffed, [staffed.person("Ada")])
    assert receipt.pictures == 2
    sources = [face.source for face in staffed.faces(staffed.person("Grace"))]
    assert sources == ["people/Grace/0.jpg", "people/Grace/1.jpg", "people/Grace/2.jpg", None]
    assert b"Ada" not in content(staffed)


def test_picture_of_somebody_else_in_the_folder_of_the_removed_loses_its_name(staffed):
    staffed.add("Grace", face_of(np.ones(DIM, np.float32), "people/ADA/by_mistake.jpg"), SPACE)
    staffed.add("Grace", face_of(np.full(DIM, 2, np.float32), "people/Adair.jpg"), SPACE)
    receipt = forgetting.remove(staffed, [staffed.person("Ada")])
    sources = [face.source for face in staffed.faces(staffed.person("Grace"))]
    assert sources[-2:] == [None, "people/Adair.jpg"]
    assert b"ADA" not in content(staffed)
    assert receipt.unchecked == 2  # Ada and ada, which are in Adair


def test_name_within_another_name_is_not_looked_for(staffed):
    staffed.add("Adair", face_of(np.ones(DIM, np.float32), "x.jpg"), SPACE)
    assert forgetting.remove(staffed, [staffed.person("Ada")]).unchecked == 2  # Ada and ada


def test_crops_of_people_who_stay_are_no_traces(store):
    """All JPEGs of one encoder begin with the same bytes, which stay with the crops of others."""
    rng = np.random.default_rng(3)
    start = rng.bytes(200)
    crops = {name: start + rng.bytes(300) for name in ("Ada Lovelace", "Grace Hopper")}
    for name, crop in crops.items():
        face = face_of(rng.normal(size=DIM).astype(np.float32), f"{name}.jpg")
        store.add(name, replace(face, crop=crop), SPACE, "web")
    receipt = forgetting.remove(store, [store.person("Ada Lovelace")])  # "ada" alone may be in somebody's uid
    assert receipt.pieces == 2 + 2 + 2  # both halves of the template; middle and end of the crop; two spellings
    after = content(store)
    assert crops["Grace Hopper"] in after
    assert crops["Ada Lovelace"][200:] not in after


def test_name_that_numbers_spell_is_not_looked_for(staffed):
    """Among 16 million bytes of embeddings there are any three letters."""
    spelling = np.frombuffer(b"Ada ada " * (DIM // 2), "<f4").astype(np.float32)
    staffed.add("Emmy", face_of(spelling, "x.jpg"), SPACE)
    receipt = forgetting.remove(staffed, [staffed.person("Ada")])
    assert (receipt.faces, receipt.unchecked) == (3, 2)


def test_trace_of_a_crop_is_told(store, monkeypatch):
    rng = np.random.default_rng(3)
    face = face_of(rng.normal(size=DIM).astype(np.float32), "a.jpg")
    store.add("Ada", replace(face, crop=rng.bytes(500)), SPACE, "web")
    monkeypatch.setattr(Database, "erase_traces", lambda _self: None)
    with pytest.raises(GalleryError, match="still has traces"):
        forgetting.remove(store, [store.person("Ada")])


def test_trace_that_is_left_is_told(staffed, monkeypatch):
    monkeypatch.setattr(Database, "erase_traces", lambda _self: None)
    with pytest.raises(GalleryError, match="still has traces"):
        forgetting.remove(staffed, [staffed.person("Ada")])


def reading(path):
    """Another program that reads a gallery, until it is closed."""
    reader = Database(path)
    reader.change("BEGIN")
    reader.rows("SELECT count(*) FROM template")
    return reader


@pytest.mark.parametrize("empty_log", [False, True])
def test_nothing_is_removed_while_another_program_reads(staffed, monkeypatch, empty_log):
    monkeypatch.setattr("facecli.gallery.store.database.BUSY_SECONDS", 0.05)
    if empty_log:
        staffed.database.erase_traces()
    reader, quick = reading(staffed.path), type(staffed)(staffed.path)
    before, revision = quick.people(), quick.revision
    with pytest.raises(GalleryError, match="another program reads") as told:
        forgetting.remove(quick, [quick.person("Ada")])
    assert told.value.hint.startswith("nothing was removed")
    with pytest.raises(GalleryError, match="another program reads"):
        loose.forget(quick, 1)
    assert (quick.people(), quick.revision) == (before, revision)
    reader.close()
    assert forgetting.remove(quick, [quick.person("Ada")]).faces == 3
    assert b"Ada" not in content(quick)
    quick.close()


def test_reader_who_comes_meanwhile_is_told(staffed, monkeypatch, faster):
    monkeypatch.setattr("facecli.gallery.store.database.BUSY_SECONDS", 0.05)
    staffed.database.change("PRAGMA busy_timeout = 50")
    readers = []
    faster(lambda other: readers.append(reading(other.path)))
    with pytest.raises(GalleryError, match=r"another program") as told:
        forgetting.remove(staffed, [staffed.person("Ada")])
    assert "gallery compact" in told.value.hint
    readers[0].close()
    staffed.database.erase_traces()
    assert b"Ada" not in content(staffed)


def test_face_that_is_enrolled_meanwhile_is_forgotten_too(staffed, faster):
    late = face_of(np.arange(1, DIM + 1, dtype=np.float32), "late.jpg")
    faster(lambda other: other.add("Ada", late, SPACE))
    receipt = forgetting.remove(staffed, [staffed.person("Ada")])
    assert (receipt.faces, receipt.templates, receipt.pictures) == (4, 4, 4)
    assert staffed.face_count() == 3
    assert late.embedding.tobytes() not in content(staffed)


def test_name_that_is_given_meanwhile_is_forgotten_too(staffed, faster):
    faster(lambda other: rename(other, other.person("Ada"), "Augusta"))
    receipt = forgetting.remove(staffed, [staffed.person("Ada")])
    assert receipt.pieces == 3 * 2 + 4  # two names, two spellings each
    assert [name in content(staffed) for name in (b"Ada", b"Augusta")] == [False, False]


def test_person_who_is_removed_meanwhile_is_told(staffed, faster):
    faster(lambda other: forgetting.remove(other, [other.person("Ada")]))
    with pytest.raises(UsageError, match="Ada is not in the gallery any more"):
        forgetting.remove(staffed, [staffed.person("Ada"), staffed.person("Grace")])
    assert [person.name for person in staffed.people()] == ["Grace"]


def test_count_without_removing(staffed):
    before = staffed.revision
    assert forgetting.count(staffed, [staffed.person("Ada")]) == (3, 3, 3)
    assert staffed.revision == before


def test_pictures_are_forgotten_with_everybody_in_them(staffed):
    group = face_of(np.ones(DIM, np.float32), "people/Ada/0.jpg", x=300)
    staffed.add("Grace", group, SPACE)
    row = staffed.templates(["Ada"]).embeddings[0]
    digits = group.sha256.hex()[:8].upper()
    assert forgetting.picture(staffed, digits) == group.sha256
    assert forgetting.count(staffed, [], [group.sha256]) == (2, 2, 1)
    receipt = forgetting.remove(staffed, [], [group.sha256])
    assert (receipt.people, receipt.faces, receipt.templates, receipt.pictures) == ((), 2, 2, 1)
    after = content(staffed)
    assert [row.tobytes() in after, group.sha256 in after, b"Ada" in after] == [False, False, True]
    assert [(person.name, person.templates) for person in staffed.people()] == [("Ada", 2), ("Grace", 3)]


@pytest.mark.parametrize("text", ["0123456", "x" * 8, "0" * 65, "0" * 64, ""])
def test_picture_that_there_is_not(staffed, text):
    with pytest.raises(UsageError, match="sha256"):
        forgetting.picture(staffed, text)
