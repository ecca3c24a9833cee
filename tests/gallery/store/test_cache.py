from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from facecli.errors import FacecliError, GalleryError
from facecli.gallery import nearest as module
from facecli.gallery.index import SCORES
from facecli.gallery.nearest import nearest
from facecli.gallery.store import cache, changes, forgetting, graph_file, postgres
from facecli.gallery.store.store import GalleryStore
from tests.gallery.conftest import DIM, SPACE, brute_force, face_of


@pytest.fixture(params=["exact", "faiss", "postgres"])
def search(request, monkeypatch):
    """Each way of searching a large gallery, asked for a few rows at a time, so that a few rows are many."""
    monkeypatch.setattr(module, "FIRST", 2)
    monkeypatch.setattr(module, "GROWTH", 2)
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
        return lambda store, score: postgres.open_index(store, url, score)
    if request.param == "faiss":
        pytest.importorskip("faiss")
    way = {"exact": cache, "faiss": graph_file}[request.param]
    return lambda store, score: way.open_index(store, score, least=1)


def opened(store, score="blend"):
    """The index of a gallery, however small, by its cache."""
    return cache.open_index(store, score, least=1)


def index_file(store):
    return store.path.with_name("staff.db.index")


def check(store, probes, score="blend", top=3, search=opened):
    """The search by the cache is brute force over what the gallery has."""
    truth, index = store.templates(), search(store, score)
    for probe, (places, distances) in zip(probes, nearest(probes, index, top), strict=True):
        expected = brute_force(probe, truth.embeddings, list(truth.people), score, top)
        assert (places, distances) == expected
        assert [index.name(place) for place in places] == [
            truth.names[sorted(set(truth.people))[place]] for place in places
        ]


@pytest.mark.parametrize("score", SCORES)
def test_search_by_the_cache_is_brute_force(staffed, score, search):
    rng = np.random.default_rng(4)
    probes = rng.normal(size=(5, DIM)).astype(np.float32)
    check(staffed, probes, score, search=search)
    index = opened(staffed, score)
    assert np.array_equal(index.rows, staffed.templates().embeddings)
    assert not index.rows.flags.writeable  # it is the file


def test_cache_is_made_once_for_its_owner_alone(staffed):
    opened(staffed)
    first = index_file(staffed).stat()
    assert stat.S_IMODE(first.st_mode) == 0o600
    opened(staffed)
    assert index_file(staffed).stat().st_ino == first.st_ino
    index_file(staffed).unlink()
    opened(staffed)
    assert index_file(staffed).exists()
    assert [path.name for path in cache.files(staffed.path)] == ["staff.db.index"]


def test_small_gallery_has_none_and_an_empty_one(store, staffed):
    cache.open_index(staffed)
    assert cache.files(staffed.path) == []


def test_empty_gallery(store):
    assert len(opened(store).people) == 0


def test_change_makes_another(staffed):
    probes = np.eye(DIM, dtype=np.float32)[:2]
    check(staffed, probes)
    staffed.add("Emmy", face_of(probes[0], "emmy.jpg"), SPACE)
    check(staffed, probes)
    assert nearest(probes, opened(staffed), 1)[0] == ([2], [pytest.approx(0, abs=1e-12)])
    changes.rename(staffed, staffed.person("Emmy"), "Amalie")
    assert opened(staffed).names[2] == "Amalie"
    changes.ignore(staffed, staffed.person("Amalie"))
    changes.rename(staffed, staffed.person("Grace"), "Zoë 李")
    assert opened(staffed).names == ["Ada", "Zoë 李", "Amalie"]
    assert opened(staffed).ignored == {"Amalie"}


def test_backup_that_was_put_back_and_changed_is_another_state(staffed, tmp_path):
    """Its revision is one that the cache knows; its templates are not."""
    staffed.database.erase_traces()
    saved = shutil.copy(staffed.path, tmp_path / "saved.db")
    one, other = np.eye(DIM, dtype=np.float32)[:2]
    staffed.add("Emmy", face_of(one, "emmy.jpg"), SPACE)
    opened(staffed)
    staffed.close()
    shutil.copy(saved, staffed.path)
    with_other = GalleryStore(staffed.path)
    with_other.add("Sofja", face_of(other, "sofja.jpg"), SPACE)
    check(with_other, np.stack([one, other]))
    with_other.close()


def damaged(path, at, content):
    with path.open("r+b") as stream:
        stream.seek(at, os.SEEK_SET if at >= 0 else os.SEEK_END)
        stream.write(content)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"{}" * 5000),
        lambda path: path.write_bytes(b"[1]".ljust(5000)),
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: damaged(path, 0, b"\xff"),
        lambda path: damaged(path, 0, path.read_bytes()[:1024].replace(b'"dim": 16', b'"dim": -1')),
        lambda path: damaged(path, 0, path.read_bytes()[:1024].replace(b'"errors"', b'"erroRs"')),
        lambda path: damaged(path, cache.HEADER + 400, b"\x55" * 16),
    ],
)
def test_damaged_cache_is_made_anew(staffed, damage):
    probes = np.eye(DIM, dtype=np.float32)[:2]
    opened(staffed)
    whole = index_file(staffed).read_bytes()
    damage(index_file(staffed))
    check(staffed, probes)
    assert index_file(staffed).read_bytes() == whole


def test_parts_of_a_cache_that_changed_places_are_damage(staffed, monkeypatch):
    monkeypatch.setattr(cache, "PIECE", 4)
    opened(staffed)
    whole = index_file(staffed).read_bytes()
    places = [cache.HEADER + 32 * number for number in range(20)]  # pieces of four numbers of 64 bits
    pieces = {whole[place : place + 32]: place for place in places}
    (one, first), (other, second) = list(pieces.items())[:2]
    damaged(index_file(staffed), first, other)
    damaged(index_file(staffed), second, one)
    check(staffed, np.eye(DIM, dtype=np.float32)[:2])
    assert index_file(staffed).read_bytes() == whole


