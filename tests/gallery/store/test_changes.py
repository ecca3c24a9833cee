from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from facecli.errors import DuplicateError, FacecliError, UsageError
from facecli.gallery.store import changes, forgetting
from facecli.gallery.store.journal import undo
from facecli.gallery.store.store import GalleryStore
from tests.gallery.conftest import DIM, SPACE, face_of

ONES = np.ones(DIM, np.float32)


def everything(store):
    """All that a gallery holds, but for the journal and the revision."""
    tables = ("space", "person", "picture", "face", "template", "rejection")
    return {table: sorted(store.database.rows(f"SELECT * FROM {table}"), key=repr) for table in tables}


def faces(store, name):
    return [face.id for face in store.faces(store.person(name))]


def by_person(store):
    return {person.name: faces(store, person.name) for person in store.people()}


def test_merge_and_undo(staffed):
    staffed.add("Augusta", face_of(ONES, "a.jpg"), SPACE)
    before = everything(staffed)
    change = changes.merge(staffed, staffed.person("Augusta"), staffed.person("Ada"))
    assert by_person(staffed) == {"Ada": [1, 2, 3, 7], "Grace": [4, 5, 6]}
    assert (change.people, change.faces) == (("Augusta", "Ada"), (7,))
    assert undo(staffed.database).text == "took back: merge (Augusta is Ada: 1 faces)"
    assert everything(staffed) == before
    with pytest.raises(UsageError, match="nothing to undo"):
        undo(staffed.database)


def test_people_in_one_picture_are_not_merged(staffed):
    staffed.add("Grace", face_of(ONES, "people/Ada/0.jpg", x=200), SPACE)
    with pytest.raises(UsageError, match=r"Ada and Grace are both in people/Ada/0\.jpg"):
        changes.merge(staffed, staffed.person("Ada"), staffed.person("Grace"))
    with pytest.raises(UsageError, match="one person already"):
        changes.merge(staffed, staffed.person("Ada"), staffed.person("ada"))
    with pytest.raises(UsageError, match="another face of the picture of face 1"):
        changes.move(staffed, [1], "Grace")
    assert by_person(staffed) == {"Ada": [1, 2, 3], "Grace": [4, 5, 6, 7]}


def test_face_that_is_enrolled_meanwhile_is_merged_too(staffed, faster):
    faster(lambda other: other.add("Ada", face_of(ONES, "late.jpg"), SPACE))
    assert changes.merge(staffed, staffed.person("Ada"), staffed.person("Grace")).faces == (1, 2, 3, 7)
    assert by_person(staffed) == {"Grace": [1, 2, 3, 4, 5, 6, 7]}
    undo(staffed.database)
    assert by_person(staffed) == {"Ada": [1, 2, 3, 7], "Grace": [4, 5, 6]}


@pytest.mark.parametrize(
    "change",
    [
        lambda store, ada: changes.rename(store, ada, "Augusta"),
        lambda store, ada: changes.merge(store, ada, store.person("Grace")),
        lambda store, ada: changes.merge(store, store.person("Grace"), ada),
        lambda store, ada: changes.reject(store, 4, ada),
        changes.ignore,
    ],
    ids=["rename", "merge", "merge into", "reject", "ignore"],
)
def test_person_who_is_removed_meanwhile(staffed, faster, change):
    faster(lambda other: forgetting.remove(other, [other.person("Ada")]))
    with pytest.raises(UsageError, match="Ada is not in the gallery any more"):
        change(staffed, staffed.person("Ada"))
    assert by_person(staffed) == {"Grace": [4, 5, 6]}
    with pytest.raises(UsageError, match="nothing to undo"):
        undo(staffed.database)


def test_person_who_is_renamed_meanwhile_is_told_by_the_new_name(staffed, faster):
    faster(lambda other: changes.rename(other, other.person("Ada"), "Augusta"))
    assert changes.rename(staffed, staffed.person("Ada"), "Lovelace").text == "Augusta is called Lovelace"


def test_not_this_person_is_remembered(staffed):
    changes.reject(staffed, 1, staffed.person("Ada"))
    assert by_person(staffed) == {"Ada": [2, 3], "Grace": [4, 5, 6]}
    with pytest.raises(DuplicateError, match="is enrolled as nobody"):
        staffed.add("Ada", face_of(ONES, "people/Ada/0.jpg"), SPACE)
    changes.rename(staffed, staffed.person("Ada"), "Augusta")
    changes.move(staffed, [1], "Somebody")
    with pytest.raises(UsageError, match="face 1 of Somebody was said not to be of Augusta"):
        changes.merge(staffed, staffed.person("Somebody"), staffed.person("Augusta"))
    with pytest.raises(UsageError, match="face 1 of Somebody was said not to be of Augusta"):
        changes.merge(staffed, staffed.person("Augusta"), staffed.person("Somebody"))


