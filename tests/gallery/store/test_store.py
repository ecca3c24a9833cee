from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facecli.errors import DuplicateError, GalleryError, OutputError, UsageError
from facecli.gallery.space import Space
from facecli.gallery.store import database, place
from facecli.gallery.store.changes import rename
from facecli.gallery.store.schema import APPLICATION_ID
from facecli.gallery.store.store import GalleryStore
from tests.gallery.conftest import DIM, SPACE, face_of

ONES = np.ones(DIM, np.float32)


def test_templates_come_back_bit_by_bit(store):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(4, DIM)).astype(np.float32)
    for number, (name, row) in enumerate(zip(("Grace", "Ada", "Grace", "Ada"), rows, strict=True)):
        store.add(name, face_of(row, f"{number}.jpg"), SPACE)
    templates = store.templates()
    assert [templates.names[person] for person in templates.people] == ["Grace", "Grace", "Ada", "Ada"]
    assert np.array_equal(templates.embeddings, rows[[0, 2, 1, 3]])
    assert templates.embeddings.dtype == np.float32
    assert templates.revision == store.revision
    assert np.array_equal(store.templates(["ada"]).embeddings, rows[[1, 3]])


def test_each_change_raises_the_revision(staffed):
    before = staffed.revision
    rename(staffed, staffed.person("ada"), "Ada King")
    staffed.add("Ada King", face_of(ONES, "new.jpg"), SPACE)
    assert staffed.revision == before + 2
    with pytest.raises(DuplicateError):
        staffed.add("Grace", face_of(ONES, "new.jpg"), SPACE)
    assert staffed.revision == before + 2


def test_file_is_for_its_owner_alone(staffed):
    files = [path for path in staffed.path.parent.iterdir() if path.name.startswith(staffed.path.name)]
    assert len(files) >= 2  # with the log
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_settings_that_keep_what_was_told(staffed):
    def pragma(name):
        return staffed.database.rows(f"PRAGMA {name}")[0][0]

    assert (pragma("journal_mode"), pragma("synchronous"), pragma("foreign_keys")) == ("wal", 2, 1)
    assert (pragma("secure_delete"), pragma("temp_store")) == (1, 2)
    assert (pragma("application_id"), pragma("user_version")) == (APPLICATION_ID, 1)


def test_name_is_found_however_it_is_spelled(staffed):
    assert staffed.person(" ADA ").name == "Ada"
    assert staffed.has(staffed_sha("people/Ada/0.jpg"), "ada")
    assert not staffed.has(staffed_sha("people/Ada/0.jpg"), "Grace")
    with pytest.raises(UsageError, match="is it 'Grace'"):
        staffed.person("Grcae")
    with pytest.raises(UsageError, match="gallery list"):
        staffed.person("Zuse")


def staffed_sha(picture):
    return face_of(ONES, picture).sha256


def test_picture_shows_a_person_once_and_a_face_is_of_one_person(staffed):
    before = staffed.people()
    with pytest.raises(DuplicateError, match="is enrolled as Ada"):
        staffed.add("Grace", face_of(ONES, "people/Ada/0.jpg"), SPACE)
    with pytest.raises(DuplicateError, match=r"another face in people/Ada/0\.jpg is enrolled as Ada"):
        staffed.add("ADA", face_of(ONES, "people/Ada/0.jpg", x=200), SPACE)
    assert staffed.people() == before
    staffed.add("Grace", face_of(ONES, "people/Ada/0.jpg", x=200), SPACE)  # another person beside Ada
    assert [person.pictures for person in staffed.people()] == [3, 4]


def test_other_space_is_refused_and_nothing_is_left_of_it(staffed):
    before = staffed.revision
    for other in (Space({**SPACE.identity, "recognizer": "other"}, DIM), Space(SPACE.identity, DIM + 1)):
        with pytest.raises(UsageError, match="can not be compared"):
            staffed.add("New", face_of(ONES, "x.jpg"), other)
    assert staffed.revision == before
    assert [person.name for person in staffed.people()] == ["Ada", "Grace"]
    assert staffed.space == SPACE


def test_same_identity_in_another_order_is_the_same_space():
    assert Space(dict(reversed(list(SPACE.identity.items()))), DIM).fingerprint == SPACE.fingerprint


def test_file_names_that_are_no_utf8_come_back(store):
    name = os.fsdecode(b"people/\xff.jpg")
    store.add("Ada", replace(face_of(ONES, "x"), source=name), SPACE)
    assert store.faces(store.person("Ada"))[0].source == name


