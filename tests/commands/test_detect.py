from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from facecli.pictures import codec
from facecli.types import Limits


def test_several_inputs_in_order(run_cli: Callable, examples: Path, group_picture: Path) -> None:
    done = run_cli("detect", group_picture, examples / "hopper.jpg", "--json")
    assert done.returncode == 0
    assert [(i["source"], len(i["faces"])) for i in done.json["images"]] == [
        (str(group_picture), 6),
        (str(examples / "hopper.jpg"), 1),
    ]
    scores = [face["score"] for face in done.json["images"][0]["faces"]]
    assert scores == sorted(scores, reverse=True)


def test_a_folder_a_glob_and_a_list(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    names = sorted(str(path) for path in examples.glob("*.jpg"))
    folder = tmp_path / "pictures"
    folder.symlink_to(examples)
    assert len(run_cli("detect", folder, "--json").json["images"]) >= 3
    assert [i["source"] for i in run_cli("detect", f"{examples}/*.jpg", "--json").json["images"]] == names
    listed = "\0".join(names).encode()
    assert [
        i["source"] for i in run_cli("detect", "--files-from0", "-", "--json", input=listed).json["images"]
    ] == names


def test_formats(run_cli: Callable, examples: Path) -> None:
    picture = examples / "hopper.jpg"
    (line,) = run_cli("detect", picture, "-f", "jsonl").jsonl
    assert line["schema"] == "facecli.detect/2"
    assert line["faces"][0]["index"] == 0
    (row,) = csv.DictReader(io.StringIO(run_cli("detect", picture, "-f", "csv").stdout.decode()))
    assert float(row["x1"]) == line["faces"][0]["bbox"][0]
    assert "hopper.jpg" in run_cli("detect", "hopper.jpg", "-f", "table", cwd=examples).stdout.decode()
    assert run_cli("detect", picture, "--json", "-f", "csv").returncode == 2
    assert run_cli("detect", picture, env={"FACECLI_FORMAT": "csv"}).stdout.startswith(b"source,")


def test_no_face_is_no_failure(run_cli: Callable, tmp_path: Path) -> None:
    import numpy as np

    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((64, 64, 3), np.uint8))
    done = run_cli("detect", tmp_path / "a.png", "--json")
    assert done.returncode == 0
    assert done.json["images"][0]["faces"] == []


def test_crops_are_aligned_and_named_after_their_picture(
    run_cli: Callable, group_picture: Path, tmp_path: Path
) -> None:
    done = run_cli("detect", group_picture, "--crops", tmp_path / "out", "--json")
    written = [Path(name) for name in done.json["images"][0]["written"]]
    assert sorted(path.name for path in written) == [f"group.{i}.png" for i in range(6)]
    assert all(cv2.imread(str(path)).shape == (112, 112, 3) for path in written)
    other = run_cli("detect", group_picture, "--crops", tmp_path / "b", "--crops-for", "dlib-resnet", "--json")
    assert cv2.imread(other.json["images"][0]["written"][0]).shape == (150, 150, 3)
    haar = run_cli("detect", group_picture, "--detector", "haar", "--crops", tmp_path / "c", "--json")
    assert haar.returncode == 0
    assert len(list((tmp_path / "c").iterdir())) == len(haar.json["images"][0]["faces"]) > 0


def test_two_pictures_of_one_name_do_not_overwrite_each_other(
    run_cli: Callable, examples: Path, tmp_path: Path
) -> None:
    for folder in "ab":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.jpg").write_bytes((examples / "hopper.jpg").read_bytes())
    run_cli("detect", tmp_path / "a", tmp_path / "b", "--crops", tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"x.0.png", "x-2.0.png"}


