from __future__ import annotations

import csv
import io
import re
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
    assert answer["schema"] == "facecli.verify/2"
    assert answer["verified"] is True
    assert 0 < answer["distance"] < 0.2 < answer["threshold"]
    assert answer["metric"] == "cosine"
    assert (answer["detector"]["plugin"], answer["recognizer"]["plugin"]) == ("yunet", "sface")
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
    dlib = ("--recognizer", "dlib-resnet")
    measured = run_cli("verify", *pair, *dlib, "--fmr", "0.001", "--json").json
    assert measured["fmr"] == 0.001
    assert measured["threshold"] < 0.6
    refused = run_cli("verify", *pair, *dlib, "--fmr", "0.123")
    assert refused.returncode == 2
    assert "measured:" in refused.errors[0]


@pytest.mark.parametrize(
    ("metric", "threshold", "slip"),
    [
        (
            "cosine",
            "40",
            "no cosine distance is more than 2, 40 is: is it a similarity in percent, or of another metric?",
        ),
        ("euclidean_l2", "2.1", "no euclidean_l2 distance is more than 2, 2.1 is: is it of the metric euclidean?"),
        ("angular", "60", "no angular distance is more than 1, 60 is: is it in degrees?"),
    ],
)
def test_a_threshold_that_no_distance_reaches_is_an_error(run_cli, examples, metric, threshold, slip) -> None:
    pair = (examples / "collins.jpg", examples / "collins_variant.jpg")
    done = run_cli("verify", *pair, "--metric", metric, "--threshold", threshold)
    assert (done.returncode, len(done.errors)) == (2, 1)
    assert f"--threshold: {slip}" in done.errors[0]
    assert run_cli("verify", *pair, "--recognizer", "dlib-resnet", "--threshold", "40").returncode == 0  # euclidean


def test_every_metric_says_the_same_of_a_clear_pair(run_cli: Callable, examples: Path) -> None:
    pair = (examples / "collins.jpg", examples / "collins_variant.jpg")
    for metric in ("cosine", "euclidean", "euclidean_l2", "angular"):
        answer = run_cli("verify", *pair, "--recognizer", "dlib-resnet", "--metric", metric, "--json").json
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


def test_a_detector_without_landmarks_leaves_the_alignment_to_the_boxes(
    run_cli: Callable, examples: Path, tmp_path: Path
) -> None:
    collins, variant, hopper = (examples / f"{name}.jpg" for name in ("collins", "collins_variant", "hopper"))
    done = run_cli("verify", collins, variant, "--detector", "haar", "--json")
    assert done.returncode == 0
    assert done.json["verified"] is True
    assert done.errors == [
        "facecli: haar gives no landmarks: faces for sface are aligned by their boxes, for which the stated accuracy "
        "does not hold"
    ]
    assert done.json["recognizer"]["crop"]["aligned_by"] == "bbox"
    assert (done.json["fmr"], done.json["fmr_worst_group"]) == (None, None)
    assert done.json["threshold_source"].endswith("; stated for default parameters and crop")
    other = run_cli("verify", collins, hopper, "--detector", "haar", "-q", "--json")
    assert (other.json["verified"], other.errors) == (False, [])
    assert "crop" not in run_cli("verify", collins, hopper, "--json").json["recognizer"]
    refused = run_cli("verify", collins, hopper, "--detector", "haar", "--fmr", "0.01")
    assert refused.returncode == 2
    assert "were measured with its default parameters and crop" in refused.errors[-1]
    analysed = run_cli("analyze", collins, "-a", "age", "--detector", "haar", "--json")
    assert analysed.returncode == 0
    assert "faces for age/facecli-resnet are aligned by their boxes" in analysed.errors[0]


def test_cuda_is_a_demand(run_cli: Callable, examples: Path) -> None:
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this is the GPU wheel")
    done = run_cli("verify", examples / "collins.jpg", examples / "hopper.jpg", "--device", "cuda", "--json")
    assert done.returncode == 4
    assert done.json["error"]["code"] == "device"
    assert "no CUDAExecutionProvider" in done.errors[0]


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


def test_a_plot_overwrites_no_input_and_its_folder_is_looked_for_first(
    run_cli: Callable, examples: Path, tmp_path: Path, collins: bytes
) -> None:
    mine = tmp_path / "b.jpg"
    mine.write_bytes(collins)
    refused = run_cli("verify", examples / "hopper.jpg", mine, "--plot", mine)
    assert refused.returncode == 2
    assert "would overwrite the input" in refused.errors[0]
    assert mine.read_bytes() == collins
    lost = run_cli("verify", "missing.jpg", mine, "--plot", tmp_path / "typo" / "x.png")
    assert (lost.returncode, len(lost.errors)) == (1, 1)
    assert "there is no folder" in lost.errors[0]
    assert not (tmp_path / "typo").exists()


