"""The requests of the projects that facecli was made of, word for word, and the answers in their sentences."""

from __future__ import annotations

import os
import time

import pytest


@pytest.fixture(scope="module")
def pictures(examples, tmp_path_factory):
    """A server of pictures, as HOST:PORT."""
    import functools
    import threading
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

        def do_GET(self) -> None:
            if self.path != "/damaged.jpg":
                super().do_GET()
                return
            half = (examples / "collins.jpg").read_bytes()[:20_000]
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(half)))
            self.end_headers()
            self.wfile.write(half)

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(examples)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def server(start_server, pictures):
    return start_server("--allow-url", pictures)


def download(server, url):
    return server.get("/api/download_image", params={"url": url}).json()


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("collins_variant.jpg", {"verified": True, "message": "Images are of the same person"}),
        ("hopper.jpg", {"verified": False, "message": "Images are of different persons"}),
    ],
)
def test_two_downloads_are_compared(server, pictures, second, expected):
    names = []
    for name in ("collins.jpg", second):
        answer = download(server, f"http://{pictures}/{name}")
        names.append(answer.pop("path"))
        assert answer == {"success": True, "message": "Image downloaded successfully"}
    answer = server.get("/api/verify_similarity", params={"image1_path": names[0], "image2_path": names[1]}).json()
    assert expected.items() <= answer.items()


@pytest.mark.parametrize("name", ["missing.jpg", "CREDITS.md"])
def test_what_is_no_picture_is_not_downloaded(server, pictures, name):
    answer = download(server, f"http://{pictures}/{name}")
    failed = {"success": False, "message": "Failed to download image. Check the URL and try again."}
    assert failed.items() <= answer.items()


@pytest.mark.parametrize("path", ["/etc/passwd", "../people.db", "", "0" * 32, "a" * 31])
def test_no_other_file_is_read(server, path):
    answer = server.get("/api/verify_similarity", params={"image1_path": path, "image2_path": path})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/api/analyze/emotion", "/analyze/emotion"])
def test_emotions_are_filtered(server, pictures, path):
    wish = {
        "image_url": f"http://{pictures}/collins.jpg",
        "face_detection": True,
        "face_embedding": True,
        "emotion_labels": ["happy", "sad"],
    }
    answer = server.post(path, json=wish).json()
    assert answer.keys() == {"emotions", "face_detected", "face_embedding"}
    assert answer["emotions"].keys() == {"happy", "sad"}
    assert all(0 <= value <= 1 for value in answer["emotions"].values())
    assert answer["face_detected"] is True
    assert len(answer["face_embedding"]) == 128


def test_defaults_are_those_of_the_earlier_project(server, pictures):
    answer = server.post("/api/analyze/emotion", json={"image_url": f"http://{pictures}/collins.jpg"}).json()
    assert answer.keys() == {"emotions", "face_detected"}
    assert len(answer["emotions"]) >= 7
    assert sum(answer["emotions"].values()) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    "wish",
    [
        {"image_url": "nowhere"},
        {},
        {"image_url": 7},
        {"image_url": "http://169.254.169.254/a.jpg"},
        {"image_url": "file:///a"},
    ],
)
def test_a_url_that_leads_to_no_picture_is_invalid(server, wish):
    answer = server.post("/analyze/emotion", json=wish)
    assert (answer.status_code, answer.json()) == (400, {"error": "Invalid image_url provided"})


def test_a_damaged_picture_at_a_url_is_invalid(server, pictures):
    answer = server.post("/analyze/emotion", json={"image_url": f"http://{pictures}/damaged.jpg"})
    assert (answer.status_code, answer.json()) == (400, {"error": "Invalid image_url provided"})
    answer = server.get("/recognition", params={"image_url": f"http://{pictures}/damaged.jpg"})
    assert (answer.status_code, answer.json()["result"]) == (400, "error during prediction")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("emotion_labels", value) for value in ("happy", {"happy": True}, [1], [["happy"]], None)),
        *(("face_detection", value) for value in ("yes", 1, None)),
        ("face_embedding", "no"),
    ],
)
def test_a_field_of_another_type_is_named(server, pictures, field, value):
    wish = {"image_url": f"http://{pictures}/collins.jpg", field: value}
    answer = server.post("/api/analyze/emotion", json=wish)
    assert (answer.status_code, answer.json()) == (400, {"error": f"Invalid {field} provided"})


def test_recognition_names_people(server, pictures, examples, collins):
    assert server.get("/recognition").json()["people"] == 0
    assert server.post("/v1/people", data={"name": "Eileen Collins"}, files={"images": collins}).status_code == 201
    assert server.get("/recognition").json()["people"] == 1
    variant = (examples / "collins_variant.jpg").read_bytes()
    answer = server.post("/recognition", files={"image": variant}).json()
    assert answer["result"] == answer["faces"][0]["name"] == "Eileen Collins"
    other = server.get("/recognition", params={"image_url": f"http://{pictures}/hopper.jpg"}).json()
    assert other["result"] == "unknown"
    failed = server.post("/recognition", files={"image": b"words"})
    assert failed.status_code == 400
    assert failed.json()["result"] == "error during prediction"
    assert failed.json()["error"]


def test_no_time_is_told_in_their_words(start_server, pictures, collins):
    server = start_server("--allow-url", pictures, "--seconds", "0.000001")
    failed = server.post("/recognition", files={"image": collins})
    assert (failed.status_code, failed.json()["result"]) == (503, "error during prediction")
    failed = server.post("/api/analyze/emotion", json={"image_url": f"http://{pictures}/collins.jpg"})
    assert failed.status_code == 503
    assert failed.json().keys() == {"error"}
    assert isinstance(failed.json()["error"], str)


def test_what_nobody_expects_is_a_bug_with_an_id(start_server, tmp_path):
    """A journal that is damaged in the file stands for a bug."""
    import contextlib
    import sqlite3

    gallery = tmp_path / "people.db"
    server = start_server("--gallery", str(gallery))
    with contextlib.closing(sqlite3.connect(gallery)) as connection, connection:
        sql = "INSERT INTO journal (time, action, backward) VALUES ('now', 'rename', '[]')"
        connection.execute(sql)
    failed = server.post("/v1/undo")
    assert (failed.status_code, failed.headers["content-type"]) == (500, "application/json")
    assert failed.json()["error"]["code"] == "bug"
    assert failed.json()["request_id"] == failed.headers["x-request-id"]
    server.process.terminate()
    server.process.wait(60)  # the answer goes out before the log is written
    assert failed.json()["request_id"] in server.errors.read_text()


def test_a_download_is_kept_for_an_hour(tmp_path):
    from facecli.server.downloads import SECONDS, Downloads
    from facecli.server.refusals import RefusalError

    downloads = Downloads(tmp_path)
    name, other = downloads.keep(b"a"), downloads.keep(b"b")
    old = time.time() - SECONDS - 1
    os.utime(tmp_path / name, (old, old))
    with pytest.raises(RefusalError):
        downloads.source(name)
    assert [path.name for path in tmp_path.iterdir()] == [other]
    assert downloads.source(other).name == other
