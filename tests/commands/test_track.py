"""`facecli track`, on a short film of two people who are known."""

from __future__ import annotations

import csv
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from test_schemas import schema_of

from facecli.output.marks import GREEN

av = pytest.importorskip("av", reason="PyAV, of the extra `video`, is not installed")


def frames_of(path: Path) -> Iterator[np.ndarray]:
    """The frames of a film, RGB."""
    with av.open(str(path)) as film:
        yield from (frame.to_ndarray(format="rgb24") for frame in film.decode(video=0))


def green(pixels: np.ndarray) -> int:
    """How many pixels are of the colour of people who are known."""
    return int((np.abs(pixels.astype(int) - GREEN).max(2) < 40).sum())


def test_each_person_is_one_track_with_a_name(run_cli, door, staff, tmp_path):
    film, truth = door
    mot, crops, copy = tmp_path / "tracks.txt", tmp_path / "crops", tmp_path / "copy.mp4"
    places = ("--mot", mot, "--crops", crops, "--crops-per-track", "2", "--annotate", copy, "--codec", "mpeg4")
    done = run_cli("track", film, *staff, *places, "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    events = done.jsonl
    for event in events:
        schema_of(event).validate(event)
    assert [events[0]["event"], events[-1]["event"]] == ["stream.started", "stream.ended"]
    assert (events[-1]["frames"], events[-1]["people"], events[-1]["error"]) == (30, 2, None)
    names = [event["person"]["name"] for event in events if event["event"] == "track.ended"]
    assert {*names} == {"Eileen", "Grace"}
    assert {path.parent.name for path in crops.rglob("*.jpg")} == {"Eileen", "Grace"}
    (kept, *_) = [event["crops"] for event in events if event["event"] == "track.ended"]
    assert len(kept) == 2
    assert all(Path(path).is_file() for path in kept)
    figures = run_cli("evaluate-tracking", truth, mot, "--json").json
    assert figures["idf1"] > 0.9
    first, *others = frames_of(copy)
    assert len(others) == 29
    # Names are known after some looks, and drawn from the first frame on, in green.
    assert green(first) > green(next(frames_of(film))) + 300


def test_a_document_has_a_record_per_film_and_failures_are_told(run_cli, door, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no film")
    done = run_cli("track", broken, door[0], "--no-join", "--every", "3", "--json")
    assert done.returncode == 1
    schema_of(done.json).validate(done.json)
    failed, film = done.json["films"]
    assert failed["error"]["code"] == "decode"
    assert failed["tracks"] == []
    assert film["detected_frames"] == 10
    assert len(done.errors) == 1


def test_emotions_are_told_as_they_last(run_cli, door):
    done = run_cli("track", door[0], "--no-join", "--attributes", "emotion", "--window", "0.5", "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    told = [event for event in done.jsonl if event["event"] == "track.attribute"]
    assert {event["track"] for event in told} <= {1, 2}
    # Collins smiles. A label has to lead for half a second, and no more than the window is averaged.
    assert "happy" in {event["label"] for event in told}
    assert all(event["time"] >= 0.5 and event["window"] == 0.5 and event["samples"] <= 4 for event in told)
    table = run_cli("track", door[0], "--no-join", "--attributes", "emotion", "--every", "3", "--format", "csv")
    assert "happy" in {row["emotion"] for row in csv.DictReader(table.stdout.decode().splitlines())}
    ended = {event["track"]: event["attributes"]["emotion"] for event in done.jsonl if event["event"] == "track.ended"}
    assert all(abs(sum(row.values()) - 1) < 0.01 for row in ended.values())


def test_a_folder_without_films_is_an_error(run_cli, tmp_path):
    done = run_cli("track", tmp_path, "--json")
    assert done.returncode == 2
    assert "no films in the folder" in done.errors[0]


def test_without_pyav_one_line_says_what_to_install(run_cli, door, tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    (site / "av.py").write_text("raise ImportError('no av here')\n")
    for command in ("track", "anonymize"):
        done = run_cli(
            command,
            door[0],
            *(("-o", tmp_path / "out.mp4") if command == "anonymize" else ()),
            env={"PYTHONPATH": str(site)},
        )
        assert (done.returncode, len(done.errors)) == (4, 1), done.stderr
        assert "facecli[video]" in done.errors[0]


def test_identify_takes_films_too(run_cli, door, staff, examples):
    done = run_cli("identify", door[0], *staff, "--threshold", "0.5", "--exit-code", "--json")
    assert done.returncode == 0, done.stderr
    (film,) = done.json["films"]
    assert {track["person"]["name"] for track in film["tracks"]} == {"Eileen", "Grace"}
    nobody = run_cli("identify", door[0], *staff, "--threshold", "0", "--exit-code", "--json")
    assert nobody.returncode == 3
    mixed = run_cli("identify", door[0], examples / "collins.jpg", *staff)
    assert (mixed.returncode, "among pictures" in mixed.errors[0]) == (2, True)


def test_identify_takes_folders_of_films_and_lists_its_candidates(run_cli, door, staff, tmp_path):
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "door.mp4").write_bytes(door[0].read_bytes())
    for top in (1, 2):
        done = run_cli("identify", tmp_path / "films", *staff, "--top", str(top), "--json")
        assert done.returncode == 0, done.stderr
        assert {len(track["person"]["candidates"]) for track in done.json["films"][0]["tracks"]} == {top}


def test_identify_refuses_what_it_can_not_do_with_films(run_cli, door, staff, tmp_path):
    names = tmp_path / "names.txt"
    names.write_text(f"{door[0]}\n")
    beside = run_cli("identify", door[0], "--files-from", names, *staff)
    assert (beside.returncode, "among pictures" in beside.errors[0]) == (2, True)
    required = run_cli("identify", door[0], "--require-face", *staff)
    assert (required.returncode, "--require-face is of pictures" in required.errors[0]) == (2, True)
    listed = run_cli("identify", "--files-from", names, *staff, "--json")
    assert (listed.returncode, "is a film in a list" in listed.errors[0]) == (1, True)


def test_places_that_can_not_be_are_refused_before_work(run_cli, door):
    done = run_cli("track", door[0], "--annotate", door[0])
    assert done.returncode == 2
    assert "would overwrite the input" in done.errors[0]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("a.mp4", "--annotate", "q.mp4", "--mot", "./q.mp4"), "--mot and --annotate would both write"),
        (("a.mp4", "--mot", "q.csv", "-o", "q.csv"), "--mot and --output would both write"),
        (("a.mp4", "--mot", "q", "--crops", "q"), "--mot and --crops would both write"),
        (("a.mp4", "b.mp4", "a.mp4", "--crops", "q"), "a.mp4 was named twice"),
        (("rtspu://user:secret@127.0.0.1:1/x",), "rtspu:// is not read"),
    ],
)
def test_what_can_not_be_is_refused_before_work(run_cli, tmp_path, words, reason):
    done = run_cli("track", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert reason in done.errors[0]
    assert b"secret" not in done.stderr
    assert [*tmp_path.iterdir()] == []


def test_copies_of_films_of_one_name_are_numbered(run_cli, door, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "door.mp4").write_bytes(door[0].read_bytes())
    places = ("--annotate", "out", "--crops", "out", "--codec", "mpeg4")
    done = run_cli("track", "a/door.mp4", "b/door.mp4", "--no-join", "--max-frames", "3", *places, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "out").glob("*.mp4")} == {"door.mp4", "door-2.mp4"}
    crops = {path.name.partition("-t")[0] for path in (tmp_path / "out").rglob("*.jpg")}
    assert crops == {"door", "door-2"}


