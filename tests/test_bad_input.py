"""What bad input gets, through the real command line: one clear line, the right exit code, the others still done."""

from __future__ import annotations

import csv
import importlib
import io
import os
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image as Pil

DONE, FAILED, USAGE, NO_MODEL, INTERRUPTED = 0, 1, 2, 4, 130

Cli = Callable[..., Any]


def told(run: Any, *patterns: str) -> None:
    """Assert that stderr is these lines and nothing else."""
    assert len(run.errors) == len(patterns), run.errors
    for line, pattern in zip(run.errors, patterns, strict=True):
        assert line.startswith("facecli: ")
        assert re.search(pattern, line), (pattern, line)
        assert "; " in line, f"no hint at what to do next: {line}"


def saved(picture: Pil.Image, kind: str, **settings: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **settings)
    return buffer.getvalue()


def list_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def overlap(a: list[float], b: list[float]) -> float:
    """Intersection over union of two boxes."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(width, 0) * max(height, 0)
    return both / (sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)) - both)


def png_bomb() -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 20000, 20000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(10**6))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.fixture(scope="session")
def good(examples: Path) -> Path:
    return examples / "collins.jpg"


@pytest.fixture(scope="session")
def portrait(good: Path) -> Pil.Image:
    return Pil.open(good).convert("RGB")


@pytest.fixture(scope="session")
def upright_box(good: Path, tmp_path_factory: pytest.TempPathFactory, cli_env: dict[str, str]) -> list[float]:
    command = [sys.executable, "-m", "facecli", "detect", str(good), "--format", "csv"]
    lines = subprocess.run(
        command, env=cli_env, cwd=tmp_path_factory.mktemp("base"), capture_output=True, check=True
    ).stdout
    names, values = (line.split(",") for line in lines.decode().splitlines())
    row = dict(zip(names, values, strict=True))
    return [float(row[name]) for name in ("x1", "y1", "x2", "y2")]


# Files that are no pictures


class Bad(NamedTuple):
    name: str
    content: bytes | None
    code: str
    words: str


BAD = (
    Bad("missing.jpg", None, "input", "can not read missing.jpg: no such file"),
    Bad("n" * 300 + ".jpg", None, "input", "can not read n+.jpg: file name too long"),
    Bad("no\nbreak.jpg", None, "input", "no such file"),
    Bad("empty.jpg", b"", "decode", "empty.jpg is empty"),
    Bad("text.jpg", b"a letter, not a picture\n", "decode", "text.jpg is text, not a picture"),
    Bad("page.jpg", b"<!doctype html><title>404</title>", "decode", "page.jpg is an HTML page"),
    Bad("photo.heic", b"\0\0\0\x18ftypheic\0\0\0\0", "decode", "photo.heic is a HEIC picture.*convert it to JPEG"),
    Bad("bomb.png", png_bomb(), "decode", "20000x20000 pixels, the limit is 100000000; raise --max-pixels"),
)


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name[:10])
def test_one_bad_file(run_cli: Cli, good: Path, tmp_path: Path, bad: Bad) -> None:
    if bad.content is not None:
        (tmp_path / bad.name).write_bytes(bad.content)
    run = run_cli("detect", bad.name, good, "--json", cwd=tmp_path)
    told(run, bad.words)
    assert run.returncode == FAILED
    failed, fine = run.json["images"]
    assert failed["source"] == bad.name
    assert failed["error"]["code"] == bad.code
    assert failed["error"]["hint"]
    assert failed["faces"] == []
    assert fine["error"] is None
    assert len(fine["faces"]) == 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_picture(run_cli: Cli, good: Path, portrait: Pil.Image, tmp_path: Path, kind: str) -> None:
    data = saved(portrait, kind)
    (tmp_path / "cut.jpg").write_bytes(data[: len(data) * 2 // 3])
    run = run_cli("detect", "cut.jpg", good, "--json", cwd=tmp_path)
    told(run, "cut.jpg is a truncated (JPEG|PNG|WebP) file; copy or fetch it again")
    assert run.returncode == FAILED
    assert [len(image["faces"]) for image in run.json["images"]] == [0, 1]


def damaged(data: bytes) -> dict[str, bytes]:
    """Ways in which a JPEG is damaged so that libjpeg decodes it all the same."""
    fifth = len(data) // 5
    return {
        "overwritten.jpg": data[:fifth] + b"\x55" * 400 + data[fifth + 400 :],
        "zeros.jpg": data[:fifth] + bytes(len(data) - fifth - 2) + data[-2:],
        "cut.jpg": data[:fifth] + b"\xff\xd9",
    }


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_a_damaged_jpeg_is_not_taken_for_a_picture(
    run_cli: Cli, collins: bytes, portrait: Pil.Image, tmp_path: Path, jobs: str
) -> None:
    pictures = damaged(collins)
    pictures["progressive.jpg"] = damaged(saved(portrait, "JPEG", progressive=True))["cut.jpg"]
    tiff = saved(portrait, "TIFF", compression="tiff_adobe_deflate")
    pictures["overwritten.tif"] = tiff[:50_000] + b"\x55" * 400 + tiff[50_400:]
    names = [*pictures]
    pictures["behind.jpg"] = collins + b"junk behind the end" * 99
    pictures["before.jpg"] = collins[:-2] + b"\0\0" + collins[-2:]  # extraneous bytes before a marker
    for name, data in pictures.items():
        (tmp_path / name).write_bytes(data)
    mixed = [*names, "behind.jpg", *names, "before.jpg"]
    run = run_cli("detect", *mixed, "--json", "--jobs", jobs, cwd=tmp_path)
    reason = "(: its pixels do not agree with their checksum)?"
    told(run, *(f"{name} is a damaged (JPEG|TIFF) file{reason}; copy or fetch it again" for name in names * 2))
    assert run.returncode == FAILED
    faces = [len(image["faces"]) for image in run.json["images"]]
    assert faces == [*[0] * len(names), 1] * 2


def test_verify_names_both_pictures_that_fail(run_cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("words")
    run = run_cli("verify", "missing.jpg", "text.jpg", "--json", cwd=tmp_path)
    assert run.returncode == FAILED
    assert len(run.errors) == 2
    assert {re.search(r"missing|text", line)[0] for line in run.errors} == {"missing", "text"}  # type: ignore[index]
    assert run.json["error"]["code"] in ("input", "decode")


def test_a_folder(run_cli: Cli, good: Path, tmp_path: Path) -> None:
    (tmp_path / "some" / "deep").mkdir(parents=True)
    shutil.copy(good, tmp_path / "some" / "deep" / "b.jpg")
    (tmp_path / "some" / "a.png").write_bytes(b"broken")
    (tmp_path / "none").mkdir()
    run = run_cli("detect", "some", "none", "--json", cwd=tmp_path)
    told(run, r"some.a\.png is text", "no pictures in the folder: none")
    assert run.returncode == FAILED
    assert [len(image["faces"]) for image in run.json["images"]] == [0, 1, 0]


def test_a_folder_where_verify_wants_a_picture(run_cli: Cli, good: Path, tmp_path: Path) -> None:
    told(run_cli("verify", good, tmp_path), "no pictures in the folder")  # one against many, and there is none
    run = run_cli("verify", tmp_path, good, "--json")
    told(run, "can not read .*is a directory")
    assert run.returncode == FAILED
    assert run.json["error"]["code"] == "input"


def test_limits_can_be_set(run_cli: Cli, good: Path) -> None:
    for extra, env in ((["--max-pixels", "1000"], {}), ([], {"FACECLI_MAX_PIXELS": "1000"})):
        run = run_cli("detect", good, *extra, "--json", env=env)
        told(run, "512x512 pixels, the limit is 1000")
        assert run.returncode == FAILED
    run = run_cli("detect", good, "--json", env={"FACECLI_MAX_BYTES": "1000"})
    told(run, "more than 1000 bytes; raise FACECLI_MAX_BYTES")
    assert run.returncode == FAILED


def test_an_endless_device_is_not_read_to_the_end(run_cli: Cli, good: Path) -> None:
    run = run_cli("detect", "/dev/zero", good, "--max-bytes", "1000000", "--json")
    told(run, "/dev/zero is too large")
    assert len(run.json["images"][1]["faces"]) == 1


@pytest.mark.parametrize("words", [(), ("--max-pixels", "0", "x"), ("--nonsense", "x"), ("--files-from", "missing")])
def test_requests_without_sense(run_cli: Cli, words: tuple[str, ...]) -> None:
    run = run_cli("detect", *words)
    told(run, "")
    assert run.returncode == USAGE
    assert run.stdout == b""


# Pictures of every kind


def test_tiny_and_thin_pictures_have_no_face(run_cli: Cli, tmp_path: Path) -> None:
    for size in ((1, 1), (1, 5000), (5000, 1)):
        Pil.new("RGB", size, (200, 150, 120)).save(tmp_path / f"{size[0]}x{size[1]}.png")
    run = run_cli("detect", *list_names(tmp_path), "--json", cwd=tmp_path)
    told(run)
    assert run.returncode == DONE
    assert [(image["width"], image["faces"]) for image in run.json["images"] if image["error"] is None] == [
        (1, []),
        (1, []),
        (5000, []),
    ]


def test_every_kind_of_picture_has_one_and_the_same_face(
    run_cli: Cli, portrait: Pil.Image, upright_box: list[float], tmp_path: Path
) -> None:
    other = portrait.rotate(180)
    opaque = portrait.convert("RGBA")
    opaque.putalpha(128)
    frames: dict[str, Any] = {"save_all": True, "append_images": [other, other], "duration": 100}
    deep = np.asarray(portrait.convert("L")).astype(np.uint16) * 257
    kinds = {
        "grey.jpg": saved(portrait.convert("L"), "JPEG"),
        "grey16.png": saved(Pil.fromarray(deep), "PNG"),
        "grey16.tif": saved(Pil.fromarray(deep), "TIFF"),
        "rgba.png": saved(opaque, "PNG"),
        "palette.png": saved(portrait.quantize(256), "PNG"),
        "palette.gif": saved(portrait, "GIF"),
        "cmyk.jpg": saved(portrait.convert("CMYK"), "JPEG"),
        "cmyk.tif": saved(portrait.convert("CMYK"), "TIFF"),
        "animated.gif": saved(portrait, "GIF", **frames),
        "animated.webp": saved(portrait, "WEBP", **frames),
        "animated.png": saved(portrait, "PNG", **frames),
        "webp-named.jpg": saved(portrait, "WEBP"),
        "png-named.webp": saved(portrait, "PNG"),
        "progressive.jpg": saved(portrait, "JPEG", progressive=True),
        "plain.bmp": saved(portrait, "BMP"),
        "plain.ppm": saved(portrait, "PPM"),
    }
    for name, data in kinds.items():
        (tmp_path / name).write_bytes(data)
    run = run_cli("detect", *kinds, "--json", cwd=tmp_path)
    told(run, *(rf"animated\.{kind} has 2 frames or pages; the first is looked at" for kind in ("gif", "webp", "png")))
    assert run.returncode == DONE
    for image in run.json["images"]:
        assert len(image["faces"]) == 1, image
        assert overlap(image["faces"][0]["bbox"], upright_box) > 0.85, image


# How the pixels have to be stored, so that the orientation turns them upright again.
STORED: dict[int, Any] = {
    1: None,
    2: Pil.Transpose.FLIP_LEFT_RIGHT,
    3: Pil.Transpose.ROTATE_180,
    4: Pil.Transpose.FLIP_TOP_BOTTOM,
    5: Pil.Transpose.TRANSPOSE,
    6: Pil.Transpose.ROTATE_90,
    7: Pil.Transpose.TRANSVERSE,
    8: Pil.Transpose.ROTATE_270,
}


@pytest.mark.parametrize(("kind", "exact"), [("PNG", True), ("JPEG", False)])
def test_all_eight_exif_orientations_give_the_same_answer(
    run_cli: Cli, portrait: Pil.Image, tmp_path: Path, kind: str, exact: bool
) -> None:
    picture = portrait.crop((100, 0, 400, 360))  # no square, so that a forgotten turn shows in the size as well
    for orientation, turn in STORED.items():
        exif = Pil.Exif()
        exif[0x112] = orientation
        stored = picture if turn is None else picture.transpose(turn)
        settings: dict[str, Any] = {} if exact else {"quality": 98, "subsampling": 0}
        (tmp_path / str(orientation)).write_bytes(saved(stored, kind, exif=exif.tobytes(), **settings))
    run = run_cli("detect", *map(str, STORED), "--json", cwd=tmp_path)
    told(run)
    upright, *others = run.json["images"]
    assert (upright["width"], upright["height"], len(upright["faces"])) == (300, 360, 1)
    for image in others:
        assert (image["width"], image["height"], len(image["faces"])) == (300, 360, 1)
        if exact:
            assert image["faces"] == upright["faces"]
        assert overlap(image["faces"][0]["bbox"], upright["faces"][0]["bbox"]) > 0.97


def test_stdin(run_cli: Cli, collins: bytes, good: Path) -> None:
    run = run_cli("detect", "-", "--json", input=collins)
    assert (run.returncode, run.json["images"][0]["source"]) == (DONE, "-")
    run = run_cli("detect", "-", good, "--json", input=b"")
    told(run, "- is empty")
    assert [len(image["faces"]) for image in run.json["images"]] == [0, 1]


# Names


def test_odd_names(run_cli: Cli, good: Path, tmp_path: Path) -> None:
    raw = ["ünï/日本 語.jpg".encode(), b"caf\xe9.jpg", b"two\nlines.jpg", b"[1].jpg", b"-dash.jpg"]
    (tmp_path / "ünï").mkdir()
    for name in raw:
        (tmp_path / os.fsdecode(name)).symlink_to(good)
    listing = b"\0".join(raw)
    run = run_cli("detect", "--files-from0", "-", "--crops", "out", "--json", input=listing, cwd=tmp_path)
    told(run)
    assert run.returncode == DONE
    assert [os.fsencode(image["source"]) for image in run.json["images"]] == raw
    assert all(len(image["faces"]) == 1 for image in run.json["images"])
    assert len(list((tmp_path / "out").iterdir())) == len(raw)


@pytest.mark.parametrize("form", ["table", "csv", "jsonl"])
def test_names_that_are_not_utf8_in_other_formats(run_cli: Cli, good: Path, tmp_path: Path, form: str) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.jpg")).symlink_to(good)
    run = run_cli("detect", b"caf\xe9.jpg", "--format", form, cwd=tmp_path)
    told(run)
    assert run.returncode == DONE
    assert b"caf" in run.stdout


def test_a_missing_file_is_named_by_the_bytes_of_its_name(run_cli: Cli) -> None:
    run = run_cli("detect", b"caf\xe9.jpg", "--json")
    told(run, "no such file")
    assert b"caf\xe9.jpg" in run.stderr
    run = run_cli("verify", b"caf\xe9.jpg", b"caf\xe9.jpg")
    assert run.returncode == FAILED
    assert b"Traceback" not in run.stderr


def test_a_name_can_not_steer_the_terminal(run_cli: Cli) -> None:
    run = run_cli("detect", "a\x1b[31m.jpg", "--json")
    told(run, "a.*31m.jpg")
    assert b"\x1b" not in run.stderr


# Faces


@pytest.fixture
def landscape(tmp_path: Path) -> Path:
    path = tmp_path / "landscape.png"
    ramp = np.linspace(40, 220, 300, dtype=np.uint8)
    Pil.fromarray(np.stack([np.tile(ramp, (200, 1))] * 3, -1)).save(path)
    return path


def test_no_face(run_cli: Cli, good: Path, landscape: Path) -> None:
    run = run_cli("detect", landscape, "--json")
    told(run)
    assert (run.returncode, run.json["images"][0]["faces"]) == (DONE, [])
    run = run_cli("verify", good, landscape, "--json")
    told(run, "no face.*landscape.png")
    assert (run.returncode, run.json["error"]["code"]) == (FAILED, "no_face")
    for command in (("embed",), ("emotion",), ("analyze", "-a", "emotion,quality")):
        run = run_cli(*command, landscape, good, "--json")
        told(run, "no face found in 1 of 2 pictures: .*landscape.png; --require-face makes that a failure")
        assert run.returncode == DONE
        assert [(image["error"], len(image["faces"])) for image in run.json["images"]] == [(None, 0), (None, 1)]
        run = run_cli(*command, landscape, good, "--json", "--require-face")
        told(run, "no face.*landscape.png")
        assert run.returncode == FAILED
        assert [image["error"] and image["error"]["code"] for image in run.json["images"]] == ["no_face", None]
    run = run_cli("emotion", landscape)
    told(run, "no face found in .*landscape.png; try --rotate auto if it is turned")
    assert run_cli("emotion", landscape, "--quiet").errors == []


def test_what_is_not_known_is_null(run_cli: Cli, good: Path, landscape: Path, tmp_path: Path) -> None:
    """So that `select(.detected)` and `select(.faces_found == 0)` say what they seem to say."""
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(good.read_bytes()[:100])
    keys = "detected", "detector_ran", "faces_found"
    images = run_cli("detect", good, landscape, broken, "--json").json["images"]
    assert [tuple(image[key] for key in keys) for image in images] == [(True, True, 1), (False, True, 0), (None,) * 3]
    rows = list(csv.DictReader(run_cli("detect", good, landscape, broken, "-f", "csv").stdout.decode().splitlines()))
    assert [row["detected"] for row in rows] == ["True", "False", ""]
    (image,) = run_cli("embed", good, "--no-detect", "--json").json["images"]
    assert tuple(image[key] for key in keys) == (False, False, None)


def test_many_faces(run_cli: Cli, good: Path, group_picture: Path) -> None:
    run = run_cli("detect", group_picture, "--json")
    told(run)
    assert len(run.json["images"][0]["faces"]) == 6
    run = run_cli("verify", group_picture, good, "--json")
    told(run)
    assert run.returncode == DONE
    assert [image["faces_found"] for image in run.json["images"]] == [6, 1]
    run = run_cli("verify", group_picture, good, "--face", "only", "--json")
    told(run, "6 faces.*group.png|group.png.*6 faces")
    assert (run.returncode, run.json["error"]["code"]) == (FAILED, "ambiguous_face")


def test_equal_paths(run_cli: Cli, good: Path) -> None:
    run = run_cli("detect", good, good, "--json")
    told(run)
    first, second = run.json["images"]
    assert first == second
    run = run_cli("verify", good, good, "--json")
    told(run)
    assert run.json["verified"] is True
    assert abs(run.json["distance"]) < 1e-4
    run = run_cli("verify", "-", "-", "--json", input=b"")
    told(run, "stdin can be read only once")
    assert run.returncode == USAGE


# URLs


def test_urls(run_cli: Cli, server: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        refused = f"http://127.0.0.1:{free.getsockname()[1]}/a.jpg"
    bad = {
        refused: "[Cc]onnection refused",
        f"{server}/nowhere.jpg": "HTTP 404 Not Found",
        f"{server}/silent": "no picture within 0.5 s; raise --timeout",
        f"{server}/drip": "no picture within 0.5 s",
        f"{server}/page": "text/html, not a picture",
        f"{server}/text-named-picture": "is text, not a picture",
        f"{server}/promises-much": "larger than 1000000 bytes; raise --max-bytes",
        f"{server}/endless": "larger than 1000000 bytes",
        f"{server}/short": "the connection broke",
        f"{server}/to-file": "not allowed",
    }
    limits = ("--timeout", "0.5", "--max-bytes", "1000000")
    run = run_cli("detect", *bad, f"{server}/picture_.jpg", *limits, "--json")
    told(run, *bad.values())
    assert run.returncode == FAILED
    *failed, fine = run.json["images"]
    assert [image["source"] for image in failed] == list(bad)
    assert {image["error"]["code"] for image in failed} == {"fetch", "decode"}
    assert len(fine["faces"]) == 1


# Output


def test_a_broken_pipe_ends_quietly(good: Path, cli_env: dict[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "facecli", "detect", *[str(good)] * 40, "--format", "jsonl"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=cli_env, cwd=tmp_path
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b'{"schema"')
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode in (DONE, -signal.SIGPIPE, 128 + signal.SIGPIPE)


@pytest.mark.parametrize(
    "words", [("models", "list", "-f", "table"), ("models", "list", "--json"), ("detect", "-f", "table")]
)
def test_nobody_reads(good: Path, cli_env: dict[str, str], tmp_path: Path, words: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "facecli", *words, *[str(good)] * (words[0] == "detect")]
    read, write = os.pipe()
    os.close(read)
    run = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, env=cli_env, cwd=tmp_path, check=False)
    os.close(write)
    assert (run.returncode, run.stderr) == (DONE, b"")


@pytest.mark.parametrize("form", ["json", "jsonl", "csv", "table"])
def test_a_full_disk_behind_stdout(run_cli: Cli, good: Path, form: str) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        run = run_cli("detect", good, "--format", form, stdout=full)
    assert len(run.errors) == 1
    assert re.match("facecli: .*(no space left|No space left)", run.errors[0])
    assert run.returncode == FAILED


def little_disk() -> None:
    """Let no file grow beyond some bytes: the nearest thing to a full disk that needs no rights."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))


