from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


def names(run_cli: Callable, staff: tuple[str, str]) -> list[str]:
    return [person["person"] for person in run_cli("gallery", "list", *staff, "--json").json["people"]]


def test_list_and_show(run_cli: Callable, examples: Path, staff: tuple[str, str]) -> None:
    assert names(run_cli, staff) == ["Eileen", "Grace"]
    shown = run_cli("gallery", "show", "grace", *staff, "--json").json
    assert (shown["person"], shown["pictures"], shown["templates"]) == ("Grace", 1, 1)
    (face,) = shown["faces"]
    assert face["source"] == str(examples / "hopper.jpg")
    assert face["bbox"] == pytest.approx([153.39, 105.36, 302.67, 283.8], abs=0.1)
    missing = run_cli("gallery", "show", "Eilen", *staff)
    assert (missing.returncode, "is it 'Eileen'" in missing.errors[0]) == (2, True)


def test_rename(run_cli: Callable, staff: tuple[str, str]) -> None:
    assert run_cli("gallery", "rename", "Grace", "Grace Hopper", "--dry-run", *staff).returncode == 0
    assert names(run_cli, staff) == ["Eileen", "Grace"]
    done = run_cli("gallery", "rename", "Grace", "Grace Hopper", *staff, "--json").json
    assert (done["change"], done["people"]) == ("rename", ["Grace", "Grace Hopper"])
    taken = run_cli("gallery", "rename", "Eileen", "GRACE hopper", *staff)
    assert (taken.returncode, "somebody else is called Grace Hopper" in taken.errors[0]) == (2, True)
    assert names(run_cli, staff) == ["Eileen", "Grace Hopper"]


def test_names_that_are_no_line_are_refused(
    run_cli: Callable, examples: Path, staff: tuple[str, str], tmp_path: Path
) -> None:
    hopper, name = examples / "hopper.jpg", "Ada\nLovelace"
    for line in (
        ("gallery", "rename", "Grace", name),
        ("enroll", hopper, "--name", name),
        ("gallery", "move", "1", name),
    ):
        done = run_cli(*line, *staff)
        assert (done.returncode, len(done.errors)) == (2, 1)
        assert "one line of visible characters" in done.errors[0] and "leave it out" in done.errors[0]
    folder = tmp_path / "people" / name
    folder.mkdir(parents=True)
    shutil.copy(hopper, folder)
    done = run_cli("enroll", tmp_path / "people", *staff, "--json")
    (rejected,) = done.json["rejected"]
    assert (done.returncode, rejected["person"], rejected["error"]["code"]) == (1, None, "usage")
    assert run_cli("gallery", "export", tmp_path / "x.npz", *staff).returncode == 0
    with np.load(tmp_path / "x.npz") as file:
        arrays = dict(file) | {"person": np.array(["Eileen", name])}
    np.savez(tmp_path / "y.npz", **arrays)
    done = run_cli("gallery", "import", tmp_path / "y.npz", "--gallery", tmp_path / "other.db", "--json")
    assert (done.returncode, done.json["added"], len(done.json["rejected"])) == (1, 1, 1)
    assert names(run_cli, staff) == ["Eileen", "Grace"]


def test_remove(run_cli: Callable, staff: tuple[str, str], tmp_path: Path) -> None:
    unknown = run_cli("gallery", "remove", "Grase", "Eileen", "Joan", "--yes", *staff)
    assert unknown.returncode == 2
    assert "is called 'Grase' or 'Joan'" in unknown.errors[0] and "is it 'Grace'" in unknown.errors[0]
    asked = run_cli("gallery", "remove", "Grace", *staff)
    assert (asked.returncode, "give --yes, or --dry-run" in asked.errors[0]) == (2, True)
    dry = run_cli("gallery", "remove", "Grace", "--dry-run", *staff, "--json").json
    assert (dry["faces"], dry["pictures"], dry["checked"]) == (1, 1, None)
    assert names(run_cli, staff) == ["Eileen", "Grace"]
    receipt = tmp_path / "receipt.json"
    done = run_cli("gallery", "remove", "grace", "GRACE", "--yes", "--receipt", receipt, *staff, "--json").json
    assert json.loads(receipt.read_text()) == done
    assert (done["faces"], done["checked"]["found"]) == (1, 0)
    assert "Grace" not in receipt.read_text()
    assert names(run_cli, staff) == ["Eileen"]
    for path in tmp_path.glob("staff.db*"):
        assert b"Grace" not in path.read_bytes()


