"""`facecli anonymize`, on portraits and on a short film of two people who are known."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))


def pixels(path: Path) -> np.ndarray:
    """The pixels of a picture, BGR."""
    return np.asarray(cv2.imread(str(path)))


def opened(path: Path) -> Any:
    """A picture as Pillow sees it."""
    pil = pytest.importorskip("PIL.Image", reason="metadata is looked at with Pillow")
    return pil.open(io.BytesIO(path.read_bytes()))


def covered(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Whether each pixel of a picture has changed by more than a codec does."""
    return np.asarray(np.abs(before.astype(int) - after).max(2) > 40)


@pytest.fixture(scope="module")
def people(examples, tmp_path_factory) -> Path:
    """Folders of people to enroll: another picture of Eileen, and Grace."""
    folder = tmp_path_factory.mktemp("people")
    for name, picture in (("Eileen", "collins_variant.jpg"), ("Grace", "hopper.jpg")):
        (folder / name).mkdir()
        (folder / name / picture).write_bytes((examples / picture).read_bytes())
    return folder


@pytest.fixture
def gallery(run_cli, people, tmp_path) -> tuple[str, Path]:
    """The options that name a gallery of Eileen and Grace."""
    assert run_cli("enroll", people, "--gallery", tmp_path / "people.db").returncode == 0
    return "--gallery", tmp_path / "people.db"


@pytest.fixture(scope="module")
def door(tmp_path_factory, examples) -> Path:
    """A film of Eileen, who is track 1, and Grace."""
    pytest.importorskip("av", reason="PyAV, of the extra `video`, is not installed")
    folder = tmp_path_factory.mktemp("film")
    film_of(examples, seed=4).write(folder / "door.mp4", folder / "truth.txt")
    return folder / "door.mp4"


def film_of(examples: Path, seed: int) -> Any:
    """A film of two people to write, of 20 frames."""
    from films import Film, Level, portraits_of

    pictures = [cv2.imread(str(examples / name))[:, :, ::-1].copy() for name in ("collins.jpg", "hopper.jpg")]
    return Film(portraits_of(pictures), seed=seed, level=Level(haste=0.3, widths=(60, 80)), size=(480, 270), count=20)


def frames_of(path: Path) -> list[tuple[float, np.ndarray]]:
    """The times and pixels of a film."""
    from facecli.film.address import address_of
    from facecli.film.reading import Film

    film = Film(address_of(str(path)))
    found = [(frame.time, frame.image.pixels) for frame in film.frames()]
    film.close()
    return found


def hidden(before: Path, after: Path, truth: Path) -> dict[int, float]:
    """For each person of a film the least part of the face that has changed in any frame."""
    films = [[pixels for _, pixels in frames_of(path)] for path in (before, after)]
    least: dict[int, float] = {}
    for line in truth.read_text().splitlines():
        frame, person, left, top, width, height, *_ = (float(part) for part in line.split(","))
        one, other = (film[int(frame) - 1].astype(int) for film in films)
        # The outermost fifth of a box is hair and background, which may be as plain as what covers it.
        rows = slice(max(int(top + 0.2 * height), 0), max(int(top + 0.8 * height), 0))
        columns = slice(max(int(left + 0.2 * width), 0), max(int(left + 0.8 * width), 0))
        if one[rows, columns].size:
            changed = float((np.abs(one - other)[rows, columns].max(2) > 8).mean())
            least[int(person)] = min(least.get(int(person), 1.0), changed)
    return least


@pytest.mark.parametrize("method", ["pixelate", "blur", "mask"])
def test_no_recognizer_knows_a_covered_face(run_cli, examples, tmp_path, method):
    done = run_cli(
        "anonymize", "hopper.jpg", "-o", tmp_path / "o.png", "--method", method, "--check", "--json", cwd=examples
    )
    assert done.returncode == 0, done.stderr
    (file,) = done.json["files"]
    assert (file["faces"], file["covered"]) == (1, 1)
    assert {one["recognizer"] for one in file["check"]} >= {"sface", "dlib-resnet"}
    assert all(one["distance"] > one["threshold"] and one["recognised"] == 0 for one in file["check"])
    changed = covered(pixels(examples / "hopper.jpg"), pixels(tmp_path / "o.png"))
    assert 0.03 < changed.mean() < 0.3
    verified = run_cli("verify", "hopper.jpg", tmp_path / "o.png", "--json", cwd=examples)
    assert verified.returncode == 1 or verified.json["verified"] is False


