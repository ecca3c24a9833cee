"""Who may do what: keys with scopes, other sites' pages, names of the server, and too many requests."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def keys(cli_env, tmp_path_factory):
    """A file of one key of each scope, made by the command line, and the keys by scope."""
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    made = {}
    for scope in ("read", "identify", "enroll", "admin"):
        options = ["--keys", str(path), "--add-key", f"my {scope}", "--scope", scope, "--json"]
        command = [sys.executable, "-m", "facecli", "serve", *options]
        done = subprocess.run(command, capture_output=True, env=cli_env, timeout=300, check=True)
        made[scope] = json.loads(done.stdout)["key"]
    return path, made


@pytest.fixture(scope="module")
def server(start_server, keys):
    return start_server("--keys", str(keys[0]), "--rate", "1000")


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


def test_the_file_holds_no_key(keys):
    path, made = keys
    text = path.read_text()
    assert not any(key in text for key in made.values())
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry["scope"] for entry in json.loads(text)["keys"]] == ["read", "identify", "enroll", "admin"]


@pytest.mark.parametrize(
    ("method", "path", "needed"),
    [
        ("POST", "/v1/detect", "read"),
        ("GET", "/v1/people", "read"),
        ("POST", "/v1/identify", "identify"),
        ("GET", "/recognition", "identify"),
        ("POST", "/v1/people", "enroll"),
        ("POST", "/v1/signup", "enroll"),
        ("GET", "/api/download_image?url=http://a/", "enroll"),
        ("DELETE", "/v1/people/x", "admin"),
        ("POST", "/v1/undo", "admin"),
        ("GET", "/v1/people/x/export", "admin"),
        ("GET", "/v1/keys", "admin"),
        ("POST", "/v1/keys", "admin"),
        ("DELETE", "/v1/keys/x", "admin"),
    ],
)
def test_a_request_needs_its_scope(server, keys, method, path, needed):
    order = list(keys[1])
    assert server(method, path).status_code == 401
    assert server(method, path, headers=bearer("wrong")).status_code == 401
    for scope in order:
        status = server(method, path, headers=bearer(keys[1][scope])).status_code
        if order.index(scope) < order.index(needed):
            assert status == 403
        else:
            assert status not in (401, 403)


def test_a_key_is_good_from_when_it_is_made_to_when_it_is_revoked(server, keys):
    path, admin = keys[0], bearer(keys[1]["admin"])
    made = server.post("/v1/keys", json={"label": "a door", "scope": "identify"}, headers=admin)
    assert made.status_code == 201
    assert made.json()["key"] not in path.read_text()
    assert {"label": "a door", "scope": "identify"} in server.get("/v1/keys", headers=admin).json()["keys"]
    assert server.get("/v1/people", headers=bearer(made.json()["key"])).status_code == 200
    for wrong in ({"label": "a door", "scope": "read"}, {"label": "", "scope": "read"}, {"label": "b", "scope": "all"}):
        assert server.post("/v1/keys", json=wrong, headers=admin).status_code == 400
    for label in ("a/door", "..", "a\nb", "a\x1b[31m", "\ud800", "\u202eb", "a" * 101):
        refused = server.post("/v1/keys", json={"label": label, "scope": "read"}, headers=admin)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "usage")
    assert server("DELETE", "/v1/keys/a%20door", headers=admin).status_code == 204
    assert server("DELETE", "/v1/keys/a%20door", headers=admin).status_code == 404
    assert server.get("/v1/people", headers=bearer(made.json()["key"])).status_code == 401
    assert len(json.loads(path.read_text())["keys"]) == 4


def test_a_scope_without_a_key_starts_no_server(cli_env, tmp_path):
    command = [
        sys.executable,
        "-m",
        "facecli",
        "serve",
        "--scope",
        "read",
        "--gallery",
        str(tmp_path / "a.db"),
        "--port",
        "0",
    ]
    done = subprocess.run(command, capture_output=True, env=cli_env, timeout=300, check=False)
    assert done.returncode == 2
    assert b"--add-key" in done.stderr


def test_head_is_get_without_its_body(server):
    for path in ("/v1/health", "/", "/web/texts.js"):
        told, whole = server("HEAD", path), server.get(path)
        assert (told.status_code, told.content) == (200, b"")
        assert told.headers["content-length"] == str(len(whole.content)) or path == "/v1/health"


def test_health_needs_no_key(server):
    assert server.get("/v1/health").status_code == 200
    assert server.get("/").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://a:1"}],
)
def test_another_site_s_page_changes_nothing_and_lets_nothing_be_fetched(server, keys, headers):
    headers = headers | bearer(keys[1]["admin"])
    for method, path in (
        ("POST", "/v1/undo"),
        ("GET", "/api/download_image?url=http://a/"),
        ("GET", "/recognition?image_url=http://a/"),
    ):
        answer = server(method, path, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


def test_keys_that_are_tried_out_are_counted(start_server, keys):
    server = start_server("--keys", str(keys[0]), "--rate", "5")
    statuses = [server.get("/v1/people", headers=bearer(f"wrong {n}")).status_code for n in range(7)]
    assert (statuses[0], statuses[-1]) == (401, 429)


def test_without_a_key_no_body_is_waited_for(server):
    host, _, port = server.address.rpartition("/")[2].partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        head = f"POST /v1/detect HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 1000000\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(20).startswith(b"HTTP/1.1 401 ")


def test_pages_may_load_nothing_from_elsewhere(server):
    headers = server.get("/").headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers


def test_without_keys_only_names_of_this_machine_are_known(start_server):
    server = start_server("--rate", "5")
    assert server.get("/v1/people", headers={"Host": "evil.example"}).status_code == 403
    assert server.get("/v1/keys").status_code == 404
    statuses = [server.get("/v1/health").status_code for _ in range(7)]
    assert statuses[-1] == 429
    assert server.get("/v1/health").json()["error"]["code"] == "busy"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.7.7", "::", "example.org"])
def test_a_door_to_other_machines_needs_a_lock(host, cli_env, tmp_path):
    pytest.importorskip("fastapi", reason="a server needs facecli[serve]")
    command = [sys.executable, "-m", "facecli", "serve", "--host", host, "--gallery", str(tmp_path / "a.db")]
    done = subprocess.run(command, capture_output=True, text=True, env=cli_env, timeout=300, check=False)
    assert done.returncode == 2
    assert "--keys" in done.stderr
