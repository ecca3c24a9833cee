"""Every answer is as the server's own OpenAPI document says, and the document is strict enough to notice if not."""

from __future__ import annotations

import copy
import io
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

JPEG = {"Content-Type": "image/jpeg"}
EXTRA = {"surprise": ["?"]}
# Keys that may be left out, and maps whose keys are names that no schema knows.
OPTIONAL = {
    "embedding",
    "face_embedding",
    "recognizer",
    "face",
    "preset",
    "rotated",
    "emotion",
    "age",
    "gender",
    "detect",
}
MAPS = {"parameters", "probabilities", "attributes", "emotions", "models"}


@pytest.fixture(scope="module")
def server(start_server, tmp_path_factory):
    from facecli.server.keys import Keys

    keys = tmp_path_factory.mktemp("keys") / "keys.json"
    key = Keys.add(keys, "the first", "admin")
    client = start_server("--keys", str(keys), "--compat", "compreface,deepface")
    client.session.headers["Authorization"] = f"Bearer {key}"
    while client.get("/v1/ready").status_code == 503:
        pass
    return client


@pytest.fixture(scope="module")
def described(server) -> dict[str, Any]:
    return server.get("/openapi.json").json()


@pytest.fixture(scope="module")
def check(described) -> Callable[..., Any]:
    """Hold an answer to what the document says of an endpoint, and return its JSON."""

    def check(answer, method: str, path: str, status: int = 200) -> Any:
        assert answer.status_code == status, answer.text
        own = described["paths"][path][method]["responses"][str(status)]["content"]["application/json"]["schema"]
        validator = Draft202012Validator({"components": described["components"], "allOf": [own]})
        document = answer.json()
        validator.validate(document)
        accepted = [what for what, spoilt in changed(document) if validator.is_valid(spoilt)]
        assert accepted == []
        return document

    return check


def changed(document: Any) -> Iterator[tuple[str, Any]]:
    """Spoilt copies of a document: a key too many or too few at every place."""
    for place in places(document, ()):
        found = inner(document, place)
        if isinstance(found, dict):
            spoilt = copy.deepcopy(document)
            inner(spoilt, place).update(EXTRA)
            yield f"{place} has a key too many", spoilt
            for key in found.keys() - OPTIONAL if not MAPS & set(place[-1:]) else ():
                spoilt = copy.deepcopy(document)
                del inner(spoilt, place)[key]
                yield f"{place} lacks {key}", spoilt