def test_a_veil_that_hides_nothing_fails_the_check_and_writes_nothing(run_cli, examples, tmp_path):
    thin = ("--cells", "64", "--margin", "0", "--check", "--json")
    done = run_cli("anonymize", "hopper.jpg", "-o", tmp_path / "o.png", *thin, cwd=examples)
    assert done.returncode == 1
    assert "still recognised by" in done.errors[0]
    assert "--method mask" in done.errors[0]
    assert done.json["files"][0]["output"] is None
    assert not [*tmp_path.glob("*")]


def test_a_gallery_tells_whom_to_leave_and_whom_to_cover(run_cli, examples, gallery, tmp_path):
    for options, kept in (("--except", "Eileen"), "collins.jpg"), (("--only", "Eileen"), "hopper.jpg"):
        out = tmp_path / options[0].strip("-")
        done = run_cli("anonymize", "collins.jpg", "hopper.jpg", "-o", out, *options, *gallery, "--json", cwd=examples)
        assert done.returncode == 0, done.stderr
        assert {Path(file["source"]).name: file["covered"] for file in done.json["files"]} == {
            "collins.jpg": int(kept != "collins.jpg"),
            "hopper.jpg": int(kept != "hopper.jpg"),
        }
        assert not covered(pixels(examples / kept), pixels(out / kept)).any()
    done = run_cli("anonymize", "hopper.jpg", "-o", tmp_path / "o.png", "--except", "Ellen", *gallery, cwd=examples)
    assert done.returncode == 2
    assert "nobody in" in done.errors[0]
    assert "there is Eileen, Grace" in done.errors[0]


def test_metadata_is_left_out_and_told_and_orientation_applied(run_cli, examples, tmp_path):
    image = opened(examples / "hopper.jpg")
    exif = image.getexif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825).update({1: "N", 2: (59.0, 20.0, 1.0)})
    exif[0x010F] = "SECRET"
    image.rotate(90, expand=True).save(tmp_path / "turned.jpg", exif=exif, comment=b"SECRET")
    with (tmp_path / "turned.jpg").open("ab") as file:
        file.write(b"SECRET film behind the picture")
    done = run_cli("anonymize", tmp_path / "turned.jpg", "-o", tmp_path / "o.jpg", "--json")
    assert done.returncode == 0, done.stderr
    assert done.json["files"][0]["left_out"] == ["EXIF", "GPS position", "text", "data behind the picture"]
    assert "left out: EXIF (1), GPS position (1)" in done.errors[0]
    assert b"SECRET" not in (tmp_path / "o.jpg").read_bytes()
    assert opened(tmp_path / "o.jpg").size == image.size
    assert not opened(tmp_path / "o.jpg").getexif()


def test_transparency_and_colour_profile_stay_and_what_is_transparent_is_black(run_cli, examples, tmp_path):
    pil = pytest.importorskip("PIL.Image", reason="making profiles needs Pillow")
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = opened(examples / "hopper.jpg").convert("RGBA")
    alpha = np.full((image.height, image.width), 255, np.uint8)
    alpha[:, :40] = 0
    image.putalpha(pil.fromarray(alpha))
    image.save(tmp_path / "a.png", icc_profile=profile)
    for name in ("o.png", "o.webp"):
        assert run_cli("anonymize", tmp_path / "a.png", "-o", tmp_path / name).returncode == 0
        copy = opened(tmp_path / name)
        assert copy.info["icc_profile"] == profile
        assert np.array_equal(np.asarray(copy)[..., 3], alpha)
    assert not np.asarray(opened(tmp_path / "o.png"))[:, :40, :3].any()
    assert run_cli("anonymize", tmp_path / "a.png", "-o", tmp_path / "o.jpg").returncode == 0
    assert np.asarray(opened(tmp_path / "o.jpg"))[:, :30].min() > 240