def test_name_that_somebody_has_is_refused(staffed):
    with pytest.raises(UsageError, match="somebody else is called Grace"):
        rename(staffed, staffed.person("Ada"), "GRACE")
    rename(staffed, staffed.person("Ada"), "ADA")  # one's own in another spelling
    assert staffed.person("Ada").name == "ADA"


def test_file_that_is_no_gallery(tmp_path):
    path, content = tmp_path / "x.db", b"no gallery at all, but long enough to be read as one " * 20
    path.write_bytes(content)
    with pytest.raises(GalleryError, match="is not a gallery"):
        GalleryStore(path)
    assert path.read_bytes() == content


def test_database_of_another_program_is_left_alone(tmp_path):
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE mine (a)")
    with pytest.raises(GalleryError, match="is not a gallery"):
        GalleryStore(path)


def test_missing_newer_and_misplaced_galleries(staffed, tmp_path):
    with pytest.raises(GalleryError, match=r"there is no gallery .*facecli enroll"):
        GalleryStore(tmp_path / "missing.db")
    with pytest.raises(GalleryError, match="is a folder"):
        GalleryStore(tmp_path, create=True)
    with pytest.raises(OutputError, match="can not write"):
        GalleryStore(Path("/proc/nowhere/x.db"), create=True)
    staffed.database.change("PRAGMA user_version = 2")
    with pytest.raises(GalleryError, match="newer facecli"):
        GalleryStore(staffed.path)


def test_network_file_system_is_refused(tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/x {tmp_path.parent} nfs4 rw 0 0\n")
    with pytest.raises(GalleryError, match="network file system"):
        place.check_local(tmp_path / "x.db", str(mounts))
    mounts.write_text(f"server:/x / nfs4 rw 0 0\n/dev/sda {tmp_path.parent} ext4 rw 0 0\n")
    place.check_local(tmp_path / "x.db", str(mounts))
    place.check_local(tmp_path / "x.db", str(tmp_path / "none"))


def test_damaged_template_is_told(staffed):
    staffed.database.change("UPDATE template SET embedding = substr(embedding, 1, 8) WHERE face = 2")
    with pytest.raises(GalleryError, match=r"damaged.*gallery verify"):
        staffed.templates()


def test_locked_file_is_told(staffed, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    second = GalleryStore(staffed.path)
    with staffed.database.transaction(), pytest.raises(GalleryError, match="another program has been changing"):
        second.add("Ada", face_of(ONES, "x.jpg"), SPACE)
    assert second.add("Ada", face_of(ONES, "x.jpg"), SPACE)
    second.close()


def test_threads_take_turns(store):
    def add(number):
        store.add(f"person {number % 5}", face_of(ONES, f"{number}.jpg"), SPACE)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [person.pictures for person in store.people()] == [4] * 5


def test_empty_file_becomes_a_gallery_for_its_owner_alone_where_one_is_to_be_made(tmp_path):
    path = tmp_path / "staff.db"
    path.write_bytes(b"")
    path.chmod(0o644)
    with pytest.raises(GalleryError, match=r"staff\.db is empty"):
        GalleryStore(path)
    assert path.read_bytes() == b""
    GalleryStore(path, create=True).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    GalleryStore(path).close()


KILLED = """
import sys
import numpy as np
from pathlib import Path
sys.path.append(sys.argv[3])
from facecli.gallery.store.store import GalleryStore
from tests.gallery.conftest import DIM, SPACE, face_of
store, start = GalleryStore(Path(sys.argv[1]), create=True), int(sys.argv[2])
for number in range(start, start + 10_000):
    row = np.full(DIM, number, np.float32)
    store.add(f"person {number % 7}", face_of(row, f"{number}.jpg"), SPACE)
    print(number, flush=True)
"""


def test_what_was_told_survives_a_kill(tmp_path):
    path, told = tmp_path / "staff.db", []
    root = Path(__file__).parents[3]
    for attempt in range(3):
        command = [sys.executable, "-c", KILLED, str(path), str(attempt * 10_000), str(root)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            told += [int(process.stdout.readline()) for _ in range(10 + 7 * attempt)]
            process.send_signal(signal.SIGKILL)
            told += [int(line) for line in process.stdout if line.endswith("\n")]
        store = GalleryStore(path)
        kept = {int(row[0]) for row in store.templates().embeddings}
        assert set(told) <= kept
        assert len(kept - set(told)) <= attempt + 1  # stored, and killed before it could be told
        assert store.database.rows("PRAGMA integrity_check") == [("ok",)]
        assert store.database.rows("PRAGMA foreign_key_check") == []
        store.close()
