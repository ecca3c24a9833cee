from __future__ import annotations

import pytest

from facecli.errors import UsageError
from facecli.gallery.labelling import by_folder, named
from facecli.pictures.sources import single


@pytest.fixture
def people(tmp_path):
    for name in ("Ada/1.jpg", "Ada/deep/2.png", "Grace/3.jpg", ".hidden/4.jpg", "stray.jpg", "Ada/notes.txt"):
        path = tmp_path / "people" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path / "people"


def of(*inputs):
    return {one.source.rpartition("/")[2]: one.person for one in by_folder([str(name) for name in inputs])}


def test_folders_in_a_folder_are_people(people):
    assert of(people) == {"1.jpg": "Ada", "2.png": "Ada", "3.jpg": "Grace", "stray.jpg": None}
    (stray,) = [one for one in by_folder([str(people)]) if one.person is None]
    assert "beside the folders of people" in str(stray.error)


def test_folder_of_pictures_is_a_person(people, monkeypatch):
    assert of(people / "Grace") == {"3.jpg": "Grace"}
    monkeypatch.chdir(people / "Grace")
    assert of(".") == {"3.jpg": "Grace"}
    assert of("3.jpg") == {"3.jpg": "Grace"}


def test_files_and_globs_are_of_the_folder_that_they_lie_in(people):
    assert of(people / "Ada" / "1.jpg", people / "*" / "3.jpg") == {"1.jpg": "Ada", "3.jpg": "Grace"}


def test_nothing_names_a_url_or_a_pipe():
    found = list(by_folder(["http://example.org/a.jpg", "-"]))
    assert [one.person for one in found] == [None, None]
    assert all("give name" in str(one.error) for one in found)


def test_one_name_for_all():
    assert [one.person for one in named([single("a.jpg"), single("-")], " Ada ")] == ["Ada", "Ada"]
    with pytest.raises(UsageError, match="name"):
        named([], " ")
