from __future__ import annotations

import csv
import io
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def people(examples: Path, tmp_path: Path, group_picture: Path) -> Path:
    """Two people; beside their portraits a group, a text, and a copy."""
    for name, pictures in {"Collins": ["collins.jpg", "collins_variant.jpg"], "Hopper": ["hopper.jpg"]}.items():
        (tmp_path / "people" / name).mkdir(parents=True)
        for picture in pictures:
            shutil.copy(examples / picture, tmp_path / "people" / name)
    shutil.copy(group_picture, tmp_path / "people" / "Hopper" / "group.png")
    shutil.copy(examples / "CREDITS.md", tmp_path / "people" / "Hopper" / "text.jpg")
    shutil.copy(examples / "collins.jpg", tmp_path / "people" / "Hopper" / "x-copy.jpg")
    return tmp_path / "people"


def test_folders_become_people_and_a_second_run_is_free(run_cli: Callable, people: Path) -> None:
    done = run_cli("enroll", people, "--json")
    answer = done.json
    assert done.returncode == 1
    assert (answer["added"], answer["known"]) == (3, 0)
    rejected = {Path(one["source"]).name: one["error"]["code"] for one in answer["rejected"]}
    assert rejected == {"group.png": "ambiguous_face", "text.jpg": "decode", "x-copy.jpg": "duplicate"}
    assert len(done.errors) == 3
    numbers = [(one["person"], one["added"], one["rejected"], one["templates"]) for one in answer["people"]]
    assert numbers == [("Collins", 2, 0, 2), ("Hopper", 1, 3, 1)]
    assert Path(answer["gallery"]["path"]).name == "gallery.db"
    again = run_cli("enroll", people, "--json").json
    assert (again["added"], again["known"]) == (0, 3)
    assert again["gallery"]["revision"] == answer["gallery"]["revision"]


def test_lines_and_rows_come_per_picture(run_cli: Callable, people: Path, tmp_path: Path) -> None:
    gallery = ("--gallery", tmp_path / "own.db")
    lines = run_cli("enroll", people, *gallery, "--format", "jsonl", "--jobs", "2").jsonl
    assert [Path(one["source"]).name for one in lines] == [
        *("collins.jpg", "collins_variant.jpg"),
        *("group.png", "hopper.jpg", "text.jpg", "x-copy.jpg"),
    ]
    assert [one["status"] for one in lines] == ["added", "added", "rejected", "added", "rejected", "rejected"]
    assert [one["face"] is None for one in lines] == [False, False, True, False, True, True]
    assert set(lines[0]) == {"schema", "version", "dry_run", "source", "person", "status", "face", "error"}
    rows = list(csv.DictReader(io.StringIO(run_cli("enroll", people, *gallery, "--format", "csv").stdout.decode())))
    assert [row["status"] for row in rows] == ["known", "known", "rejected", "known", "rejected", "rejected"]
    assert rows[2]["error"] == "ambiguous_face"


def test_one_name_a_list_and_a_pipe(run_cli: Callable, examples: Path, collins: bytes, tmp_path: Path) -> None:
    gallery = ("--gallery", tmp_path / "own.db")
    piped = run_cli("enroll", "-", "--name", "Eileen Collins", *gallery, "--json", input=collins)
    assert (piped.returncode, piped.json["added"]) == (0, 1)
    listed = run_cli("enroll", "--files-from", "-", *gallery, "--json", input=bytes(examples / "hopper.jpg"))
    assert listed.json["people"][0]["person"] == "examples"
    nameless = run_cli("enroll", "-", *gallery, "--json", input=collins)
    assert nameless.returncode == 1
    assert "give --name" in nameless.errors[0]