@pytest.mark.parametrize(
    "words", [("embed", "-o", "out/x.npz"), ("detect", "--crops", "out"), ("detect", "--annotate", "out/x.png")]
)
def test_a_full_disk_leaves_nothing_half_written(
    run_cli: Cli, good: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "out").mkdir()
    command, *options = words
    env = {"PYTHONDONTWRITEBYTECODE": "1"}
    run = run_cli(command, good, *options, "-q", cwd=tmp_path, env=env, preexec_fn=little_disk)
    told(run, "can not write out.*: [Ff]ile too large")
    assert run.returncode == FAILED
    assert list_names(tmp_path / "out") == []


@pytest.mark.parametrize(
    "words", [("embed", "-o", "file/x.npz"), ("detect", "--crops", "file/x"), ("detect", "--annotate", "file/x.png")]
)
def test_an_unwritable_place(run_cli: Cli, good: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "file").write_text("in the way")
    command, *options = words
    run = run_cli(command, good, *options, cwd=tmp_path)
    told(run, "can not write file/x")
    assert run.returncode == FAILED
    assert list_names(tmp_path) == ["file"]


@pytest.mark.parametrize(
    "words", [("embed", "-o", "x.pkl"), ("detect", "--annotate", "x.xyz"), ("detect", "--crops", "file")]
)
def test_an_output_that_makes_no_sense_is_refused_before_the_work(
    run_cli: Cli, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "file").write_text("in the way")
    command, *options = words
    run = run_cli(command, "missing.jpg", *options, cwd=tmp_path)
    told(run, "x.pkl|.pkl|xyz|file")
    assert run.returncode == USAGE
    assert run.stdout == b""


