from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest


def people(done) -> list[list[str | None]]:
    return [[face["person"] for face in image["faces"]] for image in done.json["images"]]


def test_who_is_in_a_picture_never_enrolled(run_cli: Callable, examples: Path, staff: tuple[str, str]) -> None:
    done = run_cli("identify", examples / "collins_variant.jpg", *staff, "--threshold", "0.4", "--top", "5", "--json")
    assert done.returncode == 0
    answer = done.json
    assert (answer["threshold"], answer["threshold_source"], answer["fpir"]) == (0.4, "given by the user", None)
    (face,) = answer["images"][0]["faces"]
    assert (face["person"], face["outcome"]) == ("Eileen", "known")
    first, second = face["candidates"]
    assert (first["person"], second["person"]) == ("Eileen", "Grace")
    assert face["margin"] == pytest.approx(second["distance"] - first["distance"], abs=1e-5)
    verified = run_cli("verify", examples / "collins.jpg", examples / "collins_variant.jpg", "--json").json
    assert first["distance"] == pytest.approx(verified["distance"], abs=1e-4)


def test_search_by_faiss(run_cli: Callable, examples: Path, staff: tuple[str, str]) -> None:
    pytest.importorskip("faiss")
    options = (*staff, "--threshold", "0.4", "--search", "faiss", "--json")
    assert people(run_cli("identify", examples / "collins_variant.jpg", *options)) == [["Eileen"]]


def test_strangers_are_nobody_and_tell_the_exit_code(
    run_cli: Callable, examples: Path, staff: tuple[str, str], tmp_path: Path
) -> None:
    hopper, options = examples / "hopper.jpg", (*staff, "--threshold", "0.4", "--json")
    alone = run_cli("identify", hopper, *options, "--people", "eileen", "--exit-code")
    assert (alone.returncode, people(alone)) == (3, [[None]])
    assert alone.json["images"][0]["faces"][0]["outcome"] == "unknown"
    assert run_cli("identify", hopper, *options, "--exit-code").returncode == 0
    failed = run_cli("identify", hopper, tmp_path / "missing.jpg", *options, "--exit-code")
    assert (failed.returncode, people(failed)) == (1, [["Grace"], []])
    unknown = run_cli("identify", hopper, *options, "--people", "Grase")
    assert (unknown.returncode, "is it 'Grace'" in unknown.errors[0]) == (2, True)
    assert run_cli("gallery", "rename", "Grace", "Hopper, Grace", *staff).returncode == 0
    for wanted in (["--people", "hopper, grace"], ["--people", "Eileen", "--people", "Hopper, Grace"]):
        assert people(run_cli("identify", hopper, *options, *wanted)) == [["Hopper, Grace"]]


def test_nobody_is_twice_in_a_picture(
    run_cli: Callable, group_picture: Path, staff: tuple[str, str], tmp_path: Path
) -> None:
    drawn = tmp_path / "drawn.png"
    done = run_cli("identify", group_picture, *staff, "--threshold", "0.4", "--annotate", drawn, "--json")
    faces = done.json["images"][0]["faces"]
    named = [face["person"] for face in faces if face["person"]]
    assert sorted(named) == ["Eileen", "Grace"]
    assert sorted(face["outcome"] for face in faces) == ["known"] * 2 + ["taken"] * 4
    before, after = (np.asarray(cv2.imread(str(path))) for path in (group_picture, drawn))
    assert before.shape == after.shape
    assert (before != after).any()


def test_small_gallery_says_what_to_do_and_never_takes_the_threshold_of_verify(
    run_cli: Callable, examples: Path, tmp_path: Path, staff: tuple[str, str]
) -> None:
    refused = run_cli("identify", examples / "hopper.jpg", *staff, "--fpir", "1e-9")
    assert refused.returncode == 2
    assert "too small to calibrate" in refused.errors[0]
    assert all(words in refused.errors[0] for words in ("--threshold", "--fpir", "facecli calibrate"))
    own = ("--gallery", tmp_path / "dlib.db", "--json")
    enroll = ("enroll", examples / "hopper.jpg", "--name", "Grace", "--recognizer", "dlib-resnet")
    assert run_cli(*enroll, *own).returncode == 0
    missing = run_cli("identify", examples / "hopper.jpg", "--gallery", tmp_path / "none.db")
    assert (missing.returncode, "facecli enroll" in missing.errors[0]) == (1, True)


def test_rows_of_a_csv(run_cli: Callable, examples: Path, staff: tuple[str, str]) -> None:
    inputs = (examples / "hopper.jpg", examples / "CREDITS.md")
    done = run_cli("identify", *inputs, *staff, "--threshold", "0.4", "--format", "csv")
    found, failed = csv.DictReader(io.StringIO(done.stdout.decode()))
    assert (found["person"], found["outcome"], found["candidate"]) == ("Grace", "known", "Grace")
    assert float(found["distance"]) < 1e-6
    assert (failed["person"], failed["error"]) == ("", "decode")