def test_what_makes_no_sense_is_refused_before_work(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    hopper, gallery = examples / "hopper.jpg", ("--gallery", tmp_path / "own.db")
    assert run_cli("enroll", *gallery).returncode == 2
    every = run_cli("enroll", hopper, "--name", "Grace", "--face", "all", *gallery)
    assert (every.returncode, "--face all" in every.errors[0]) == (2, True)
    assert run_cli("enroll", hopper, "--name", "\t", *gallery).returncode == 2
    assert run_cli("enroll", hopper, "--name", "Grace", *gallery).returncode == 0
    other = run_cli("enroll", hopper, "--name", "Grace", *gallery, "--recognizer", "dlib-resnet")
    assert other.returncode == 2
    assert "sface after yunet" in other.errors[0] and "dlib-resnet after yunet" in other.errors[0]
    flipped = run_cli("enroll", hopper, "--name", "Grace", *gallery, "--flip")
    assert (flipped.returncode, "parameters" in flipped.errors[0]) == (2, True)
    text = run_cli("enroll", hopper, "--name", "Grace", "--gallery", examples / "CREDITS.md")
    assert (text.returncode, "is not a gallery" in text.errors[0]) == (1, True)


def test_gallery_of_another_recognizer_keeps_it(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    gallery = ("--gallery", tmp_path / "own.db", "--json")
    hopper, collins = examples / "hopper.jpg", examples / "collins.jpg"
    first = run_cli("enroll", hopper, "--name", "Grace", "--recognizer", "dlib-resnet", "--flip", *gallery)
    assert first.returncode == 0
    second = run_cli("enroll", collins, "--name", "Eileen", *gallery).json
    assert second["recognizer"]["plugin"] == "dlib-resnet"
    assert second["recognizer"]["parameters"]["flip"] is True
    found = run_cli("identify", hopper, "--threshold", "0.001", *gallery).json
    assert found["images"][0]["faces"][0]["person"] == "Grace"


def test_two_at_once_end_as_one(cli_env: dict[str, str], run_cli: Callable, people: Path) -> None:
    gallery = ["--gallery", str(people.parent / "own.db")]
    command = [sys.executable, "-m", "facecli", "enroll", "Collins", "--format", "jsonl", *gallery]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, env=cli_env, cwd=people, text=True) for _ in range(2)]
    answers = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    statuses = sorted(part for text in answers for part in ("added", "known") for _ in range(text.count(f'"{part}"')))
    assert statuses == ["added", "added", "known", "known"]
    (person,) = run_cli("gallery", "list", *gallery, "--json").json["people"]
    assert (person["person"], person["templates"]) == ("Collins", 2)


def test_table_fits_a_terminal_of_80_columns(cli_env: dict[str, str], people: Path) -> None:
    def seen(*args: str) -> str:
        ours, theirs = pty.openpty()
        environment = cli_env | {"COLUMNS": "80", "TERM": "dumb"}
        command = [sys.executable, "-m", "facecli", *args]
        subprocess.run(
            command, stdout=theirs, stderr=subprocess.DEVNULL, env=environment, cwd=people.parent, check=False
        )
        os.close(theirs)
        printed = b""
        try:
            while chunk := os.read(ours, 2**16):
                printed += chunk
        except OSError:  # the other side is closed
            pass
        os.close(ours)
        return printed.decode()

    for command in (["enroll", "people"], ["identify", "people/Hopper", "--threshold", "0.4"]):
        table = seen(*command)
        assert "Hopper" in table
        assert max(len(line) for line in table.splitlines()) <= 80


def test_dry_run_tells_all_and_stores_nothing(run_cli: Callable, people: Path, tmp_path: Path) -> None:
    gallery = ("--gallery", tmp_path / "own.db")
    dry = run_cli("enroll", people, "--dry-run", *gallery, "--json").json
    assert not (tmp_path / "own.db").exists()
    real = run_cli("enroll", people, *gallery, "--json").json
    assert (dry["dry_run"], real["dry_run"]) == (True, False)
    assert dry["gallery"]["path"] == real["gallery"]["path"] == str(tmp_path / "own.db")
    for part in ("added", "known", "rejected"):
        assert dry[part] == real[part]
    before = (tmp_path / "own.db").read_bytes()
    assert run_cli("enroll", people, "--dry-run", *gallery, "--json").json["known"] == 3
    assert (tmp_path / "own.db").read_bytes() == before


def test_faces_that_are_not_as_was_asked_for(run_cli: Callable, people: Path, examples: Path, tmp_path: Path) -> None:
    for name in ("group.png", "text.jpg", "x-copy.jpg"):
        (people / "Hopper" / name).unlink()
    shutil.copy(examples / "collins_variant.jpg", people / "Hopper" / "x-other.jpg")
    (people / "Collins" / "collins_variant.jpg").unlink()

    def rejected(*options: str) -> list[tuple[str, str]]:
        done = run_cli("enroll", people, "--dry-run", "--gallery", tmp_path / "own.db", *options, "--json").json
        return [(Path(one["source"]).name, one["error"]["code"]) for one in done["rejected"]]

    assert rejected() == []
    assert rejected("--strict") == [("x-other.jpg", "conflict")]
    assert rejected("--max-templates", "1") == [("x-other.jpg", "enough")]
    everything = [(name, "low_quality") for name in ("collins.jpg", "hopper.jpg", "x-other.jpg")]
    assert rejected("--min-quality", "1") == everything
    assert rejected("--min-quality", "0") == []
