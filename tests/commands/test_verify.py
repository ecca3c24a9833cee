from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest


def test_the_same_person_twice(run_cli: Callable, examples: Path) -> None:
    done = run_cli("verify", examples / "collins.jpg", examples / "collins_variant.jpg", "--json")
    assert done.returncode == 0
    assert done.errors == []
    answer = done.json
    assert answer["schema"] == "facecli.verify/1"
    assert answer["verified"] is True
    assert 0 < answer["distance"] < 0.4 < answer["threshold"]
    assert answer["metric"] == "euclidean"
    assert answer["recognizer"]["models"][0]["provider"] == "CPUExecutionProvider"
    assert len(answer["recognizer"]["models"][0]["files"][0]["sha256"]) == 64
    assert [image["faces_found"] for image in answer["images"]] == [1, 1]
    assert len(answer["images"][0]["face"]["landmarks"]) == 5
    assert {"read", "decode", "detect", "crop", "embed", "total"} <= set(answer["seconds"])


def test_two_people(run_cli: Callable, examples: Path) -> None:
    pair = (examples / "collins.jpg", examples / "hopper.jpg")
    assert run_cli("verify", *pair, "--json").json["verified"] is False
    assert run_cli("verify", *pair).returncode == 0
    assert run_cli("verify", *pair, "--exit-code").returncode == 3
    assert run_cli("verify", pair[0], pair[0], "--exit-code").returncode == 0


def test_the_order_of_the_pictures_does_not_matter(run_cli: Callable, examples: Path) -> None:
    a, b = examples / "collins.jpg", examples / "hopper.jpg"
    there, back = (run_cli("verify", *pair, "--json").json for pair in ((a, b), (b, a)))
    assert there["distance"] == pytest.approx(back["distance"], abs=1e-5)


def test_the_threshold_is_the_users_to_set(run_cli: Callable, examples: Path) -> None:
    pair = (examples / "collins.jpg", examples / "hopper.jpg")
    loose = run_cli("verify", *pair, "--threshold", "2", "--json").json
    assert (loose["verified"], loose["threshold"], loose["threshold_source"]) == (True, 2, "given by the user")
    assert run_cli("verify", *pair, "--threshold", "0", "--json").json["verified"] is False
    assert run_cli("verify", *pair, "--threshold", "nan").returncode == 2
    assert run_cli("verify", *pair, "--threshold", "1", "--fmr", "0.01").returncode == 2
    measured = run_cli("verify", *pair, "--fmr", "0.001", "--json").json
    assert measured["fmr"] == 0.001
    assert measured["threshold"] < 0.6
    refused = run_cli("verify", *pair, "--fmr", "0.123")
    assert refused.returncode == 2
    assert "measured:" in refused.errors[0]


def test_every_metric_says_the_same_of_a_clear_pair(run_cli: Callable, examples: Path) -> None:
    pair = (examples / "collins.jpg", examples / "collins_variant.jpg")
    for metric in ("cosine", "euclidean", "euclidean_l2", "angular"):
        answer = run_cli("verify", *pair, "--metric", metric, "--json").json
        assert (answer["metric"], answer["verified"]) == (metric, True)


def test_which_face_of_a_group(run_cli: Callable, examples: Path, group_picture: Path) -> None:
    hopper = examples / "hopper.jpg"
    closest = run_cli("verify", hopper, group_picture, "--face", "all", "--json").json
    assert closest["verified"] is True
    assert closest["images"][1]["faces_found"] == 6
    ambiguous = run_cli("verify", hopper, group_picture, "--face", "only", "--json")
    assert ambiguous.returncode == 1
    assert ambiguous.json["error"]["code"] == "ambiguous_face"
    assert run_cli("verify", hopper, group_picture, "--face", "9").returncode == 1
    assert run_cli("verify", hopper, group_picture, "--face", "prettiest").returncode == 2


def test_no_face_is_an_error_and_never_a_guess(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full((200, 200, 3), 90, np.uint8))
    done = run_cli("verify", examples / "hopper.jpg", blank, "--json")
    assert done.returncode == 1
    assert done.json["error"]["code"] == "no_face"
    assert str(blank) in done.errors[0]
    both = run_cli("verify", blank, tmp_path / "missing.jpg")
    assert both.returncode == 1
    assert len(both.errors) == 2
    whole = run_cli("verify", examples / "hopper.jpg", blank, "--no-detect", "--json").json
    assert [image["detected"] for image in whole["images"]] == [False, False]
    assert whole["detector"] is None


def test_the_plot_shows_both_pictures(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    for name, other in (("same", "collins_variant.jpg"), ("other", "hopper.jpg")):
        out = tmp_path / f"{name}.png"
        run_cli("verify", examples / "collins.jpg", examples / other, "--plot", out)
        picture = cv2.cvtColor(cv2.imread(str(out)), cv2.COLOR_BGR2RGB)
        assert picture.shape[0] > 480
        words = picture[:45].reshape(-1, 3).astype(int)
        dark = words[words.sum(1) < 500]
        assert (dark[:, 1] > dark[:, 0]).mean() > 0.9 if name == "same" else (dark[:, 0] > dark[:, 1]).mean() > 0.9


def test_a_plot_that_can_not_be_is_refused_before_the_work(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    pair = (examples / "collins.jpg", examples / "hopper.jpg")
    done = run_cli("verify", *pair, "--plot", tmp_path / "x.gif")
    assert done.returncode == 2
    assert done.stdout == b""
    assert run_cli("verify", *pair, "--plot", "/proc/x.png").returncode == 1


def test_a_picture_on_stdin(run_cli: Callable, examples: Path, collins: bytes) -> None:
    answer = run_cli("verify", "-", examples / "collins_variant.jpg", "--json", input=collins).json
    assert answer["verified"] is True
    assert answer["images"][0]["source"] == "-"
    assert run_cli("verify", "-", "-", input=collins).returncode == 2


def test_detector_without_landmarks_is_refused_for_an_aligning_recognizer(run_cli: Callable, examples: Path) -> None:
    done = run_cli("verify", examples / "collins.jpg", examples / "hopper.jpg", "--detector", "haar")
    assert done.returncode == 2
    assert "landmarks" in done.errors[0]


def test_cuda_is_a_demand(run_cli: Callable, examples: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this is the GPU wheel")
    done = run_cli("verify", examples / "collins.jpg", examples / "hopper.jpg", "--device", "cuda", "--json")
    assert done.returncode == 4
    assert done.json["error"]["code"] == "device"
    assert "no CUDA provider" in done.errors[0]


def test_mobilefacenet_through_the_mirror(run_cli: Callable, examples: Path, shared: Path) -> None:
    env = {"FACECLI_MODELS_MIRROR": str(shared / "models")}
    args = ("--recognizer", "mobilefacenet", "--json")
    same = run_cli("verify", examples / "collins.jpg", examples / "collins_variant.jpg", *args, env=env).json
    other = run_cli("verify", examples / "collins.jpg", examples / "hopper.jpg", *args, env=env).json
    assert (same["verified"], other["verified"]) == (True, False)


def test_a_model_that_is_not_there_is_exit_4(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    env = {"FACECLI_HOME": str(tmp_path)}
    pair = (examples / "collins.jpg", examples / "hopper.jpg")
    done = run_cli("--offline", "verify", *pair, "--recognizer", "mobilefacenet", "--json", env=env)
    assert done.returncode == 4
    assert done.json["error"]["code"] == "model"
    assert len(done.errors) == 1