def places(value: Any, place: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    if place[-1:] == ("parameters",):  # a plugin's own, of any kind
        return
    yield place
    inside = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, one in inside:
        yield from places(one, (*place, key))


def inner(value: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        value = value[key]
    return value


def test_every_answer_of_ours_has_a_schema(described):
    bare = [
        f"{method} {path} {status}"
        for path, methods in described["paths"].items()
        for method, one in methods.items()
        for status, answer in one["responses"].items()
        if not path.startswith(("/api/v1/", "/represent", "/verify", "/analyze"))  # other servers' words
        if answer.get("content", {}).get("application/json", {}).get("schema") in ({}, {"type": "object"})
    ]
    assert bare == []
    Draft202012Validator.check_schema({"components": described["components"]})


def test_what_may_be_sent_is_told(described):
    def content(path: str) -> dict[str, Any]:
        return described["paths"][path]["post"]["requestBody"]["content"]

    assert content("/v1/detect").keys() == {"multipart/form-data", "application/json", "image/jpeg"}
    assert content("/v1/detect")["application/json"]["schema"]["required"] == ["image_url"]
    assert content("/v1/verify")["application/json"]["schema"]["required"] == ["image1_url", "image2_url"]
    for path in ("/v1/signup", "/v1/login"):
        form = content(path)["multipart/form-data"]["schema"]
        assert "pin" in form["properties"]
        assert "pin" not in form["required"]
    assert content("/api/v1/detection/detect")["application/json"]["schema"]["required"] == ["file"]


def test_answers_about_pictures_are_as_described(server, check, examples):
    collins, hopper = ((examples / f"{name}.jpg").read_bytes() for name in ("collins", "hopper"))
    check(server.get("/v1/health"), "get", "/v1/health")
    check(server.get("/v1/ready"), "get", "/v1/ready")
    for path in ("/v1/detect", "/v1/embed", "/v1/analyze"):
        check(server.post(path, data=collins, headers=JPEG), "post", path)
    check(server.post("/v1/analyze?embed=true", data=collins, headers=JPEG), "post", "/v1/analyze")
    check(server.post("/v1/verify", files={"image1": collins, "image2": hopper}), "post", "/v1/verify")
    check(server.post("/v1/detect", data=b"x", headers=JPEG), "post", "/v1/detect", 422)
    check(server.get("/v1/jobs/1"), "get", "/v1/jobs/{number}", 404)
    check(server.post("/v1/detect", data=b"x", headers={"Authorization": "Bearer x"}), "post", "/v1/detect", 401)


def test_answers_about_people_are_as_described(server, check, examples):
    collins, hopper = ((examples / f"{name}.jpg").read_bytes() for name in ("collins", "hopper"))
    sent = [("images", ("a.jpg", collins)), ("images", ("b.jpg", b"no picture"))]
    made = check(server.post("/v1/people", data={"name": "Eileen"}, files=sent), "post", "/v1/people", 201)
    uid = made["person"]["uid"]
    check(server.get("/v1/people"), "get", "/v1/people")
    face = check(server.get(f"/v1/people/{uid}"), "get", "/v1/people/{uid}")["faces"][0]["face"]
    check(server.post(f"/v1/people/{uid}/faces", files=sent[:1]), "post", "/v1/people/{uid}/faces", 201)
    for query in ("", "?top=2&faces=true"):
        check(server.post(f"/v1/identify{query}", data=collins, headers=JPEG), "post", "/v1/identify")
    check(server("PATCH", f"/v1/people/{uid}", json={"name": "Ada"}), "patch", "/v1/people/{uid}")
    check(server.post("/v1/undo"), "post", "/v1/undo")
    check(server.get("/v1/thresholds"), "get", "/v1/thresholds")
    answer = server.post(f"/v1/faces/{face}/reject", json={"person": "Eileen"})
    check(answer, "post", "/v1/faces/{number}/reject")
    other = server.post("/v1/people", data={"name": "Zoe"}, files={"images": collins + bytes(1)}).json()["person"][
        "uid"
    ]
    item = check(server.get("/v1/review"), "get", "/v1/review")["items"][0]["id"]
    answer = server.post(f"/v1/review/{item}", json={"answer": "yes", "person": "Eileen"})
    check(answer, "post", "/v1/review/{item}")
    answer = server.post(
        f"/v1/people/{other}/merge", json={"into": server.get("/v1/people").json()["people"][0]["uid"]}
    )
    check(answer, "post", "/v1/people/{uid}/merge")

    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("Grace/a.jpg", hopper)
        archive.writestr("a.jpg", hopper)
    zipped = {"data": data.getvalue(), "headers": {"Content-Type": "application/zip"}}
    check(server.post("/v1/import", **zipped), "post", "/v1/import")
    begun = [check(server.post("/v1/import?job=true", **zipped), "post", "/v1/import", 202)]
    begun.append(check(server.post("/v1/cluster?threshold=0.3"), "post", "/v1/cluster", 202))
    for job in begun:
        while server.get(f"/v1/jobs/{job['job']}").json()["state"] in ("waiting", "running"):
            pass
        done = check(server.get(f"/v1/jobs/{job['job']}"), "get", "/v1/jobs/{number}")
        assert done["result"] is not None
    grace = next(one for one in server.get("/v1/people").json()["people"] if one["person"] == "Grace")
    check(server("DELETE", f"/v1/people/{grace['uid']}"), "delete", "/v1/people/{uid}")


def test_answers_about_accounts_and_keys_are_as_described(server, check, examples):
    frames = [("images", (f"{n}.jpg", (examples / "hopper.jpg").read_bytes() + bytes(n))) for n in range(3)]
    names = {"first_name": "Grace", "last_name": "H", "consent": "yes"}
    signed_up = server.post("/v1/signup", data=names, files=[*frames, ("images", ("d.jpg", b"x"))])
    check(signed_up, "post", "/v1/signup", 201)
    check(server.post("/v1/login", files=frames), "post", "/v1/login")
    assert check(server.get("/v1/me"), "get", "/v1/me")["person"] is not None
    check(server("DELETE", "/v1/me"), "delete", "/v1/me")
    check(server.get("/v1/me"), "get", "/v1/me")
    check(server.post("/v1/keys", json={"label": "door", "scope": "read"}), "post", "/v1/keys", 201)
    check(server.get("/v1/keys"), "get", "/v1/keys")


def test_answers_of_earlier_projects_are_as_described(server, check, examples):
    check(server.get("/api/download_image?url=http://127.0.0.1/a.jpg"), "get", "/api/download_image")
    check(server.post("/analyze/emotion", json={"image_url": 1}), "post", "/analyze/emotion", 400)
    check(server.get("/recognition"), "get", "/recognition")
    answer = server.post("/recognition", data=(examples / "collins.jpg").read_bytes(), headers=JPEG)
    check(answer, "post", "/recognition")
    check(server.post("/recognition", data=b"x", headers=JPEG), "post", "/recognition", 400)