def test_face_of_nobody_is_enrolled_as_somebody_else(staffed):
    changes.rename(staffed, staffed.person("Grace"), "Grace Hopper")
    changes.reject(staffed, 1, staffed.person("Ada"))
    before, count = everything(staffed), staffed.face_count()
    again = face_of(staffed.templates(["Ada"]).embeddings[0], "people/Ada/0.jpg")
    assert staffed.add("New", replace(again, crop=b"a crop"), SPACE) == 1
    assert by_person(staffed) == {"Ada": [2, 3], "Grace Hopper": [4, 5, 6], "New": [1]}
    assert staffed.face_count() == count
    assert staffed.database.rows("SELECT how, crop FROM face WHERE id = 1") == [("enroll", b"a crop")]
    assert staffed.templates(["New"]).embeddings.shape == (1, DIM)
    assert undo(staffed.database).text == "took back: enroll (face 1, which was nobody's, is New's)"
    assert [table for table, rows in everything(staffed).items() if rows != before[table]] == ["face"]  # its crop
    assert undo(staffed.database).text == "took back: reject (face 1 is not of Ada)"
    assert by_person(staffed) == {"Ada": [1, 2, 3], "Grace Hopper": [4, 5, 6]}


def test_face_of_nobody_is_no_second_face_of_a_person(staffed):
    staffed.add("Grace", face_of(ONES, "people/Ada/0.jpg", x=200), SPACE)
    changes.reject(staffed, 1, staffed.person("Ada"))
    before = everything(staffed)
    with pytest.raises(DuplicateError, match="another face in"):
        staffed.add("Grace", face_of(ONES, "people/Ada/0.jpg"), SPACE)
    assert everything(staffed) == before


def test_rejections_go_with_a_merge(staffed):
    changes.reject(staffed, 4, staffed.person("Ada"))
    staffed.add("Augusta", face_of(ONES, "a.jpg"), SPACE)
    changes.merge(staffed, staffed.person("Ada"), staffed.person("Augusta"))
    with pytest.raises(UsageError, match="face 4 of Grace was said not to be of Augusta"):
        changes.merge(staffed, staffed.person("Grace"), staffed.person("Augusta"))


def test_ignored_people_are_known_as_such(staffed):
    changes.ignore(staffed, staffed.person("Grace"))
    templates = staffed.templates()
    assert [templates.names[person] for person in templates.ignored] == ["Grace"]
    undo(staffed.database)
    assert staffed.templates().ignored == frozenset()


def test_dry_run_changes_nothing_and_tells_the_same(staffed):
    changes.rename(staffed, staffed.person("Ada"), "Augusta")
    before, revision = everything(staffed), staffed.revision
    for change in (
        lambda **how: changes.rename(staffed, staffed.person("Augusta"), "Ada King", **how),
        lambda **how: changes.merge(staffed, staffed.person("Augusta"), staffed.person("Grace"), **how),
        lambda **how: changes.move(staffed, [1, 2], "New", **how),
        lambda **how: changes.reject(staffed, 1, staffed.person("Augusta"), **how),
        lambda **how: changes.ignore(staffed, staffed.person("Augusta"), **how),
        lambda **how: undo(staffed.database, **how),
    ):
        told = change(dry_run=True)
        assert (everything(staffed), staffed.revision) == (before, revision)
        assert change() == told
        assert everything(staffed) != before
        if told.action != "undo":
            undo(staffed.database)
            revision = staffed.revision
            assert everything(staffed) == before


def test_undo_after_the_name_is_taken_is_refused(staffed):
    changes.rename(staffed, staffed.person("Ada"), "Augusta")
    staffed.add("Ada", face_of(ONES, "another.jpg"), SPACE)
    before = everything(staffed)
    with pytest.raises(UsageError, match="somebody else is called Ada by now"):
        undo(staffed.database)
    assert everything(staffed) == before


def test_undo_of_a_move_keeps_who_was_enrolled_since(staffed):
    changes.move(staffed, [1], "New")
    staffed.add("New", face_of(ONES, "new.jpg"), SPACE)
    undo(staffed.database)
    assert by_person(staffed) == {"Ada": [1, 2, 3], "Grace": [4, 5, 6], "New": [7]}