def test_frames_at_work_at_once_change_nothing(run_cli, door):
    alone, together = (
        run_cli("track", door[0], "--frames", "--json", "--jobs", jobs, "--threads", "1").json for jobs in ("1", "3")
    )
    for document in (alone, together):
        document["films"][0].pop("seconds")
    assert alone == together


def test_a_pipe_is_read_once(run_cli, door, tmp_path):
    """FFmpeg's transport stream goes through one; an MP4 is read from its end."""
    stream, pipe, copy = tmp_path / "door.ts", tmp_path / "pipe.ts", tmp_path / "copy.mp4"
    with av.open(str(stream), "w") as written:
        given = written.add_stream("mpeg2video", rate=25, width=480, height=270, pix_fmt="yuv420p")
        for pixels in frames_of(door[0]):
            written.mux(given.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        written.mux(given.encode(None))
    os.mkfifo(pipe)
    writing = threading.Thread(target=lambda: pipe.write_bytes(stream.read_bytes()), daemon=True)
    writing.start()
    done = run_cli("track", pipe, "--annotate", copy, "--codec", "mpeg4", "--json")
    writing.join(20)
    assert done.returncode == 0, done.stderr
    assert done.json["films"][0]["frames"] == 30
    assert len([*frames_of(copy)]) == 30
    refused = run_cli("track", "-", "--json")
    assert refused.returncode == 2
    assert b"stdin" in refused.stderr