def test_damaged_template_in_the_cache_is_told(staffed):
    opened(staffed)
    rows = staffed.templates().embeddings
    at = index_file(staffed).read_bytes().index(rows[1].tobytes())
    damaged(index_file(staffed), at + 8, b"\x01")
    with pytest.raises(GalleryError, match="damaged"):
        nearest(rows[:2], opened(staffed), 2)
    index_file(staffed).unlink()
    check(staffed, rows[:2])


def test_place_that_can_not_be_written_is_searched_all_the_same(staffed):
    index_file(staffed).mkdir()
    check(staffed, np.eye(DIM, dtype=np.float32)[:2])
    assert list(index_file(staffed).iterdir()) == []


def test_gallery_that_changes_while_its_cache_is_written(staffed, monkeypatch):
    batches = GalleryStore.template_batches

    def changing(self, size):
        yield from batches(self, size)
        changes.rename(self, self.people()[0], f"{self.people()[0].name} Augusta")

    monkeypatch.setattr(GalleryStore, "template_batches", changing)
    index = opened(staffed)
    assert index.names == ["Ada Augusta", "Grace"]
    assert cache.files(staffed.path) == []


def test_template_that_comes_while_the_cache_is_written(staffed, monkeypatch):
    searched = GalleryStore.searched

    def outdated(self):
        count, people, letters = searched(self)
        self.add("Emmy", face_of(np.ones(DIM, np.float32), f"emmy{count}.jpg"), SPACE)
        return count, people, letters

    monkeypatch.setattr(GalleryStore, "searched", outdated)
    assert opened(staffed).names == ["Ada", "Grace", "Emmy"]
    assert cache.files(staffed.path) == []


def test_nothing_is_left_in_the_cache_of_who_was_removed(staffed):
    opened(staffed)
    left = staffed.path.with_name("staff.db.index-0123456789abcdef")  # by a process that was killed
    shutil.copy(index_file(staffed), left)
    receipt = forgetting.remove(staffed, [staffed.person("Ada")])
    assert cache.files(staffed.path) == [] and receipt.people
    opened(staffed)
    assert forgetting.remove(staffed, [staffed.person("Grace")]).templates == 3


def test_trace_in_the_cache_is_told(staffed, monkeypatch):
    opened(staffed)
    monkeypatch.setattr(cache, "discard", lambda _path: None)
    with pytest.raises(GalleryError, match=r"staff\.db\.index still has traces"):
        forgetting.remove(staffed, [staffed.person("Ada")])


def test_thousand_changes(store, search):
    rng = np.random.default_rng(5)
    probes = rng.integers(-1, 2, size=(4, DIM)).astype(np.float32)
    for _ in range(10):
        with store.database.transaction():
            for _ in range(100):
                faces = [row[0] for row in store.database.rows("SELECT id FROM face")]
                if len(faces) > 30 and rng.random() < 0.5:
                    store.database.change("DELETE FROM face WHERE id = ?", (int(rng.choice(faces)),))
                else:
                    row = rng.integers(-1, 2, size=DIM).astype(np.float32)  # few values: many ties
                    face = face_of(row, f"{rng.random()}.jpg")
                    store.insert(f"person {rng.integers(20)}", face, SPACE, "enroll")
        for score in SCORES:
            check(store, probes, score, search=search)


class Changes(RuleBasedStateMachine):
    """A gallery that is changed by all means, and searched after each change.

    search, make_folder: given by a subclass.
    """

    @initialize()
    def start(self):
        self.folder = self.make_folder()
        self.store = GalleryStore(self.folder / "staff.db", create=True)
        self.number = 0

    @rule(name=st.sampled_from("abcd"), row=st.lists(st.integers(-1, 1), min_size=DIM, max_size=DIM))
    def add(self, name, row):
        self.number += 1
        self.store.add(name, face_of(np.array(row, np.float32), f"{self.number}.jpg"), SPACE)

    @rule(name=st.sampled_from("abcd"))
    def remove(self, name):
        if name in {person.name for person in self.store.people()}:
            forgetting.remove(self.store, [self.store.person(name)])

    @rule(name=st.sampled_from("abcd"), other=st.sampled_from("abcd"))
    def merge(self, name, other):
        self.attempt(lambda: changes.merge(self.store, self.store.person(name), self.store.person(other)))

    @rule(face=st.integers(1, 20), name=st.sampled_from("abcd"))
    def move(self, face, name):
        self.attempt(lambda: changes.move(self.store, [face], name))

    @rule(face=st.integers(1, 20), name=st.sampled_from("abcd"))
    def reject(self, face, name):
        self.attempt(lambda: changes.reject(self.store, face, self.store.person(name)))

    @rule()
    def delete_the_cache(self):
        cache.discard(self.store.path)

    @invariant()
    def search_is_brute_force(self):
        rows = np.eye(DIM, dtype=np.float32)[:2]
        check(self.store, np.concatenate([rows, -rows]), search=type(self).search)

    @staticmethod
    def attempt(change):
        with suppress(FacecliError):  # nobody of that name, no such face, said to be another's
            change()

    def teardown(self):
        self.store.close()


def test_search_after_any_changes(tmp_path_factory, search):
    class Here(Changes):
        def make_folder(self):
            return tmp_path_factory.mktemp("gallery")

    Here.search = staticmethod(search)
    run_state_machine_as_test(Here, settings=settings(max_examples=15, stateful_step_count=25, deadline=None))