def test_annotate_to_a_file_or_a_folder(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    one = tmp_path / "one.png"
    run_cli("detect", examples / "hopper.jpg", "--annotate", one)
    assert cv2.imread(str(one)).shape == cv2.imread(str(examples / "hopper.jpg")).shape
    run_cli("detect", examples, "--annotate", tmp_path / "many")
    assert {path.name for path in (tmp_path / "many").iterdir()} >= {"hopper.jpg", "collins.jpg"}
    assert run_cli("detect", examples / "hopper.jpg", "--annotate", tmp_path / "x.gif").returncode == 2
    assert run_cli("detect", examples, "--annotate", one).returncode == 2


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("batch", ["1", "3"])
def test_jobs_and_batches_do_not_change_the_answer(
    run_cli: Callable, examples: Path, group_picture: Path, jobs: str, batch: str
) -> None:
    inputs = (examples / "collins.jpg", group_picture, examples / "hopper.jpg")
    plain = run_cli("detect", *inputs, "--json").json["images"]
    other = run_cli("detect", *inputs, "--json", "--jobs", jobs, "--batch-size", batch, "--threads", "1").json["images"]
    for a, b in zip(plain, other, strict=True):
        assert a["source"] == b["source"]
        for face_a, face_b in zip(a["faces"], b["faces"], strict=True):
            assert face_a["bbox"] == pytest.approx(face_b["bbox"], abs=0.02)


def test_parameters_reach_the_plugin(run_cli: Callable, group_picture: Path) -> None:
    def count(*options: str) -> int:
        return len(run_cli("detect", group_picture, "--json", *options).json["images"][0]["faces"])

    assert count() == 6
    assert count("-p", "yunet.score_threshold=0.9999") == 0
    mtcnn = ("--detector", "mtcnn")
    assert count(*mtcnn, "-p", "mtcnn.thresholds=[0.6,0.7,0.99999999]") < 6
    assert count("--detector", "haar", "-p", "haar.min_size=250") == 0
    unknown = run_cli("detect", group_picture, *mtcnn, "-p", "mtcnn.speed=9")
    assert unknown.returncode == 2
    assert "it has min_face_size" in unknown.errors[0]
    assert run_cli("detect", group_picture, "-p", "nonsense").returncode == 2


@pytest.mark.parametrize("detector", ["yunet", "mtcnn", "haar"])
def test_small_faces_are_left_out_on_request(run_cli: Callable, group_picture: Path, detector: str) -> None:
    def sides(*options: str) -> list[float]:
        faces = run_cli("detect", group_picture, "--detector", detector, "--json", *options).json["images"][0]["faces"]
        return sorted(max(right - left, bottom - top) for left, top, right, bottom in (one["bbox"] for one in faces))

    every = sides()
    assert sides("--min-face-size", "20") == every
    between = (every[0] + every[-1]) / 2
    kept = sides("--min-face-size", str(between))
    if detector != "mtcnn":  # which has a parameter of its own for that, and may find smaller ones all the same
        assert kept == [side for side in every if side >= between]
    assert sides("--min-face-size", "400") == []


def test_unknown_names_are_answered_with_the_known_ones(run_cli: Callable, group_picture: Path) -> None:
    done = run_cli("detect", group_picture, "--detector", "nothing")
    assert done.returncode == 2
    assert "here: haar, mtcnn" in done.errors[0]
    assert "retinaface" in run_cli("detect", group_picture, "--detector", "retina").errors[0]
    assert run_cli("detect").returncode == 2
    assert run_cli("detekt").returncode == 2


@pytest.mark.parametrize("option", ["--crops", "--annotate"])
def test_a_picture_that_can_not_be_written_does_not_stop_the_others(
    run_cli: Callable, examples: Path, tmp_path: Path, option: str
) -> None:
    name = "collins.0.png" if option == "--crops" else "collins.jpg"
    (tmp_path / "out" / name / "in the way").mkdir(parents=True)
    done = run_cli("detect", examples / "collins.jpg", examples / "hopper.jpg", option, tmp_path / "out", "--json")
    assert done.returncode == 1
    failed, fine = done.json["images"]
    assert failed["error"]["code"] == "output"
    assert failed["written"] == []
    assert len(failed["faces"]) == 1
    assert fine["error"] is None
    assert len(fine["written"]) == 1
    assert len(done.errors) == 1


@pytest.mark.parametrize("detector", ["yunet", "mtcnn", "haar"])
def test_min_score_leaves_out_fainter_faces(run_cli: Callable, examples: Path, detector: str) -> None:
    given = (examples / "hopper.jpg", "--detector", detector, "--json")
    scores = [face["score"] for face in run_cli("detect", *given).json["images"][0]["faces"]]
    least = str(max(scores) + 0.001 if max(scores) < 0.999 else 1)
    found = run_cli("detect", *given, "--min-score", least).json["images"][0]
    assert all(face["score"] >= float(least) for face in found["faces"])
    assert len(found["faces"]) < len(scores) or least == "1"
    lower = run_cli("detect", *given, "--min-score", "0.1").json["images"][0]["faces"]
    assert len(lower) >= len(scores) >= 1
    assert run_cli("detect", *given, "--min-score", "1.1").returncode == 2


def test_a_csv_has_no_formula(run_cli: Callable, collins: bytes, tmp_path: Path) -> None:
    for name in ("=1+2.jpg", "@home.jpg", "plain=.jpg"):
        (tmp_path / name).write_bytes(collins)
    done = run_cli("detect", "=1+2.jpg", "@home.jpg", "plain=.jpg", "-f", "csv", cwd=tmp_path)
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert [row["source"] for row in rows] == ["'=1+2.jpg", "'@home.jpg", "plain=.jpg"]
    assert all(float(row["x1"]) for row in rows)
    on_stdin = run_cli("detect", "-", "-f", "csv", input=collins).stdout.decode()
    assert next(csv.DictReader(io.StringIO(on_stdin)))["source"] == "-"


def test_two_pictures_on_stdin_are_told(run_cli: Callable, collins: bytes) -> None:
    png = cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1].tobytes()
    for two in (collins + collins, collins + png, png + collins):
        done = run_cli("detect", "-", input=two)
        assert done.returncode == 1
        assert done.errors == [
            "facecli: -: stdin has several pictures, of which one is read; pipe one, or give names of files"
        ]
    assert run_cli("detect", "-", input=collins + b"and something else").returncode == 0


