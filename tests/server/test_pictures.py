"""Pictures sent over HTTP get the documents of the command line."""

from __future__ import annotations

import json
import re

import pytest

CHANGING = ("seconds",)


def stable(document):
    return {name: value for name, value in document.items() if name not in CHANGING}


def test_health_tells_the_version(server):
    answer = server.get("/v1/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    ready = server.get("/v1/ready")
    assert ready.json().get("status") == "ready" or ready.json()["error"]["code"] == "starting"


@pytest.mark.parametrize("command", ["detect", "embed", "analyze"])
def test_a_picture_gets_the_document_of_its_command(server, run_cli, examples, command):
    picture = examples / "collins.jpg"
    answer = server.post(f"/v1/{command}", data=picture.read_bytes(), headers={"Content-Type": "image/jpeg"})
    assert answer.status_code == 200, answer.text
    expected = run_cli(command, picture, "--json", "--threads", "1").json
    expected["images"][0]["source"] = "image"
    assert answer.json() == expected


def test_a_form_names_its_picture(server, collins):
    answer = server.post("/v1/detect", files={"image": ("me.jpg", collins)})
    assert answer.json()["images"][0]["source"] == "me.jpg"
    assert len(answer.json()["images"][0]["faces"]) == 1


def test_two_pictures_are_compared(server, run_cli, examples):
    a, b = examples / "collins.jpg", examples / "hopper.jpg"
    answer = server.post("/v1/verify", files={"image1": (a.name, a.read_bytes()), "image2": (b.name, b.read_bytes())})
    expected = run_cli("verify", a, b, "--json", "--threads", "1").json
    for record, name in zip(expected["images"], ("collins.jpg", "hopper.jpg"), strict=True):
        record["source"] = name
    assert stable(answer.json()) == stable(expected)
    assert answer.json()["verified"] is False


@pytest.mark.parametrize(
    ("path", "more", "status", "code"),
    [
        ("/v1/detect", {"data": b"no picture", "headers": {"Content-Type": "image/jpeg"}}, 422, "decode"),
        ("/v1/detect", {"data": b"", "headers": {"Content-Type": "image/jpeg"}}, 422, "input"),
        ("/v1/detect", {"data": b"x", "headers": {"Content-Type": "text/plain"}}, 415, "media_type"),
        ("/v1/detect", {"data": b"x"}, 415, "media_type"),
        ("/v1/detect", {"files": {"picture": ("a.jpg", b"x")}}, 400, "usage"),
        ("/v1/detect", {"data": b"[", "headers": {"Content-Type": "application/json"}}, 400, "usage"),
        ("/v1/detect?min_score=7", {"files": {"image": ("a.jpg", b"x")}}, 400, "usage"),
        ("/v1/detect?face=nose", {"files": {"image": ("a.jpg", b"x")}}, 400, "usage"),
        ("/v1/analyze?attributes=shoes", {"files": {"image": ("a.jpg", b"x")}}, 400, "usage"),
        ("/v1/detect", {"json": {"image_url": "http://example.org/a.jpg"}}, 422, "fetch"),
        ("/v1/identify", {"files": {"image": ("a.jpg", b"x")}}, 400, "usage"),
        ("/v1/nothing", {}, 404, "not_found"),
    ],
)
def test_what_can_not_be_answered_is_one_error(server, path, more, status, code):
    answer = server.post(path, **more)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "\n" not in answer.json()["error"]["message"]


def test_a_picture_without_a_face_is_an_error_if_one_is_required(server):
    import cv2
    import numpy as np

    blank = cv2.imencode(".png", np.zeros((99, 99, 3), np.uint8))[1].tobytes()
    assert server.post("/v1/detect", files={"image": blank}).json()["images"][0]["faces"] == []
    answer = server.post("/v1/detect?require_face=true", files={"image": blank})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "no_face")


def test_the_queue_is_told_in_numbers(server):
    text = server.get("/metrics").text
    assert re.search(r"^facecli_work \d+$", text, re.MULTILINE)
    assert re.search(r'^facecli_answers_total\{status="200"\} [1-9]', text, re.MULTILINE)


def test_openapi_describes_what_there_is(server):
    document = server.get("/openapi.json").json()
    assert {"/v1/detect", "/v1/verify", "/v1/identify"} <= document["paths"].keys()
    assert json.dumps(document).count("multipart/form-data") >= 5
