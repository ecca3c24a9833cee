from __future__ import annotations

import csv
import hashlib
import os
from pathlib import Path

import pytest

from facecli.clustering.album import Member
from facecli.clustering.clusters import Cluster, Clustering
from facecli.clustering.rule import Rule
from facecli.errors import InputError, OutputError, UsageError
from facecli.output import clusterings, people_folder


def clustering(*people: tuple[str | None, list[Path]]) -> Clustering:
    made = []
    for number, (name, pictures) in enumerate(people):
        digests = [hashlib.sha256(os.fsencode(one)).hexdigest() for one in pictures]
        members = tuple(
            Member(str(one), 0, digest, str(one), None) for one, digest in zip(pictures, digests, strict=True)
        )
        made.append(Cluster(f"{number:012x}", name, members, 0.9))
    return Clustering(Rule(0.5, "a test", 0.001), 2, 4, tuple(made), (), ())


def write(folder: Path, found: Clustering, mode: people_folder.Mode = "copy") -> dict:
    parts = {"gallery": None, "detector": None, "recognizer": None}
    return people_folder.write(folder, found, clusterings.document(found, parts), mode)


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Three pictures, two of the same name."""
    made = [tmp_path / "in" / name for name in ("a.jpg", "b.jpg", "more/a.jpg")]
    for number, path in enumerate(made):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([number]))
        os.utime(path, (1000, 1000))
    return made


def below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_a_folder_for_each_person(pictures: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "people"
    done = write(out, clustering(("Ada/..", pictures), (None, pictures[:1]), ("ada__.", pictures[1:2])))
    assert done == {"folder": str(out), "mode": "copy", "people": 3, "files": 5}
    digest = hashlib.sha256(os.fsencode(pictures[2])).hexdigest()[:8]
    assert below(out) == sorted(
        [
            *("Ada_/a.jpg", "Ada_/b.jpg", f"Ada_/a-{digest}.jpg", "person-000000000001/a.jpg"),
            *("ada__/b.jpg", "cluster.json"),
        ]
    )
    assert (out / "Ada_" / f"a-{digest}.jpg").read_bytes() == b"\x02"
    assert (out / "Ada_" / "a.jpg").stat().st_mtime == 1000
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_two_names_that_make_one_folder_stay_two(pictures: list[Path], tmp_path: Path) -> None:
    write(tmp_path / "people", clustering(("A/B", pictures[:1]), ("a:b", pictures[1:2])))
    assert below(tmp_path / "people") == ["A_B/a.jpg", "a_b 000000000001/b.jpg", "cluster.json"]


def test_links_and_lists(pictures: list[Path], tmp_path: Path) -> None:
    write(tmp_path / "links", clustering((None, pictures[:2])), "link")
    assert (tmp_path / "links" / "person-000000000000" / "a.jpg").resolve() == pictures[0].resolve()
    write(tmp_path / "list", clustering((None, pictures[:2])), "csv")
    assert below(tmp_path / "list") == ["cluster.json", "people.csv"]
    with (tmp_path / "list" / "people.csv").open(newline="") as stream:
        assert [row["cluster"] for row in csv.DictReader(stream)] == ["000000000000"] * 2


def test_a_folder_that_is_in_use_is_refused_unless_it_is_updated(pictures: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "people"
    first = clustering((None, pictures[:2]))
    write(out, first)
    with pytest.raises(UsageError, match=r"is not empty.*update"):
        people_folder.earlier_ids(out, 10**6, update=False)
    assert people_folder.earlier_ids(out, 10**6, update=True) == first.ids
    (out / "person-000000000000" / "notes.txt").write_text("mine")
    assert write(out, clustering((None, pictures)))["files"] == 1
    assert write(out, clustering((None, pictures)))["files"] == 0
    assert len(below(out)) == 5
    with pytest.raises(UsageError, match="no earlier run"):
        people_folder.earlier_ids(tmp_path / "in", 10**6, update=True)
    assert people_folder.earlier_ids(tmp_path / "new", 10**6, update=False) == {}
    with pytest.raises(OutputError):
        people_folder.earlier_ids(pictures[0], 10**6, update=False)


def test_nothing_is_written_if_not_all_can_be(pictures: list[Path], tmp_path: Path) -> None:
    missing = clustering((None, [pictures[0], tmp_path / "gone.jpg"]))
    with pytest.raises(InputError, match="no file here"):
        write(tmp_path / "people", missing)
    assert not (tmp_path / "people").exists()
    with pytest.raises(OutputError, match="there is no folder"):
        write(tmp_path / "no" / "people", clustering((None, pictures)))
    write(tmp_path / "list", missing, "csv")


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", '{"schema": "facecli.detect/2"}'),
        '{"schema": "facecli.cluster/1", "clusters": [{"id": "../../../etc", "faces": [{"hash": "0"}]}]}',
    ],
)
def test_an_earlier_result_that_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "cluster.json").write_text(text)
    with pytest.raises(InputError, match="no result of facecli cluster"):
        clusterings.read_ids(tmp_path / "cluster.json", 10**6)


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("cluster.json", "cluster.json 000000000000"),
        ("People.CSV", "People.CSV 000000000000"),
        ("two\nlines", "two_lines"),
        (" . ", "person-000000000000"),
    ],
)
def test_every_name_is_a_folders(name: str, own: str, pictures: list[Path], tmp_path: Path) -> None:
    write(tmp_path / "people", clustering((name, pictures[:1])))
    assert below(tmp_path / "people") == sorted([f"{own}/a.jpg", "cluster.json"])


def test_names_that_differ_in_composed_accents_stay_two(pictures: list[Path], tmp_path: Path) -> None:
    write(tmp_path / "people", clustering(("Ad\u00e9le", pictures[:1]), ("Ade\u0301le", pictures[1:2])))
    assert len({path.parent.name for path in (tmp_path / "people").glob("*/*")}) == 2
    assert (tmp_path / "people" / "Ad\u00e9le 000000000001" / "b.jpg").is_file()


def test_pictures_of_long_names_that_are_one(tmp_path: Path) -> None:
    long = [tmp_path / folder / f"{'n' * 245}.jpg" for folder in ("a", "b")]
    for number, path in enumerate(long):
        path.parent.mkdir()
        path.write_bytes(bytes([number]))
    assert write(tmp_path / "people", clustering((None, long)))["files"] == 2


def test_an_empty_folder_that_is_there_is_filled(
    pictures: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "people").mkdir()
    monkeypatch.chdir(tmp_path / "people")
    assert people_folder.earlier_ids(Path(), 10**6, update=False) == {}
    write(Path(), clustering((None, pictures[:1])))
    assert below(Path()) == ["cluster.json", "person-000000000000/a.jpg"]
    assert below(tmp_path / "people") == below(Path())


def test_a_folder_that_can_not_be_written_is_refused_before_the_work(pictures: list[Path], tmp_path: Path) -> None:
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    with pytest.raises(OutputError, match="a link to nowhere"):
        people_folder.earlier_ids(tmp_path / "nowhere", 10**6, update=False)
    with pytest.raises(OutputError, match="there is no folder"):
        people_folder.earlier_ids(tmp_path / "no" / "people", 10**6, update=False)
    with pytest.raises(OutputError, match=r"[Nn]ot a directory"):
        people_folder.earlier_ids(pictures[0] / "people", 10**6, update=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "nowhere"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused_before_the_work(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(OutputError, match=r"[Pp]ermission"):
            people_folder.earlier_ids(tmp_path / "people", 10**6, update=False)
    finally:
        tmp_path.chmod(0o755)


def test_list_has_no_formula(pictures: list[Path], tmp_path: Path) -> None:
    write(tmp_path / "out", clustering(("=1+1", pictures[:1]), ("Ada", pictures[1:2])), "csv")
    with (tmp_path / "out" / "people.csv").open(newline="") as file:
        assert [row["person"] for row in csv.DictReader(file)] == ["'=1+1", "Ada"]