def test_folders_keep_their_names_and_failures_do_not_stop_the_others(run_cli, examples, tmp_path):
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.jpg").write_bytes((examples / "hopper.jpg").read_bytes())
    cv2.imwrite(str(folder / "b.bmp"), pixels(examples / "collins.jpg"))
    cv2.imwrite(str(folder / "wall.png"), np.full((64, 64, 3), 120, np.uint8))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    done = run_cli("anonymize", folder, "-o", tmp_path / "out", "--format", "csv")
    assert done.returncode == 1
    written = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*")}
    assert written == {"deep/a.jpg", "b.png", "wall.png"}
    assert any("broken.jpg" in line for line in done.errors)
    assert any("no face was found in" in line and "wall.png" in line for line in done.errors)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("hopper.jpg", "-o", "hopper.jpg"), "would overwrite the input"),
        ((".", "-o", "out"), "lies in the input"),
        (("hopper.jpg", "collins.jpg", "-o", "o.jpg"), "there are several inputs"),
        (("hopper.jpg", "-o", "o.gif"), "can not write a .gif picture"),
        (("rtsp://user:secret@127.0.0.1/door", "-o", "o.mp4"), "record or download it first"),
        (("hopper.jpg", "-o", "o.png", "--only", "A", "--except", "B"), "--only and --except exclude each other"),
        (("hopper.jpg", "-o", "o.png", "--cells", "0"), "0 is not in the range"),
        (("-o", "o.png"), "no input"),
    ],
)
def test_what_can_not_be_is_refused_before_work(run_cli, examples, tmp_path, words, reason):
    for name in ("hopper.jpg", "collins.jpg"):
        (tmp_path / name).write_bytes((examples / name).read_bytes())
    done = run_cli("anonymize", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert reason in done.stderr.decode()
    assert b"secret" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["collins.jpg", "hopper.jpg"]


def test_a_film_is_covered_in_every_frame_at_its_own_times(run_cli, door, tmp_path):
    done = run_cli("anonymize", door, "-o", tmp_path / "o.mkv", "--check", "--codec", "mpeg4", "--json")
    assert done.returncode == 0, done.stderr
    (file,) = done.json["files"]
    assert (file["kind"], file["frames"], file["faces"], file["covered"]) == ("film", 20, 2, 2)
    assert all(one["faces"] >= 4 and one["recognised"] == 0 for one in file["check"])
    assert min(hidden(door, tmp_path / "o.mkv", door.parent / "truth.txt").values()) > 0.8
    times = [[time for time, _ in frames_of(path)] for path in (door, tmp_path / "o.mkv")]
    assert np.abs(np.subtract(*times)).max() <= 0.001


def test_recordings_put_end_to_end_are_covered_to_their_end(run_cli, door, tmp_path):
    av = pytest.importorskip("av", reason="PyAV, of the extra `video`, is not installed")
    part, whole = tmp_path / "part.ts", tmp_path / "whole.ts"
    with av.open(str(part), "w") as out:
        stream = out.add_stream("mpeg4", rate=25, options={"qscale": "4"})
        stream.width, stream.height, stream.pix_fmt = 480, 270, "yuv420p"
        for _, shown in frames_of(door):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        out.mux(stream.encode(None))
    whole.write_bytes(2 * part.read_bytes())
    done = run_cli("anonymize", whole, "-o", tmp_path / "o.mp4", "--codec", "mpeg4", "--json")
    assert done.returncode == 0, done.stderr
    assert done.json["files"][0]["frames"] == 40
    lines = (door.parent / "truth.txt").read_text().splitlines()
    again = [line.split(",", 1) for line in lines]
    truth = tmp_path / "truth.txt"
    truth.write_text("\n".join([*lines, *(f"{int(frame) + 20},{rest}" for frame, rest in again)]))
    assert min(hidden(whole, tmp_path / "o.mp4", truth).values()) > 0.8
    times = [time for time, _ in frames_of(tmp_path / "o.mp4")]
    assert times[-1] - times[0] == pytest.approx(39 * 0.04, abs=0.05)


def test_an_analysis_can_be_edited_between_two_steps(run_cli, door, tmp_path):
    analysis = tmp_path / "t.json"
    done = run_cli("track", door, "--frames", "--no-join", "--json")
    document = done.json
    document["films"][0]["tracks"][1]["person"] = {"name": "Grace"}
    analysis.write_text(json.dumps(document))
    for number, chosen in enumerate([("--only", "Grace"), ("--except", "#1")]):
        out = tmp_path / f"{number}.mp4"
        done = run_cli("anonymize", door, "-o", out, "--tracks", analysis, *chosen, "--codec", "mpeg4", "--json")
        assert done.returncode == 0, done.stderr
        assert (done.json["files"][0]["faces"], done.json["files"][0]["covered"]) == (2, 1)
        parts = hidden(door, out, door.parent / "truth.txt")
        assert parts[1] < 0.3
        assert parts[2] > 0.8


def test_a_gallery_tells_whom_to_leave_and_whom_to_cover_in_a_film(run_cli, door, gallery, tmp_path):
    for options, eileen in (("--only", "Eileen"), True), (("--except", "Eileen"), False):
        out = tmp_path / f"{options[0].strip('-')}.mp4"
        done = run_cli("anonymize", door, "-o", out, *options, *gallery, "--codec", "mpeg4", "--json")
        assert done.returncode == 0, done.stderr
        assert (done.json["files"][0]["faces"], done.json["files"][0]["covered"]) == (2, 1)
        parts = hidden(door, out, door.parent / "truth.txt")
        shown, veiled = (2, 1) if eileen else (1, 2)
        assert parts[shown] < 0.3
        assert parts[veiled] > 0.8


def test_whoever_may_be_the_named_person_is_covered_in_a_film(run_cli, door, examples, tmp_path):
    # Five people of one face: whoever of them is asked for, the face is covered, also where others are nearer.
    gallery = ("--gallery", tmp_path / "alike.db")
    for number in range(1, 6):
        darker = tmp_path / f"{number}.png"
        cv2.imwrite(str(darker), (pixels(examples / "collins.jpg") * (1 - 0.1 * number)).astype(np.uint8))
        assert run_cli("enroll", darker, "--name", f"Eileen {number}", *gallery).returncode == 0
    for number in range(1, 6):
        out = tmp_path / f"{number}.mp4"
        line = ("anonymize", door, "-o", out, "--only", f"Eileen {number}", *gallery, "--codec", "mpeg4", "--json")
        done = run_cli(*line)
        assert done.returncode == 0, done.stderr
        assert (done.json["files"][0]["faces"], done.json["files"][0]["covered"]) == (2, 1)
        assert hidden(door, out, door.parent / "truth.txt")[1] > 0.8


def edited(document: dict[str, Any], name: str) -> str:
    film = document["films"][0]
    face = film["by_frame"][3]["faces"][0]
    match name:
        case "no frames":
            del film["by_frame"]
        case "a frame less":
            film["by_frame"].pop()
        case "late":
            for frame in film["by_frame"]:
                frame["time"] += 1.0
        case "two of one":
            film["by_frame"][3]["faces"].append(dict(face))
        case "no box":
            face["bbox"] = [1, 2, 3]
        case "endless":
            face["bbox"] = [0, 0, 1e30, 10]
        case "no number":
            face["track"] = "1"
        case "other schema":
            document["schema"] = "facecli.detect/2"
    return "[" * 100_000 if name == "no document" else json.dumps(document)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no frames", "has no by_frame"),
        ("a frame less", "is not as it was analysed"),
        ("late", "is not as it was analysed"),
        ("two of one", "has two faces of one track"),
        ("no box", "the bbox of a face of frame 3"),
        ("endless", "the bbox of a face of frame 3"),
        ("no number", "is no number of a track"),
        ("other schema", "its schema is not facecli.track/1"),
        ("no document", "is no analysis of films"),
    ],
)
def test_an_analysis_that_can_not_be_is_refused(run_cli, door, tmp_path, name, reason):
    face = {"track": 1, "bbox": [10, 10, 60, 60], "score": 0.9, "landmarks": None}
    frames = [{"time": number / 25, "faces": [dict(face)]} for number in range(20)]
    film = {"source": str(door), "by_frame": frames, "tracks": [{"track": 1, "person": None}], "error": None}
    film |= {"width": 480, "height": 270}
    document = {"schema": "facecli.track/1", "films": [film]}
    (tmp_path / "t.json").write_text(edited(document, name))
    done = run_cli("anonymize", door, "-o", tmp_path / "o.mp4", "--tracks", tmp_path / "t.json")
    assert done.returncode == 1
    assert reason in done.errors[-1]
    assert not (tmp_path / "o.mp4").exists()


