"""A server that is killed while somebody signs up has kept the whole of them, or nothing."""

from __future__ import annotations

import json
import threading
import time

import cv2
import numpy as np
import pytest
import requests

FIRST, LAST = "Eileen", "Collins"


@pytest.fixture(scope="module")
def frames(examples):
    """Five pictures of one person that differ in their bytes."""
    picture = np.asarray(cv2.imread(str(examples / "collins.jpg")))
    shifted = [np.roll(picture, shift, axis=1) for shift in range(0, 10, 2)]
    return [("images", (f"{n}.jpg", cv2.imencode(".jpg", one)[1].tobytes())) for n, one in enumerate(shifted)]


def sign_up(server, frames):
    data = {"first_name": FIRST, "last_name": LAST, "consent": "yes", "pin": "1234"}
    return server.post("/v1/signup", data=data, files=frames)


def kept(start_server, path):
    """Return how many pictures the gallery has of each person, asked of another server."""
    server = start_server("--gallery", str(path))
    people = server.get("/v1/people").json()["people"]
    server.process.terminate()
    pins = path.with_name(f"{path.name}.pins.json")
    held = json.loads(pins.read_text())["pins"] if pins.exists() else {}
    assert set(held) == {one["uid"] for one in people}  # whoever signed up with a PIN has it, and nobody else
    return {one["person"]: one["pictures"] for one in people}


@pytest.fixture(scope="module")
def usual(start_server, frames):
    """The seconds that a whole sign-up takes on this machine now."""
    server = start_server()
    while server.get("/v1/ready").status_code != 200:
        time.sleep(0.1)
    begun = time.monotonic()
    answer = sign_up(server, frames)
    assert answer.status_code == 201, answer.text
    assert answer.json()["pictures"] == 5
    return time.monotonic() - begun


@pytest.mark.parametrize("part", [0.5, 0.9, 0.98, None])
def test_nothing_is_half_there(start_server, frames, usual, tmp_path, part):
    path = tmp_path / "people.db"
    server = start_server("--gallery", str(path))
    while server.get("/v1/ready").status_code != 200:
        time.sleep(0.1)
    told = []

    def ask():
        try:
            told.append(sign_up(server, frames).status_code)
        except requests.RequestException:
            return

    thread = threading.Thread(target=ask)
    thread.start()
    if part is None:
        thread.join()  # killed as soon as it was told
    else:
        time.sleep(usual * part)
    server.process.kill()
    server.process.wait()
    thread.join()
    people = kept(start_server, path)
    assert people in ({}, {f"{FIRST} {LAST}": 5})
    if told:
        assert told == [201]
        assert people