def test_ctrl_c(good: Path, cli_env: dict[str, str], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "out").mkdir()
    # Where the tests themselves run with SIGINT ignored (in the background of a shell), a child would inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    command = [sys.executable, "-m", "facecli", "embed", str(good), "pipe.jpg", "-o", "out/x.npz"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=cli_env, cwd=tmp_path)
    signal.signal(signal.SIGINT, before)
    with process, (tmp_path / "pipe.jpg").open("wb"):  # opens when the command opens it, so that it is at work now
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
    assert stderr.splitlines() == [b"facecli: interrupted"]
    assert process.returncode == INTERRUPTED
    assert list_names(tmp_path / "out") == []


# Models


def shadow(folder: Path) -> Path:
    """A copy of the installed packages made of links, whose files a test may replace; returns the embedded models."""
    for package in ("facecli", "facecli.plugins", "facecli.export", "facecli.models"):
        source = importlib.import_module(package).__path__[0]
        target = folder / package.replace(".", "/")
        ignored = shutil.ignore_patterns("__pycache__", "plugins", "export", "models")
        shutil.copytree(source, target, copy_function=os.symlink, ignore=ignored if package == "facecli" else None)
    return folder / "facecli" / "models" / "embedded"


@pytest.mark.parametrize("damage", ["cut", "zeros", "absent"])
def test_a_corrupted_embedded_model(run_cli: Cli, good: Path, tmp_path: Path, damage: str) -> None:
    model = shadow(tmp_path / "shadow") / "yunet_2023mar.onnx"
    content = model.read_bytes()
    model.unlink()
    if damage != "absent":
        model.write_bytes(content[:1000] if damage == "cut" else bytes(len(content)))
    run = run_cli("detect", good, "--json", env={"PYTHONPATH": str(tmp_path / "shadow")})
    assert run.returncode == NO_MODEL
    told(run, r"yunet_2023mar.onnx (is missing|of model yunet/2023mar has the sha256 )")
    assert run.json["error"]["code"] == "model"