@pytest.mark.parametrize("older", [False, True])
def test_tracks_of_another_film_are_refused(run_cli, door, examples, tmp_path, older):
    """The other film has as many frames, of the same size and at the same times, as the one that was tracked."""
    other = tmp_path / "other.mp4"
    film_of(examples, seed=5).write(other, tmp_path / "truth.txt")
    document = run_cli("track", door, "--frames", "--no-join", "--json").json
    if older:
        for key in ("bytes", "first_frame"):
            del document["films"][0][key]
    (tmp_path / "t.json").write_text(json.dumps(document))
    done = run_cli("anonymize", other, "-o", tmp_path / "o.mp4", "--tracks", tmp_path / "t.json")
    assert (done.returncode, (tmp_path / "o.mp4").exists()) == (1, False)
    assert f"{other} is not the film that was analysed" in done.errors[-1]
    moved = tmp_path / ("door.mp4" if older else "moved.mp4")
    moved.write_bytes(door.read_bytes())
    words = ("--tracks", tmp_path / "t.json", "--codec", "mpeg4")
    done = run_cli("anonymize", moved, "-o", tmp_path / "o.mp4", *words)
    assert done.returncode == 0, done.stderr
    assert "faces of doubtful score are missing" in done.stderr.decode()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--face", "largest"), "all faces but those of the choice largest"),
        (("--min-face-size", "20"), "those below 20.0 px"),
    ],
)
def test_an_analysis_that_left_faces_out_is_told(run_cli, door, tmp_path, options, words):
    analysis = tmp_path / "t.json"
    analysis.write_bytes(
        run_cli("track", door, "--frames", "--no-join", "--min-score", "0.5", *options, "--json").stdout
    )
    done = run_cli("anonymize", door, "-o", tmp_path / "o.mp4", "--tracks", analysis, "--codec", "mpeg4")
    assert done.returncode == 0, done.stderr
    assert done.errors == [f"facecli: faces are missing: --tracks leaves out {words}; track the film without"]


