"""`facecli track` of streams: servers of this process play the camera, over HTTP and RTSP."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
import cameras
from test_schemas import schema_of

av = pytest.importorskip("av", reason="PyAV, of the extra `video`, is not installed")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory) -> bytes:
    """Ten grey frames as an MPEG transport stream."""
    return cameras.recording(tmp_path_factory.mktemp("stream"))


@pytest.fixture
def camera(recorded) -> Iterator[Callable[[str], str]]:
    """A function that returns the address of a camera: `once`, `endless`, or one that is `closed` to us."""
    gone = threading.Event()

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401 if self.path == "/closed" else 200)
            self.end_headers()
            if self.path != "/closed":
                self.wfile.write(recorded)
                self.wfile.flush()
            if self.path.startswith("/endless"):
                gone.wait(60)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield lambda path: f"http://door:opensesame@127.0.0.1:{server.server_port}/{path}"
    gone.set()
    server.shutdown()
    server.server_close()


def followed(words, env, seen: Callable[[list[dict]], bool]) -> tuple[list[dict], int, bytes]:
    """Follow until the events so far are `seen`, and press Ctrl-C; return all events, exit code and errors."""
    command = [sys.executable, "-m", "facecli", *map(str, words), "--format", "jsonl"]
    events: list[dict] = []
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            while not seen(events):
                events.append(json.loads(process.stdout.readline()))
            process.send_signal(signal.SIGINT)
            rest, errors = process.communicate(timeout=100)
        finally:
            process.kill()
    return [*events, *map(json.loads, rest.splitlines())], process.returncode, errors


def test_a_stream_is_followed_and_its_password_is_told_nowhere(run_cli, camera):
    done = run_cli("track", camera("once"), "--no-join", "--retry", "0", "--format", "jsonl")
    assert done.returncode == 1
    assert "broke off" in done.errors[0]
    events = done.jsonl
    for event in events:
        schema_of(event).validate(event)
    kinds = [event["event"] for event in events]
    assert kinds == ["stream.started", "stream.gap", "stream.ended"]
    assert events[0]["live"]
    assert (events[1]["retry_in"], events[1]["attempt"]) == (None, 1)
    assert "broke off" in events[1]["reason"]
    assert 0 < events[-1]["frames"] <= 10
    assert b"opensesame" not in done.stdout + done.stderr


def test_a_stream_that_refuses_is_told_without_its_password(run_cli, camera):
    done = run_cli("track", camera("closed"), "--no-join", "--json")
    assert done.returncode == 1
    assert "does not answer" in done.errors[0]
    assert b"opensesame" not in done.stdout + done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_ctrl_c_ends_a_stream_in_order(cli_env, camera, tmp_path):
    places = ("--annotate", tmp_path / "copy.mp4", "--codec", "mpeg4")
    words = ("track", camera("endless"), "--no-join", "--frames", *places)
    events, status, errors = followed(words, cli_env, lambda seen: len(seen) == 2)
    assert status == 130, errors
    assert [events[0]["event"], events[1]["event"], events[-1]["event"]] == ["stream.started", "frame", "stream.ended"]
    with av.open(str(tmp_path / "copy.mp4")) as film:
        assert sum(1 for _ in film.decode(video=0)) == events[-1]["frames"]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_an_rtsp_camera_comes_back_after_a_break(cli_env, recorded):
    with cameras.rtsp(recorded) as port:
        address = f"rtsp://{cameras.USER}:{cameras.PASSWORD}@127.0.0.1:{port}/door"
        words = ("track", address, "--no-join", "--frames")
        back = ["stream.gap", "frame"]
        events, status, errors = followed(words, cli_env, lambda seen: [one["event"] for one in seen[-2:]] == back)
    for event in events:
        schema_of(event).validate(event)
    assert status == 130, errors
    kinds = [event["event"] for event in events]
    assert kinds[:2] == ["stream.started", "frame"]
    assert "frame" in kinds[kinds.index("stream.gap") :]
    gap = events[kinds.index("stream.gap")]
    assert (gap["reason"], gap["retry_in"]) == ("the stream has ended", 1)
    times = [event["time"] for event in events if event["event"] == "frame"]
    assert times == sorted(times)
    assert cameras.PASSWORD not in json.dumps(events) + errors.decode()


def test_an_rtsp_camera_with_another_password_is_told_without_it(run_cli, recorded):
    with cameras.rtsp(recorded) as port:
        done = run_cli("track", f"rtsp://{cameras.USER}:guessed@127.0.0.1:{port}/door", "--no-join", "--json")
    assert done.returncode == 1
    assert "401 Unauthorized" in done.errors[0]
    assert b"guessed" not in done.stdout + done.stderr


def test_jpegs_over_http_are_a_stream(run_cli):
    pictures = [cv2.imencode(".jpg", np.full((48, 64, 3), 8 * number, np.uint8))[1].tobytes() for number in range(25)]
    with cameras.jpegs(pictures) as port:
        line = ("track", f"http://127.0.0.1:{port}/video", "--no-join", "--retry", "0", "--format", "jsonl")
        done = run_cli(*line)
    started, *_, ended = done.jsonl
    assert (started["live"], started["width"], started["height"]) == (True, 64, 48)
    assert 0 < ended["frames"] <= 25 == ended["frames"] + ended["dropped"]


def test_a_stream_is_no_picture_and_the_error_tells_who_follows_it(run_cli, staff, tmp_path):
    with cameras.jpegs([b"\xff\xd8\xff"]) as port:
        done = run_cli("identify", f"http://127.0.0.1:{port}/video", *staff)
        assert done.returncode == 1
        assert "facecli track" in done.errors[0]
        assert "--gallery" in done.errors[0]
        refused = run_cli("anonymize", f"http://127.0.0.1:{port}/video", "-o", tmp_path / "copy.mp4")
    assert refused.returncode == 2
    assert "record the stream first" in refused.errors[0]


def test_two_cameras_are_followed_at_once(cli_env, camera, tmp_path):
    # The first one never ends, so the second would never be seen if it had to wait.
    addresses = (camera("endless"), camera("endless-too"))
    words = ("track", *addresses, "--no-join", "--frames", "--annotate", tmp_path / "copies", "--codec", "mpeg4")

    def both(seen: list[dict]) -> bool:
        return len({event["source"] for event in seen if event["event"] == "frame"}) == 2

    events, status, errors = followed(words, cli_env, both)
    assert status == 130, errors
    assert errors == b""
    for source in {event["source"] for event in events}:
        kinds = [event["event"] for event in events if event["source"] == source]
        assert (kinds[0], {*kinds[1:-1]}, kinds[-1]) == ("stream.started", {"frame"}, "stream.ended")
    assert {path.name for path in (tmp_path / "copies").iterdir()} == {"endless.mp4", "endless-too.mp4"}


def test_the_faces_of_two_cameras_have_their_names_and_crops(run_cli, staff, door, tmp_path):
    with av.open(str(door[0])) as film:
        frames = [frame.to_ndarray(format="bgr24") for frame in film.decode(video=0)]
    pictures = [cv2.imencode(".jpg", pixels)[1].tobytes() for pixels in frames]
    crops = tmp_path / "crops"
    with cameras.jpegs(pictures, pause=0.2) as port:
        addresses = [f"http://127.0.0.1:{port}/{name}" for name in ("in", "out")]
        done = run_cli("track", *addresses, *staff, "--retry", "0", "--crops", crops, "--json")
    assert len(done.json["films"]) == 2
    for film in done.json["films"]:
        assert film["live"]
        assert {track["person"]["name"] for track in film["tracks"] if track["person"]["name"]} <= {"Eileen", "Grace"}
        assert all(Path(path).is_file() for track in film["tracks"] for path in track["crops"])
    assert {path.parent.name for path in crops.rglob("*.jpg")} & {"Eileen", "Grace"}


def test_a_camera_beside_a_film_is_refused(run_cli):
    done = run_cli("track", "camera:0", "door.mp4")
    assert done.returncode == 2
    assert "would wait" in done.errors[0]