@pytest.mark.parametrize("options", [(), ("--no-detect",)])
def test_a_row_says_whether_faces_were_looked_for(run_cli: Callable, examples: Path, options: tuple[str, ...]) -> None:
    pair = (examples / "collins.jpg", examples / "hopper.jpg")
    done = run_cli("verify", *pair, *options, "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(done.stdout.decode()))
    assert list(row) == ["a", "b", "verified", "metric", "distance", "threshold", "detected"]
    assert row["detected"] == str(not options)


def test_a_table_is_a_sentence(run_cli: Callable, examples: Path) -> None:
    """With as many decimals as it takes to tell the two numbers apart."""
    pair = (examples / "collins.jpg", examples / "hopper.jpg")
    same = run_cli("verify", pair[0], examples / "collins_variant.jpg", "--format", "table")
    assert same.stdout.startswith(b"same person: distance 0.0")
    distance = run_cli("verify", *pair, "--json").json["distance"]
    near = round(distance - 0.0002, 4)
    other = run_cli("verify", *pair, "--format", "table", "--threshold", str(near)).stdout.decode()
    assert other.startswith(f"different people: distance {distance:.3f}"[:-1])
    first, second = re.findall(r"\d\.\d+", other)
    assert float(first) > float(second)
    assert other.endswith(" (cosine)\n")


# One picture against many


def test_one_picture_is_compared_with_each_of_many(run_cli: Callable, examples: Path) -> None:
    names = ("collins.jpg", "collins_variant.jpg", "CREDITS.md", "hopper.jpg")
    done = run_cli("verify", *names, "--exit-code", "--json", cwd=examples)
    assert (done.returncode, len(done.errors)) == (1, 1)
    document = done.json
    assert document["image"]["source"] == "collins.jpg"
    found = {one["source"]: one for one in document["comparisons"]}
    assert list(found) == list(names[1:])
    assert [one["verified"] for one in found.values()] == [True, None, False]
    assert found["CREDITS.md"]["error"]["code"] == "decode"
    pair = run_cli("verify", "collins.jpg", "hopper.jpg", "--json", cwd=examples).json
    assert found["hopper.jpg"]["distance"] == pytest.approx(pair["distance"], abs=1e-5)
    assert (document["threshold"], document["metric"]) == (pair["threshold"], pair["metric"])
    assert found["hopper.jpg"]["face"] == pair["images"][1]["face"]
    assert document["recognizer"] == pair["recognizer"]


def test_a_folder_is_compared_picture_by_picture(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    people = tmp_path / "people"
    people.mkdir()
    for name in ("collins.jpg", "hopper.jpg"):
        (people / name).write_bytes((examples / name).read_bytes())
    cv2.imwrite(str(people / "wall.png"), np.full((200, 200, 3), 90, np.uint8))
    done = run_cli("verify", examples / "hopper.jpg", people, "--format", "csv")
    assert done.returncode == 0
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert [Path(row["b"]).name for row in rows] == ["collins.jpg", "hopper.jpg", "wall.png"]
    assert [row["verified"] for row in rows] == ["False", "True", ""]  # no face is no failure
    assert [row["error"] for row in rows] == ["", "", ""]


def test_among_many_3_means_that_nobody_is_the_person(run_cli: Callable, examples: Path) -> None:
    names = [examples / f"{name}.jpg" for name in ("hopper", "collins", "collins_variant", "hopper")]
    assert run_cli("verify", *names[:3], "--exit-code").returncode == 3
    assert run_cli("verify", *names[:3]).returncode == 0
    assert run_cli("verify", *names, "--exit-code").returncode == 0


def test_what_can_not_be_among_many_is_told_before_the_work(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    names = [examples / f"{name}.jpg" for name in ("hopper", "collins", "collins_variant")]
    assert run_cli("verify", *names, "--plot", tmp_path / "x.png").returncode == 2
    assert run_cli("verify", "-", names[0], "-", input=b"").returncode == 2
    assert run_cli("verify", names[0]).returncode == 2
    lost = run_cli("verify", "missing.jpg", *names, "--json")
    assert (lost.returncode, lost.json["error"]["code"]) == (1, "input")
    assert lost.json["schema"] == "facecli.error/1"


# What detect writes: tests/commands/test_detect.py has the good cases.


@pytest.fixture
def pictures(tmp_path: Path, collins: bytes, examples: Path) -> Path:
    folder = tmp_path / "pics"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(collins)
    cv2.imwrite(str(folder / "a.bmp"), cv2.imread(str(examples / "hopper.jpg")))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_an_annotated_copy_never_replaces_its_original(run_cli: Callable, pictures: Path) -> None:
    before = contents(pictures)
    one = run_cli("detect", pictures / "a.jpg", "--annotate", pictures / "a.jpg")
    assert one.returncode == 2
    assert "would overwrite the input" in one.errors[0]
    here = run_cli("detect", "a.jpg", "--annotate", ".", "--json", cwd=pictures)
    assert (here.returncode, here.json["images"][0]["error"]["code"]) == (1, "output")
    assert "would overwrite its own input" in here.errors[0]
    assert contents(pictures) == before


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_annotated_copies_in_their_originals_folder(run_cli: Callable, pictures: Path, jobs: str) -> None:
    before = contents(pictures)
    done = run_cli("detect", pictures, "--annotate", pictures, "--jobs", jobs, "--json")
    bitmap, portrait = done.json["images"]  # a.bmp would become a.jpg, which is an input too
    assert done.returncode == 1
    assert "would overwrite the input" in bitmap["error"]["message"]
    assert portrait["written"] == [str(pictures / "a-2.jpg")]
    assert contents(pictures).items() >= before.items()
    assert run_cli("detect", pictures, "--crops", pictures).returncode == 2


def test_an_output_folder_is_made_one_level_deep_and_not_called_like_a_picture(
    run_cli: Callable, pictures: Path, tmp_path: Path
) -> None:
    for option in ("--crops", "--annotate"):
        lost = run_cli("detect", pictures, option, tmp_path / "typo" / "out", "--json")
        assert lost.returncode == 1
        assert "there is no folder" in lost.errors[0]
    several = run_cli("detect", pictures / "a.jpg", pictures / "a.bmp", "--annotate", tmp_path / "x.png")
    assert several.returncode == 2
    assert "name a folder" in several.errors[0]
    assert {path.name for path in tmp_path.iterdir()} == {"pics"}


def test_whole_pictures_that_are_taken_as_faces_are_told(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    portrait = cv2.imread(str(examples / "hopper.jpg"))
    height, width = portrait.shape[:2]
    pictures = {
        "turned.png": cv2.rotate(portrait, cv2.ROTATE_90_CLOCKWISE),
        "white.png": np.full((112, 112, 3), 255, np.uint8),
        "crop.png": cv2.resize(portrait[90:300, 150:360], (112, 112)),
    }
    for name, pixels in pictures.items():
        cv2.imwrite(str(tmp_path / name), pixels)
    done = run_cli("verify", "turned.png", "white.png", "--no-detect", "--json", cwd=tmp_path)
    assert done.returncode == 0
    assert done.errors == [
        f"facecli: turned.png has {height}x{width} pixels, white.png is nearly white: --no-detect takes each whole "
        "picture as a face, and nothing was looked for; the answer means nothing unless it is an upright one"
    ]
    assert run_cli("verify", "turned.png", "white.png", "--no-detect", "-q", cwd=tmp_path).errors == []
    assert run_cli("verify", "crop.png", "crop.png", "--no-detect", cwd=tmp_path).errors == []
    many = run_cli("verify", "crop.png", "crop.png", "white.png", "turned.png", "--no-detect", cwd=tmp_path)
    embedded = run_cli("embed", "crop.png", "white.png", "turned.png", "--no-detect", cwd=tmp_path)
    for one in (many, embedded):
        assert len(one.errors) == 1
        assert one.errors[0].startswith(f"facecli: white.png is nearly white, turned.png has {height}x{width} pixels: ")


def test_all_absent_models_are_told_at_once(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    words = ("--offline", "verify", examples / "collins.jpg", examples / "hopper.jpg", "--detector", "yolov8-face")
    own_home = {"FACECLI_HOME": str(tmp_path)}
    done = run_cli(*words, "--recognizer", "mobilefacenet,openface", env=own_home)
    assert done.returncode == 4
    assert len(done.errors) == 1
    told, get = done.errors[0].split("; ", 1)
    assert "models yolov8-face/lite-t, mobilefacenet, openface are not installed" in told
    assert get.startswith(
        "if you accept their licences: facecli models pull yolov8-face/lite-t mobilefacenet --accept-license; "
    )
    assert "facecli export openface" in get
    one = run_cli(*words[:-2], "--recognizer", "openface", env=own_home)
    assert "model openface is not installed" in one.errors[0]