def test_sound_is_left_out_and_told_unless_it_is_asked_for(run_cli, door, tmp_path):
    av = pytest.importorskip("av", reason="PyAV, of the extra `video`, is not installed")
    loud = tmp_path / "loud.mp4"
    _with_sound(av, door, loud)
    done = run_cli("anonymize", loud, "-o", tmp_path / "o.mp4", "--codec", "mpeg4")
    assert done.returncode == 0, done.stderr
    assert "left out: sound (1), GPS position (1)" in done.errors[0]
    assert b"+59.33" not in (tmp_path / "o.mp4").read_bytes()
    run_cli("anonymize", loud, "-o", tmp_path / "s.mp4", "--codec", "mpeg4", "--audio", "copy")
    heard = []
    for path in (loud, tmp_path / "o.mp4", tmp_path / "s.mp4"):
        with av.open(str(path)) as film:
            streams = film.streams.audio
            heard.append([bytes(packet) for packet in film.demux(streams)] if streams else None)
    assert heard[1] is None
    assert heard[0] == heard[2]


def test_sound_that_the_copy_can_not_hold_is_refused_before_work(run_cli, door, tmp_path):
    av = pytest.importorskip("av", reason="PyAV, of the extra `video`, is not installed")
    _with_sound(av, door, tmp_path / "loud.mp4")
    for words in (("anonymize", "-o", "o.webm", "--audio", "copy"), ("track", "--annotate", "o.webm")):
        done = run_cli(words[0], "loud.mp4", *words[1:], cwd=tmp_path)
        assert done.returncode == 1
        (error,) = done.errors
        assert "webm holds no sound of the codec aac; say --audio none" in error
    assert not (tmp_path / "o.webm").exists()