def test_changes_by_hand_and_back(run_cli: Callable, examples: Path, staff: tuple[str, str]) -> None:
    def change(*args: str) -> str:
        done = run_cli("gallery", *args, *staff, "--json")
        assert done.returncode == 0, done.stderr
        return done.json["text"]

    assert change("merge", "Grace", "Eileen") == "Grace is Eileen: 1 faces"
    assert names(run_cli, staff) == ["Eileen"]
    assert "took back: merge" in change("undo")
    assert change("move", "2", "Grace Hopper") == "face 2 is of Grace Hopper"
    assert change("reject", "2", "grace hopper") == "face 2 is not of Grace Hopper"
    again = run_cli("enroll", examples / "hopper.jpg", "--name", "Grace Hopper", *staff, "--json")
    assert (again.returncode, again.json["added"], again.json["rejected"]) == (0, 0, [])  # it is remembered
    assert again.json["not_this_person"] == [{"source": str(examples / "hopper.jpg"), "person": "Grace Hopper"}]
    assert again.json["people"][0]["not_this_person"] == 1
    (line,) = run_cli("enroll", examples / "hopper.jpg", "--name", "grace hopper", *staff, "--format", "jsonl").jsonl
    assert (line["status"], line["face"], line["error"]) == ("not_this_person", None, None)
    other = run_cli("enroll", examples / "hopper.jpg", "--name", "Grace", *staff, "--json")
    assert (other.returncode, other.json["added"], other.json["rejected"]) == (0, 1, [])  # nothing was said of Grace
    assert change("undo") == "took back: enroll (face 2, which was nobody's, is Grace's)"
    assert change("ignore", "2") == "face 2 is ignored, as 'face 2'"  # it is nobody's
    found = run_cli("identify", examples / "hopper.jpg", "--threshold", "0.4", *staff, "--json").json
    assert found["images"][0]["faces"][0]["outcome"] == "ignored"
    album = run_cli("cluster", *staff, "--min-faces", "1", "--json").json
    assert [face["gallery_face"] for face in album["ignored"]] == [2]
    assert "took back: ignore" in change("undo")
    assert names(run_cli, staff) == ["Eileen", "Grace", "Grace Hopper"]
    for who, message in (
        ("1", "face 1 is Eileen's"),
        ("9" * 30, "there is no face"),
        ("Grase", "is it 'Grace'"),
    ):
        refused = run_cli("gallery", "ignore", who, *staff)
        assert (refused.returncode, message in refused.errors[0]) == (2, True)
    change("ignore", "Eileen")
    found = run_cli("identify", examples / "collins_variant.jpg", "--threshold", "0.4", *staff, "--json").json
    (face,) = found["images"][0]["faces"]
    assert (face["person"], face["outcome"], face["candidates"][0]["person"]) == (None, "ignored", "Eileen")


