"""What the server writes about people: nothing, also where it fails."""

from __future__ import annotations

import contextlib
import re
import sqlite3

NAME, OTHER, PIN = "Eileen Zebrowska", "Grace Quagga", "okapi-pin-7"


def test_nothing_of_a_face_a_name_a_pin_or_a_key_is_in_the_log(start_server, examples, tmp_path):
    from facecli.server.keys import Keys

    gallery, keys = tmp_path / "people.db", tmp_path / "keys.json"
    key = Keys.add(keys, "door of the okapi", "admin")
    server = start_server("--gallery", str(gallery), "--keys", str(keys), "--allow-url", "127.0.0.1:9")
    collins, hopper = ((examples / f"{name}.jpg").read_bytes() for name in ("collins", "hopper"))
    frames = [("images", (f"{NAME} {n}.jpg", collins + bytes(n))) for n in range(3)]
    strangers = [("images", (f"{OTHER} {n}.jpg", hopper + bytes(n))) for n in range(3)]
    sent = {"Authorization": f"Bearer {key}"}

    signed_up = server.post("/v1/signup", data={"name": NAME, "consent": "yes", "pin": PIN}, files=frames, headers=sent)
    assert signed_up.status_code == 201, signed_up.text
    token = signed_up.cookies["facecli_session"]
    server.session.cookies.clear()
    embedded = server.post("/v1/embed", files={"image": collins}, headers=sent).json()["images"][0]["faces"][0]
    assert server.post("/v1/identify", files={"image": collins}, headers=sent).json()["images"][0]["faces"]
    assert server.post("/v1/login", files=frames, data={"pin": PIN}).status_code == 200
    server.session.cookies.clear()
    assert server.post("/v1/login", files=frames, data={"pin": f"{PIN} wrong"}).status_code == 401
    assert server.post("/v1/login", files=strangers).status_code == 401
    assert server.get("/v1/people", headers={"Authorization": f"Bearer {key[:-3]}abc"}).status_code == 401
    address = f"http://127.0.0.1:9/{OTHER.replace(' ', '')}.jpg?token={PIN}"
    assert server.get("/recognition", params={"image_url": address}, headers=sent).status_code == 400
    assert server.get(f"/v1/people?search={NAME}", headers=sent).status_code == 200
    with contextlib.closing(sqlite3.connect(gallery)) as connection, connection:  # it stands for a bug
        sql = "INSERT INTO journal (time, action, backward) VALUES ('now', 'rename', '[]')"
        connection.execute(sql)
    failed = server.post("/v1/undo", headers=sent)
    assert failed.status_code == 500

    server.process.terminate()
    server.process.wait(60)
    log = server.errors.read_text()
    assert failed.json()["request_id"] in log  # it is the log
    for word in (*NAME.split(), *OTHER.split(), "Zebrowska", PIN, "okapi", key, key[:20], token, "token="):
        assert word not in log
    numbers = [abs(value) for value in embedded["embedding"]]
    assert len(numbers) == 128
    for value in numbers:
        assert re.search(rf"\b{value:.4f}", log) is None