def test_a_codec_that_one_of_many_can_not_hold_stops_that_one_alone(run_cli, door, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.webm").write_bytes(door.read_bytes())
    (tmp_path / "in" / "b.mp4").write_bytes(door.read_bytes())
    done = run_cli("anonymize", "in", "-o", "out", "--codec", "mpeg4", "--json", cwd=tmp_path)
    assert done.returncode == 1
    assert "webm holds no mpeg4" in done.json["files"][0]["error"]["message"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.mp4"]


def test_subtitles_are_left_out_and_told(run_cli, door, tmp_path):
    av = pytest.importorskip("av", reason="PyAV, of the extra `video`, is not installed")
    (tmp_path / "words.srt").write_text("1\n00:00:00,100 --> 00:00:00,600\nEileen comes in.\n")
    spoken = tmp_path / "spoken.mkv"
    with av.open(str(door)) as film, av.open(str(tmp_path / "words.srt")) as words, av.open(str(spoken), "w") as out:
        kept = film.streams.video[0], words.streams.subtitles[0]
        streams = [out.add_stream_from_template(stream) for stream in kept]
        for source, stream in zip((film, words), streams, strict=True):
            for packet in source.demux(0):
                if packet.dts is not None:
                    packet.stream = stream
                    out.mux(packet)
    assert b"Eileen comes in." in spoken.read_bytes()
    done = run_cli("anonymize", spoken, "-o", tmp_path / "o.mkv", "--codec", "mpeg4", "--audio", "copy")
    assert done.returncode == 0, done.stderr
    assert "left out: subtitles (1)" in done.errors[0]
    assert b"Eileen comes in." not in (tmp_path / "o.mkv").read_bytes()
    with av.open(str(tmp_path / "o.mkv")) as film:
        assert [stream.type for stream in film.streams] == ["video"]


def _with_sound(av: Any, film: Path, target: Path) -> None:
    """Write a film anew with a tone and a position."""
    with av.open(str(target), "w", options={"movflags": "use_metadata_tags"}) as out:
        out.metadata["location"] = "+59.33+018.06/"
        stream = out.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 480, 270, "yuv420p"
        voice = out.add_stream("aac", rate=16000)
        voice.layout = "mono"
        for number, (_, shown) in enumerate(frames_of(film)):
            frame = av.VideoFrame.from_ndarray(shown, format="rgb24")
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        tone = np.sin(np.arange(16000) / 20)[None].astype(np.float32)
        frame = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 16000, 0
        out.mux(voice.encode(frame))
        out.mux(voice.encode(None))


def test_a_broken_film_leaves_nothing(run_cli, door, tmp_path):
    (tmp_path / "cut.mp4").write_bytes(door.read_bytes()[:3000])
    (tmp_path / "text.mp4").write_bytes(b"no film")
    done = run_cli("anonymize", tmp_path / "cut.mp4", tmp_path / "text.mp4", "-o", tmp_path / "out", "--json")
    assert done.returncode == 1
    assert [file["error"]["code"] for file in done.json["files"]] == ["decode", "decode"]
    assert not [*(tmp_path / "out").iterdir()]


def test_a_film_whose_writing_is_killed_leaves_no_half_copy(cli_env, door, tmp_path):
    line = [sys.executable, "-m", "facecli", "anonymize", str(door), "-o", str(tmp_path / "o.mp4"), "--codec", "mpeg4"]
    process = subprocess.Popen(line, env=cli_env, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not [*tmp_path.glob(".facecli-*")]:
        time.sleep(0.01)
    process.kill()
    killed = process.wait() == -signal.SIGKILL
    assert not killed or not (tmp_path / "o.mp4").exists() or len(frames_of(tmp_path / "o.mp4")) == 20


def test_a_picture_from_standard_input(run_cli, collins, tmp_path):
    done = run_cli("anonymize", "-", "-o", tmp_path / "o.jpg", "--json", input=collins)
    assert done.returncode == 0, done.stderr
    assert covered(np.asarray(cv2.imdecode(np.frombuffer(collins, np.uint8), 1)), pixels(tmp_path / "o.jpg")).any()
    assert io.BytesIO((tmp_path / "o.jpg").read_bytes()).read(3) == b"\xff\xd8\xff"
