from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def photos(examples: Path, tmp_path: Path) -> Path:
    """A folder with two pictures of one person, one of another, and one that is none."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("collins", "collins_variant", "hopper"):
        shutil.copy(examples / f"{name}.jpg", folder)
    return folder


def people(done) -> list[tuple[str | None, list[str]]]:
    return [(one["person"], [Path(face["source"]).stem for face in one["faces"]]) for one in done.json["clusters"]]


def test_who_is_one_person(run_cli: Callable, photos: Path) -> None:
    done = run_cli("cluster", photos, "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    assert people(done) == [(None, ["collins", "collins_variant"])]
    assert [Path(face["source"]).stem for face in done.json["alone"]] == ["hopper"]
    verify = run_cli("verify", photos / "collins.jpg", photos / "hopper.jpg", "--json").json
    assert done.json["threshold"] != verify["threshold"]
    assert (done.json["fmr"], done.json["threshold_source"][:10]) == (0.001, "catalogue:")
    table = run_cli("cluster", photos, "--format", "table")
    assert max(map(len, table.stdout.decode().splitlines())) <= 80
    rows = run_cli("cluster", photos, "--format", "csv").stdout.decode().splitlines()
    assert len(rows) == 4
    assert rows[0] == "cluster,person,source,face,hash,gallery_face"


def test_stored_embeddings_are_the_same_people(run_cli: Callable, photos: Path, tmp_path: Path) -> None:
    stored = tmp_path / "faces.npz"
    assert run_cli("embed", photos, "-o", stored).returncode == 0
    done = run_cli("cluster", stored, "--json")
    assert done.returncode == 0
    assert people(done) == people(run_cli("cluster", photos, "--json"))
    both = run_cli("cluster", stored, photos)
    assert (both.returncode, "clustered together" in both.stderr.decode()) == (2, True)


def test_sorted_named_and_sorted_again(run_cli: Callable, photos: Path, examples: Path, tmp_path: Path) -> None:
    out, gallery = tmp_path / "people", ("--gallery", tmp_path / "staff.db")
    first = run_cli("cluster", photos, "-o", out, "--json")
    assert first.returncode == 0
    own = first.json["clusters"][0]["id"]
    assert sorted(path.name for path in (out / f"person-{own}").iterdir()) == ["collins.jpg", "collins_variant.jpg"]
    refused = run_cli("cluster", photos, "-o", out)
    assert (refused.returncode, "--update" in refused.stderr.decode()) == (2, True)

    shutil.copy(photos / "collins.jpg", photos / "again.jpg")
    later = run_cli("cluster", photos, "-o", out, "--update", "--json")
    assert (later.json["clusters"][0]["id"], later.json["written"]["files"]) == (own, 1)

    (out / f"person-{own}").rename(out / "Eileen")
    assert run_cli("enroll", out / "Eileen", *gallery).returncode == 0
    named = run_cli("cluster", photos, *gallery, "--json")
    assert people(named)[0][0] == "Eileen"
    assert len(people(named)[0][1]) == 3
    assert people(run_cli("cluster", *gallery, "--json"))[0][0] == "Eileen"


def test_ids_are_taken_from_a_result(run_cli: Callable, photos: Path, tmp_path: Path) -> None:
    result = tmp_path / "result.json"
    assert run_cli("cluster", photos / "collins.jpg", "--min-faces", "1", "-o", result).returncode == 0
    (photos / "0.jpg").write_bytes((photos / "collins_variant.jpg").read_bytes())
    before = run_cli("cluster", photos / "collins.jpg", "--min-faces", "1", "--json").json
    later = run_cli("cluster", photos, "--ids-from", result, "--json").json
    assert later["clusters"][0]["id"] == before["clusters"][0]["id"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ((), "no input"),
        (("{photos}", "--mode", "link"), "name one with --output"),
        (("{photos}", "--threshold", "0.4", "--fmr", "0.01"), "--threshold and --fmr exclude each other"),
        (("{photos}", "--fmr", "0.5"), "no threshold measured at FMR 0.5"),
        (("{photos}", "--ids-from", "{photos}/hopper.jpg"), "no result of facecli cluster"),
        (("{photos}", "--gallery", "{photos}/none.db"), "there is no gallery"),
        (("-", "-o", "{photos}/people"), "stdin is no file here"),
        (("http://127.0.0.1:9/a.jpg?token=secret", "-o", "{photos}/people"), "a URL is no file here"),
        (("{photos}", "-o", "{photos}/no/people"), "there is no folder"),
        (("faces.npz", "--files-from", "{photos}/list"), "together with a list"),
    ],
)
def test_refused_before_any_work(run_cli: Callable, photos: Path, options: tuple[str, ...], text: str) -> None:
    done = run_cli("cluster", *(one.format(photos=photos) for one in options))
    assert done.returncode in (1, 2)
    assert text in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1
    assert len(list(photos.iterdir())) == 3


def test_a_picture_that_fails_is_told_and_the_others_are_clustered(run_cli: Callable, photos: Path) -> None:
    (photos / "damaged.jpg").write_bytes(b"no picture")
    done = run_cli("cluster", photos, "--json")
    assert done.returncode == 1
    assert people(done) == [(None, ["collins", "collins_variant"])]
    assert [one["error"]["code"] for one in done.json["failed"]] == ["decode"]


def test_an_empty_folder_has_nobody(run_cli: Callable, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = run_cli("cluster", tmp_path / "empty", "--json")
    assert done.returncode in (0, 1)
    assert (done.json["clusters"], done.json["alone"], done.json["faces"]) == ([], [], 0)