def test_undo_leaves_a_face_whose_place_in_the_picture_was_taken_since(staffed):
    changes.rename(staffed, staffed.person("Grace"), "Grace Hopper")
    changes.reject(staffed, 1, staffed.person("Grace Hopper"))
    changes.move(staffed, [1, 2], "Grace Hopper")
    staffed.add("Ada", face_of(ONES, "people/Ada/0.jpg", x=200), SPACE)
    rejections = staffed.database.rows("SELECT * FROM rejection")
    change = undo(staffed.database)
    assert change.text.endswith("; but face 1 stays: face 7 of its picture is Ada's by now")
    assert change.faces == (2,)
    assert by_person(staffed) == {"Ada": [2, 3, 7], "Grace Hopper": [1, 4, 5, 6]}
    assert staffed.database.rows("SELECT * FROM rejection") == rejections == []
    undo(staffed.database)  # that face 1 is not of Grace Hopper
    undo(staffed.database)
    assert by_person(staffed) == {"Grace": [1, 4, 5, 6], "Ada": [2, 3, 7]}


def test_removal_ends_what_can_be_undone(staffed):
    changes.rename(staffed, staffed.person("Grace"), "Grace Hopper")
    forgetting.remove(staffed, [staffed.person("Ada")])
    with pytest.raises(UsageError, match="nothing to undo"):
        undo(staffed.database)


def test_what_does_not_exist(staffed):
    with pytest.raises(UsageError, match="there is no face 99"):
        changes.move(staffed, [1, 99], "Grace")
    with pytest.raises(UsageError, match="there is no face 99"):
        changes.reject(staffed, 99, staffed.person("Ada"))
    assert by_person(staffed) == {"Ada": [1, 2, 3], "Grace": [4, 5, 6]}


class Gallery(RuleBasedStateMachine):
    """Any changes, taken back one by one, lead through the very states that they came through."""

    def __init__(self):
        super().__init__()
        from pathlib import Path
        from tempfile import TemporaryDirectory

        self.folder = TemporaryDirectory()
        self.store = GalleryStore(Path(self.folder.name) / "x.db", create=True)
        self.states = []
        for number in range(8):
            embedding = np.full(DIM, number + 1, np.float32)
            self.store.add("abcd"[number % 4], face_of(embedding, f"{number // 2}.jpg", 60 * number), SPACE)

    def teardown(self):
        self.store.close()
        self.folder.cleanup()

    def attempt(self, change):
        before = everything(self.store)
        try:
            change()
        except FacecliError:
            assert everything(self.store) == before
        else:
            self.states.append(before)

    def pick(self, number):
        people = self.store.people()
        return people[number % len(people)]

    @rule(number=st.integers(0, 9), name=st.sampled_from("abcdefgh"))
    def rename(self, number, name):
        self.attempt(lambda: changes.rename(self.store, self.pick(number), name))

    @rule(one=st.integers(0, 9), other=st.integers(0, 9))
    def merge(self, one, other):
        self.attempt(lambda: changes.merge(self.store, self.pick(one), self.pick(other)))

    @rule(moved=st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True), name=st.sampled_from("abcdefgh"))
    def move(self, moved, name):
        self.attempt(lambda: changes.move(self.store, moved, name))

    @rule(face=st.integers(1, 9), number=st.integers(0, 9))
    def reject(self, face, number):
        self.attempt(lambda: changes.reject(self.store, face, self.pick(number)))

    @rule(number=st.integers(0, 9))
    def ignore(self, number):
        self.attempt(lambda: changes.ignore(self.store, self.pick(number)))

    @precondition(lambda self: self.states)
    @rule()
    def undo(self):
        undo(self.store.database)
        assert everything(self.store) == self.states.pop()

    @invariant()
    def nobody_is_twice_in_a_picture(self):
        query = "SELECT count(*) FROM face WHERE person IS NOT NULL GROUP BY picture, person HAVING count(*) > 1"
        assert self.store.database.rows(query) == []


Gallery.TestCase.settings = settings(max_examples=15, stateful_step_count=20, deadline=None)
TestGallery = Gallery.TestCase


def test_faces_of_nobody_are_ignored_one_by_one(staffed):
    for face in (1, 2):
        changes.reject(staffed, face, staffed.person("Ada"))
    changes.move(staffed, [3], "face 1")  # whose name is taken
    before = staffed.people()
    assert changes.ignore_face(staffed, 1, dry_run=True).people == ("face 1 (2)",)
    assert staffed.people() == before
    assert changes.ignore_face(staffed, 1).people == ("face 1 (2)",)
    assert changes.ignore_face(staffed, 2).people == ("face 2",)
    assert {one.name for one in staffed.people() if one.kind == "ignored"} == {"face 1 (2)", "face 2"}
    assert len(staffed.templates().ignored) == 2
    with pytest.raises(UsageError, match="face 4 is Grace's"):
        changes.ignore_face(staffed, 4)
    with pytest.raises(UsageError, match="no face"):
        changes.ignore_face(staffed, 2**64)
    undo(staffed.database)
    undo(staffed.database)
    assert staffed.people() == before