def test_care(run_cli: Callable, staff: tuple[str, str], tmp_path: Path) -> None:
    assert run_cli("gallery", "verify", *staff, "--json").json["sound"] is True
    assert run_cli("gallery", "backup", tmp_path / "copy.db", *staff).returncode == 0
    again = run_cli("gallery", "backup", tmp_path / "copy.db", *staff)
    assert (again.returncode, "write over" in again.errors[0]) == (2, True)
    assert run_cli("gallery", "backup", tmp_path / "staff.db", "--yes", *staff).returncode == 2
    assert names(run_cli, ("--gallery", str(tmp_path / "copy.db"))) == ["Eileen", "Grace"]
    small = run_cli("gallery", "calibrate", *staff)
    assert (small.returncode, "too small to calibrate" in small.errors[0]) == (2, True)
    alike = run_cli("gallery", "lookalikes", *staff, "--json").json
    assert [(pair["first"], pair["second"], pair["within"]) for pair in alike["pairs"]] == [("Eileen", "Grace", False)]
    assert 0 < alike["threshold"] < alike["pairs"][0]["distance"]
    assert alike["margin"] == pytest.approx(0.05 * alike["threshold"], abs=1e-5)
    assert "FMR" in alike["threshold_source"]
    with (tmp_path / "copy.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)
    damaged = run_cli("gallery", "verify", "--gallery", tmp_path / "copy.db")
    assert damaged.returncode == 1


def test_migrate(run_cli: Callable, examples: Path, staff: tuple[str, str], tmp_path: Path) -> None:
    migrate = ("gallery", "migrate", "--recognizer", "dlib-resnet", *staff)
    dry = run_cli(*migrate, "--dry-run", "--json")
    answer = dry.json
    assert (dry.returncode, answer["faces"], answer["crops"], answer["failed"], answer["switched"]) == (
        0,
        2,
        0,
        [],
        False,
    )
    assert (answer["dry_run"], answer["gallery"]["path"]) == (True, str(tmp_path / "staff.db"))
    (tmp_path / "moved").mkdir()
    shutil.copy(examples / "hopper.jpg", tmp_path / "moved" / "other.jpg")
    moved = run_cli(*migrate, "--dry-run", "--pictures", tmp_path / "moved", "--json")
    assert (moved.returncode, moved.json["faces"]) == (1, 1)
    assert [one["source"] for one in moved.json["failed"]] == [str(examples / "collins.jpg")]
    assert run_cli("gallery", "show", "Grace", *staff, "--json").json["gallery"]["recognizer"] == "sface"
    done = run_cli("gallery", "migrate", "--recognizer", "dlib-resnet", *staff, "--json")
    assert done.returncode == 0, done.stderr
    answer = done.json
    assert (answer["pictures"], answer["faces"], answer["failed"], answer["switched"]) == (2, 2, [], True)
    assert answer["gallery"]["recognizer"] == "dlib-resnet"
    found = run_cli("identify", examples / "hopper.jpg", "--threshold", "0.01", *staff, "--json").json
    assert found["recognizer"]["plugin"] == "dlib-resnet"
    assert found["images"][0]["faces"][0]["person"] == "Grace"
    assert run_cli("gallery", "migrate", *staff).returncode == 2  # to what it is already


def test_export_and_import(run_cli: Callable, staff: tuple[str, str], tmp_path: Path) -> None:
    file, other = tmp_path / "people.npz", ("--gallery", str(tmp_path / "other.db"))
    assert run_cli("gallery", "export", tmp_path / "people.zip", *staff).returncode == 2
    assert run_cli("gallery", "export", file, *staff, "--json").json["faces"] == 2
    assert run_cli("gallery", "export", file, *staff).returncode == 2  # it is there
    dry = run_cli("gallery", "import", file, *other, "--dry-run", "--json").json
    assert (dry["added"], dry["dry_run"], (tmp_path / "other.db").exists()) == (2, True, False)
    assert run_cli("gallery", "import", file, *other, "--json").json["added"] == 2
    assert run_cli("gallery", "import", file, *other, "--json").json["known"] == 2
    assert names(run_cli, other) == ["Eileen", "Grace"]
    assert run_cli("gallery", "import", tmp_path / "staff.db", *other).returncode == 1


def test_crops_leave_and_come_back_as_a_zip(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    first, other = (("--gallery", str(tmp_path / name)) for name in ("first.db", "other.db"))
    picture = examples / "collins.jpg"
    assert run_cli("enroll", picture, "--name", "Eileen", "--crops", *first).returncode == 0
    assert run_cli("gallery", "export", tmp_path / "x.zip", *first).returncode == 0
    assert run_cli("gallery", "import", tmp_path / "x.zip", *other, "--json").json["added"] == 1
    migrated = run_cli("gallery", "migrate", "--from-crops", "--recognizer", "dlib-resnet", *other, "--json").json
    assert (migrated["faces"], migrated["switched"]) == (1, True)
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    enrolled = run_cli("enroll", tmp_path / "unpacked" / "people", "--gallery", tmp_path / "new.db", "--json").json
    assert (enrolled["added"], [one["person"] for one in enrolled["people"]]) == (1, ["Eileen"])


def test_list_is_sorted(run_cli: Callable, examples: Path, staff: tuple[str, str]) -> None:
    assert run_cli("enroll", examples / "collins_variant.jpg", "--name", "Zoe", *staff).returncode == 0
    assert run_cli("gallery", "move", "2", "Zoe", *staff).returncode == 0  # Grace's only face

    def sorted_by(order: str) -> list[str]:
        listed = run_cli("gallery", "list", "--sort", order, *staff, "--json").json["people"]
        return [person["person"] for person in listed]

    assert sorted_by("name") == ["Eileen", "Grace", "Zoe"]
    assert sorted_by("templates") == sorted_by("pictures") == ["Zoe", "Eileen", "Grace"]
    assert sorted_by("created") == ["Zoe", "Grace", "Eileen"]


def test_remove_a_picture(run_cli: Callable, staff: tuple[str, str]) -> None:
    (face,) = run_cli("gallery", "show", "Grace", *staff, "--json").json["faces"]
    assert run_cli("gallery", "remove", *staff, "--yes").returncode == 2
    dry = run_cli("gallery", "remove", "--picture", face["sha256"][:8], "--dry-run", *staff, "--json").json
    assert (dry["people"], dry["pictures"], dry["checked"]) == ([], 1, None)
    done = run_cli("gallery", "remove", "--picture", face["sha256"], "--yes", *staff, "--json").json
    assert (done["people"], done["faces"], done["checked"]["found"]) == ([], 1, 0)
    assert run_cli("gallery", "show", "Grace", *staff, "--json").json["faces"] == []


def test_migrate_from_crops(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    staff, people = ("--gallery", str(tmp_path / "staff.db")), tmp_path / "people"
    people.mkdir()
    for name, options in (("collins", ["--crops"]), ("hopper", [])):
        shutil.copy(examples / f"{name}.jpg", people)
        assert run_cli("enroll", people / f"{name}.jpg", "--name", name, *options, *staff).returncode == 0
    shutil.rmtree(people)  # the pictures are gone
    migrate = ("gallery", "migrate", "--recognizer", "dlib-resnet", *staff)
    assert run_cli(*migrate, "--from-crops", "--pictures", tmp_path).returncode == 2
    answer = run_cli(*migrate, "--from-crops", "--json").json
    assert (answer["faces"], answer["switched"]) == (1, False)
    assert [("no crop of face 2" in one["error"]["message"]) for one in answer["failed"]] == [True]
    assert run_cli(*migrate, "--from-crops", "--partial", "--json").json["switched"] is True
    found = run_cli("identify", examples / "collins.jpg", "--threshold", "0.05", *staff, "--json").json
    (face,) = found["images"][0]["faces"]
    assert face["person"] == "collins"  # from its crop it is embedded nearly as from its picture
    removed = run_cli("gallery", "remove", "collins", "--yes", *staff, "--json").json
    assert removed["checked"]["pieces"] >= 6  # three of the crop, too
