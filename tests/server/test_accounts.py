"""Signing up, logging in and leaving over HTTP; the page does the same in test_browser.py."""

from __future__ import annotations

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest


@pytest.fixture(scope="module")
def frames(examples):
    """Pictures of a camera: of the person of a sample portrait, which differ in their bytes."""

    def make(name: str):
        picture = np.asarray(cv2.imread(str(examples / name)))
        shifted = [np.roll(picture, shift, axis=1) for shift in range(0, 6, 2)]
        return [("images", (f"{n}.jpg", cv2.imencode(".jpg", one)[1].tobytes())) for n, one in enumerate(shifted)]

    return make


def test_whoever_has_a_pin_needs_it_to_log_in(start_server, frames, tmp_path):
    server = start_server("--gallery", str(tmp_path / "people.db"))
    kept, own = tmp_path / "people.db.pins.json", frames("collins.jpg")
    names = {"first_name": "Eileen", "last_name": "Collins", "consent": "yes"}

    short = server.post("/v1/signup", data=names | {"pin": "123"}, files=own)
    assert (short.status_code, short.json()["error"]["code"]) == (400, "usage")
    assert server.get("/v1/people").json()["people"] == []
    signed_up = server.post("/v1/signup", data=names | {"pin": "zebra 7"}, files=own)
    assert signed_up.status_code == 201, signed_up.text
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "zebra" not in kept.read_text()
    server.session.cookies.clear()

    def log_in(*pin: str):
        return server.post("/v1/login", data={"pin": pin[0]} if pin else None, files=own)

    for pin in ((), ("zebra 8",), ("",)):
        refused = log_in(*pin)
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "pin")
        assert "Set-Cookie" not in refused.headers
    assert log_in("zebra 7").json()["person"]["person"] == "Eileen Collins"
    assert server("DELETE", "/v1/me").status_code == 200
    assert json.loads(kept.read_text()) == {"pins": {}}
    assert log_in("zebra 7").json()["error"]["code"] == "not_recognised"
    assert log_in("zebra 7").status_code == 429


def test_who_has_no_pin_logs_in_without(start_server, frames):
    server = start_server()
    assert (
        server.post("/v1/signup", data={"name": "Grace"}, files=frames("hopper.jpg")).status_code == 400
    )  # no consent
    signed_up = server.post("/v1/signup", data={"name": "Grace", "consent": "yes"}, files=frames("hopper.jpg"))
    assert signed_up.status_code == 201, signed_up.text
    answer = server.post("/v1/login", files=frames("hopper.jpg"))
    assert answer.json()["person"]["person"] == "Grace"
    assert answer.cookies


def test_one_picture_several_times_is_one_picture(start_server, frames):
    server = start_server()
    one = 5 * frames("hopper.jpg")[:1]
    refused = server.post("/v1/signup", data={"name": "Grace", "consent": "yes"}, files=one)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "input")
    assert server.get("/v1/people").json()["people"] == []
    signed_up = server.post("/v1/signup", data={"name": "Grace", "consent": "yes"}, files=frames("hopper.jpg"))
    assert signed_up.status_code == 201, signed_up.text
    server.session.cookies.clear()
    assert server.post("/v1/login", files=one).status_code == 401
    assert server.post("/v1/login", files=frames("hopper.jpg")).status_code == 200


def test_a_face_alone_takes_nothing_along_and_erases_nobody_where_keys_lock(start_server, frames, cli_env, tmp_path):
    # The pictures that a key of the scope read may see are good enough to log in with.
    keys = tmp_path / "keys.json"
    made = {}
    for scope in ("read", "admin"):
        command = [sys.executable, "-m", "facecli", "serve", "--keys", str(keys), "--add-key", scope, "--scope", scope]
        done = subprocess.run([*command, "--json"], env=cli_env, capture_output=True, check=True)
        made[scope] = json.loads(done.stdout)["key"]
    server = start_server("--keys", str(keys))
    admin, read = ({"Authorization": f"Bearer {made[scope]}"} for scope in ("admin", "read"))
    added = server.post("/v1/people", data={"name": "Grace"}, files=frames("hopper.jpg")[:1], headers=admin)
    assert added.status_code == 201, added.text
    (uid,) = (one["uid"] for one in server.get("/v1/people", headers=admin).json()["people"])
    assert server.post("/v1/login", files=frames("hopper.jpg")).status_code == 200
    for headers in ({}, read):
        for method, path in (("GET", f"/v1/people/{uid}/export"), ("DELETE", "/v1/me")):
            refused = server(method, path, headers=headers)
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "pin")
    assert server.get(f"/v1/people/{uid}/export", headers=admin).status_code == 200
    server.session.cookies.clear()
    names = {"name": "Eileen", "consent": "yes", "pin": "zebra 7"}
    assert server.post("/v1/signup", data=names, files=frames("collins.jpg"), headers=admin).status_code == 201
    server.session.cookies.clear()
    logged_in = server.post("/v1/login", data={"pin": "zebra 7"}, files=frames("collins.jpg"))
    own = logged_in.json()["person"]["uid"]
    assert server.get(f"/v1/people/{own}/export").status_code == 200
    assert server("DELETE", "/v1/me").status_code == 200
    assert [one["uid"] for one in server.get("/v1/people", headers=admin).json()["people"]] == [uid]