def test_a_mirror_with_a_wrong_file(run_cli: Cli, good: Path, tmp_path: Path) -> None:
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "mobilefacenet.onnx").write_bytes(b"not the model")
    env = {
        "FACECLI_HOME": str(tmp_path / "home"),
        "FACECLI_MODELS_MIRROR": str(tmp_path / "mirror"),
        "FACECLI_OFFLINE": "1",
    }
    run = run_cli("embed", good, "--recognizer", "mobilefacenet", "--json", env=env)
    told(run, "mobilefacenet.*sha256 is")
    assert run.returncode == NO_MODEL
    # The detector's file, carried in the wheel, has a stamp there.
    assert [path for path in (tmp_path / "home").rglob("*") if path.is_file() and path.suffix != ".stamp"] == []


def test_a_model_that_changed_after_it_was_installed(run_cli: Cli, good: Path, shared: Path, tmp_path: Path) -> None:
    env = {"FACECLI_HOME": str(tmp_path), "FACECLI_MODELS_MIRROR": str(shared / "models"), "FACECLI_OFFLINE": "1"}
    words = ("embed", good, "--recognizer", "mobilefacenet", "--json")
    assert run_cli(*words, env=env).returncode == DONE
    (blob,) = tmp_path.rglob("*.onnx")
    content = bytearray(blob.read_bytes())
    content[len(content) // 2] ^= 1
    blob.write_bytes(content)
    run = run_cli(*words, env=env)
    told(run, "mobilefacenet.onnx is damaged")
    assert run.returncode == NO_MODEL
