"""Live views through a real server: frames in, people with their numbers and names out."""

from __future__ import annotations

import json

import numpy as np
import pytest

cv2 = pytest.importorskip("cv2")


@pytest.fixture(scope="module")
def server(start_server):
    return start_server("--live-fps", "20")


@pytest.fixture
def look(server):
    """Open a live view; return what sends a frame and returns the answer."""
    from websockets.sync.client import connect

    with connect(server.address.replace("http", "ws") + "/v1/live", proxy=None, open_timeout=120) as socket:

        def one(frame: bytes) -> dict:
            socket.send(frame)
            return json.loads(socket.recv(120))

        yield one


@pytest.fixture
def frames(examples):
    """Frames of a camera, 480 x 256 px: which of two portraits are in it, and how far they have moved."""
    faces = {}
    for name in ("collins", "hopper"):
        portrait = cv2.imread(str(examples / f"{name}.jpg"))
        faces[name] = cv2.resize(portrait, (220, 240), interpolation=cv2.INTER_AREA)

    def make(*names: str, shift: int = 0) -> bytes:
        frame = np.full((256, 480, 3), 90, np.uint8)
        for name in names:
            left = (4 if name == "collins" else 244) + shift
            frame[8:248, left : left + 220] = faces[name]
        return cv2.imencode(".jpg", frame)[1].tobytes()

    return make


def until(look, frame, wanted):
    """Send a frame until an answer is as wanted; return its faces."""
    for _ in range(200):
        answer = look(frame)
        assert answer["error"] is None
        if wanted(answer["faces"]):
            return answer["faces"]
    raise AssertionError(answer)


def people(faces):
    return sorted((face["person"] or "", face["track"]) for face in faces)


def test_who_is_seen_has_one_number_and_a_name_for_as_long_as_the_gallery_knows_them(server, look, frames, collins):
    (stranger,) = until(look, frames("collins"), lambda faces: faces and faces[0]["outcome"] == "unknown")
    assert (stranger["track"], stranger["person"], stranger["distance"]) == (1, None, None)
    (item,) = server.get("/v1/review").json()["items"]
    assert item["suggestion"] is None
    assert server.post(f"/v1/review/{item['id']}", json={"answer": "yes"}).status_code == 400
    assert server.post(f"/v1/review/{item['id']}", json={"answer": "yes", "person": "Ada"}).json()["undoable"]
    assert server.post("/v1/undo").status_code == 200  # the face is nobody's, and nobody is Ada
    assert server.get("/v1/people").json()["people"] == []
    (item,) = server.get("/v1/review").json()["items"]
    assert server.post(f"/v1/review/{item['id']}", json={"answer": "yes", "person": "Ada"}).status_code == 200

    (known,) = until(look, frames("collins"), lambda faces: faces and faces[0]["person"])
    assert (known["track"], known["person"], known["outcome"]) == (1, "Ada", "known")
    assert known["distance"] < 0.1
    until(look, frames("collins"), lambda faces: faces[0]["emotion"])

    for shift in (0, 4, 8, 4):
        both = look(frames("collins", "hopper", shift=shift))["faces"]
        assert {face["track"] for face in both} == {1, 2}
    for _ in range(45):  # longer than a face that is lost is waited for
        assert look(frames("hopper"))["faces"][0]["track"] == 2
    assert {face["track"] for face in look(frames("collins", "hopper"))["faces"]} == {1, 2}
    both = until(look, frames("collins", "hopper"), lambda faces: any(face["person"] for face in faces))
    assert people(both) == [("", 2), ("Ada", 1)]

    (ada,) = server.get("/v1/people").json()["people"]
    assert server("DELETE", f"/v1/people/{ada['uid']}").status_code in (200, 204)
    assert server.get("/v1/review").json()["items"] == []  # strangers may have been Ada
    assert people(look(frames("collins", "hopper"))["faces"]) == [("", 1), ("", 2)]


def test_a_frame_that_is_no_picture_does_not_end_a_view(look, frames):
    assert look(b"no picture")["error"]["code"] == "decode"
    assert look(frames("hopper"))["faces"][0]["track"] == 1


@pytest.mark.parametrize(
    ("first", "session"),
    [
        ('{"key": "KEY"}', False),
        ('{"key": "KEY"}', True),
        ('{"key": "stale"}', True),
        (None, True),
        ('{"key": "stale"}', False),
        ("[" * 100_000, False),
        (None, False),
    ],
    ids=("key", "both", "stale and session", "session", "stale", "deep", "neither"),
)
def test_a_key_and_a_session_admit_together_and_alone(locked, frames, first, session):
    """A page with a key sends it first, whether or not somebody is logged in."""
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    server, key, cookie = locked
    headers = {"Cookie": cookie} if session else {}
    address = server.address.replace("http", "ws") + "/v1/live"
    with connect(address, proxy=None, open_timeout=120, additional_headers=headers) as socket:
        if first is not None:
            socket.send(first.replace("KEY", key))
        admitted = session or (first is not None and "KEY" in first)
        if admitted or first is None:  # who is refused at once may find the connection gone
            socket.send(frames("hopper"))
        if admitted:
            assert json.loads(socket.recv(120))["faces"][0]["track"] == 1
        else:
            with pytest.raises(ConnectionClosed, match="needs a key"):
                socket.recv(120)


def test_a_key_that_nobody_asks_for_does_no_harm(server, frames):
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    with connect(server.address.replace("http", "ws") + "/v1/live", proxy=None, open_timeout=120) as socket:
        socket.send('{"key": "stale"}')
        socket.send(frames("hopper"))
        assert json.loads(socket.recv(120))["faces"][0]["track"] == 1
        socket.send("a text in the place of a frame")
        with pytest.raises(ConnectionClosed, match="a frame is bytes"):
            socket.recv(120)


@pytest.fixture(scope="module")
def locked(start_server, examples, tmp_path_factory):
    """A server with keys; a key for everything, and the cookie of Grace's session."""
    from facecli.server.keys import Keys

    path = tmp_path_factory.mktemp("keys") / "keys.json"
    key = Keys.add(path, "mine", "admin")
    server = start_server("--keys", str(path), "--live-fps", "20")
    picture = cv2.imread(str(examples / "hopper.jpg"))
    shifted = [np.roll(picture, shift, axis=1) for shift in range(0, 6, 2)]
    files = [("images", (f"{n}.jpg", cv2.imencode(".jpg", one)[1].tobytes())) for n, one in enumerate(shifted)]
    own = {"Authorization": f"Bearer {key}"}
    answer = server.post("/v1/signup", data={"name": "Grace", "consent": "yes"}, files=files, headers=own)
    assert answer.status_code == 201, answer.text
    return server, key, answer.headers["Set-Cookie"].partition(";")[0]