def test_the_hint_names_what_may_have_left_faces_out(run_cli: Callable, examples: Path) -> None:
    picture = examples / "collins.jpg"
    assert "try a lower --min-score, " in run_cli("detect", picture, "--min-score", "1", "--require-face").errors[0]
    done = run_cli("detect", picture, "--min-face-size", "4000", "--require-face")
    assert "try a lower --min-face-size, " in done.errors[0]


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_nothing_is_found_in_what_is_fully_transparent(
    run_cli: Callable, examples: Path, tmp_path: Path, suffix: str
) -> None:
    pixels = cv2.imread(str(examples / "collins.jpg"))
    hidden, seen = tmp_path / f"hidden{suffix}", tmp_path / f"seen{suffix}"
    for path, opacity in ((hidden, 0), (seen, 1)):
        cv2.imwrite(str(path), np.dstack([pixels, np.full(pixels.shape[:2], opacity, np.uint8)]))
    done = run_cli("detect", hidden, seen, "--json")
    assert done.returncode == 1
    assert [record["error"] and record["error"]["code"] for record in done.json["images"]] == ["decode", None]
    assert "hidden" in done.errors[0]
    assert "is fully transparent; save it without its alpha channel" in done.errors[0]
    assert [record["faces_found"] for record in done.json["images"]] == [None, 1]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_an_alpha_channel_changes_no_colour_and_no_turn(collins: bytes, kind: type) -> None:
    import PIL.Image

    pixels = cv2.imdecode(np.frombuffer(collins, np.uint8), cv2.IMREAD_COLOR)
    alpha = np.random.default_rng(0).integers(0, 256, pixels.shape[:2])
    layers = np.dstack([pixels, alpha]).astype(kind) * (257 if kind is np.uint16 else 1)
    data = cv2.imencode(".png", layers)[1].tobytes()
    decoded = codec.decode(data, "x", Limits()).pixels
    assert np.array_equal(decoded, cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))
    picture, turned = (
        PIL.Image.open(io.BytesIO(cv2.imencode(".png", layers.astype(np.uint8))[1].tobytes())),
        io.BytesIO(),
    )
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    picture.save(turned, "PNG", exif=exif)
    upright = codec.decode(turned.getvalue(), "x", Limits())
    assert (upright.height, upright.width) == (pixels.shape[1], pixels.shape[0])


def test_what_speaks_for_damage_is_told(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    """Four flipped bytes shift half of the portrait to the side, and no rule of JPEG is broken but at its end."""
    data = bytearray((examples / "hopper.jpg").read_bytes())
    for position, value in ((6037, 60), (11883, 122), (15458, 150), (51274, 50)):
        data[position] = value
    (tmp_path / "flipped.jpg").write_bytes(data)
    done = run_cli("detect", tmp_path / "flipped.jpg", examples / "hopper.jpg", "--json")
    assert done.returncode == 0
    assert len(done.errors) == 1
    assert "flipped.jpg may be damaged: " in done.errors[0]
    assert " bytes of its coded data belong to no pixel; look at it" in done.errors[0]
    assert run_cli("detect", tmp_path / "flipped.jpg", "-q").errors == []


def test_a_pair_tells_of_its_files_too(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    import PIL.Image

    portrait, other = (PIL.Image.open(examples / name) for name in ("hopper.jpg", "collins.jpg"))
    portrait.save(tmp_path / "pages.tif", save_all=True, append_images=[other])
    for b in ([examples / "hopper.jpg"], [examples / "hopper.jpg", tmp_path / "pages.tif"]):
        done = run_cli("verify", tmp_path / "pages.tif", *b, "--json")
        assert done.returncode == 0
        told = [f"facecli: {tmp_path / 'pages.tif'} has 2 frames or pages; the first is looked at"]
        assert done.errors == told * len(b)
