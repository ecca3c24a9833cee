"""People over HTTP: enrolled, identified, changed, reviewed and forgotten, in one gallery and in order."""

from __future__ import annotations

import io
import json
import zipfile

import pytest


@pytest.fixture(scope="module")
def server(start_server):
    return start_server()


@pytest.fixture(scope="module")
def people(server, examples):
    """Eileen and Grace are enrolled; their uids by name."""
    uids = {}
    for name, picture in (("Eileen", "collins.jpg"), ("Grace", "hopper.jpg")):
        files = [("images", (picture, (examples / picture).read_bytes()))]
        answer = server.post("/v1/people", data={"name": name}, files=files)
        assert answer.status_code == 201, answer.text
        uids[name] = answer.json()["person"]["uid"]
    return uids


def test_a_person_is_recognised_on_another_picture(server, people, examples):
    picture = (examples / "collins_variant.jpg").read_bytes()
    (image,) = server.post("/v1/identify?top=2", files={"image": picture}).json()["images"]
    assert image["faces"][0]["person"] == "Eileen"
    assert [one["person"] for one in image["faces"][0]["candidates"]] == ["Eileen", "Grace"]


def test_people_are_listed_in_pages(server, people):
    first = server.get("/v1/people?limit=1").json()
    second = server.get(f"/v1/people?limit=1&cursor={first['next']}").json()
    assert [one["person"] for one in first["people"] + second["people"]] == ["Eileen", "Grace"]
    assert second["next"] is None
    assert server.get("/v1/people?search=ACE").json()["people"][0]["uid"] == people["Grace"]
    portrait = server.get(first["people"][0]["portrait"])
    assert portrait.headers["content-type"] == "image/jpeg"
    assert portrait.content.startswith(b"\xff\xd8")


def test_a_name_is_given_once(server, people, collins):
    answer = server.post("/v1/people", data={"name": "EILEEN"}, files={"images": collins})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
    answer = server.post("/v1/people", data={"name": "Ada\nB"}, files={"images": collins})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "usage")
    answer = server("PATCH", f"/v1/people/{people['Grace']}", json={"name": "Ada\tB"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "usage")


def test_a_picture_that_can_not_be_used_is_told_beside_the_others(server, people, group_picture, examples):
    files = [
        ("images", ("group.png", group_picture.read_bytes())),
        ("images", ("v.jpg", (examples / "collins_variant.jpg").read_bytes())),
    ]
    answer = server.post(f"/v1/people/{people['Eileen']}/faces", files=files).json()
    assert [one["filename"] for one in answer["faces"]] == ["v.jpg"]
    assert [(one["index"], one["error"]["code"]) for one in answer["rejected"]] == [(0, "ambiguous_face")]
    face = answer["faces"][0]["face"]
    assert server("DELETE", f"/v1/people/{people['Eileen']}/faces/{face}").status_code == 204
    assert len(server.get(f"/v1/people/{people['Eileen']}").json()["faces"]) == 1


def test_nobody_is_made_by_pictures_that_can_not_be_used(server, people):
    answer = server.post("/v1/people", data={"name": "Nobody"}, files={"images": b"no picture"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "decode")
    assert server.get("/v1/people?search=nobody").json()["people"] == []


def test_the_face_that_was_matched_is_told_on_request(server, people, examples):
    variant = (examples / "collins_variant.jpg").read_bytes()
    (own,) = server.get(f"/v1/people/{people['Eileen']}").json()["faces"]
    for query, told in (("", None), ("?faces=true", own["face"])):
        answer = server.post(f"/v1/identify{query}", files={"image": variant}).json()
        (first,) = answer["images"][0]["faces"][0]["candidates"]
        assert first.get("face") == told


def test_changes_are_taken_back(server, people):
    uid = people["Grace"]
    assert server("PATCH", f"/v1/people/{uid}", json={"name": "Grace Hopper"}).json()["change"] == "rename"
    assert server.get(f"/v1/people/{uid}").json()["person"]["person"] == "Grace Hopper"
    assert server.post("/v1/undo").json()["change"] == "undo"
    assert server.get(f"/v1/people/{uid}").json()["person"]["person"] == "Grace"


def test_a_face_that_is_not_hers_is_reviewed(server, people):
    face = server.get(f"/v1/people/{people['Grace']}").json()["faces"][0]["face"]
    assert server.post(f"/v1/faces/{face}/reject", json={"person": "Grace"}).status_code == 200
    (item,) = server.get("/v1/review").json()["items"]
    assert item["suggestion"] is None  # nobody else is near
    assert server.get(item["crop"]).status_code == 200
    answer = server.post(f"/v1/review/{item['id']}", json={"answer": "yes", "person": "Grace"})
    assert (answer.json()["person"], answer.json()["undoable"]) == ("Grace", True)
    assert server.get("/v1/review").json()["items"] == []
    server.post(f"/v1/faces/{face}/reject", json={"person": "Grace"})
    ignored = server.post(f"/v1/review/{item['id']}", json={"answer": "ignore"})
    assert ignored.json() == {"id": item["id"], "answer": "ignore", "person": None, "undoable": True}
    assert server.get("/v1/review").json()["items"] == []
    for left in (1, 0):  # the ignoring is taken back, then the second rejection
        assert server.post("/v1/undo").status_code == 200
        assert len(server.get("/v1/review").json()["items"]) == left


def test_nobody_is_asked_whether_a_face_is_an_ignored_one(start_server, collins, examples):
    server = start_server()
    for name, picture in (("Ada", collins), ("Grace", (examples / "collins_variant.jpg").read_bytes())):
        sent = {"data": {"name": name}, "files": {"images": picture}}
        uid = server.post("/v1/people", **sent).json()["person"]["uid"]
        face = server.get(f"/v1/people/{uid}").json()["faces"][-1]["face"]
        server.post(f"/v1/faces/{face}/reject", json={"person": name})
        (item,) = server.get("/v1/review").json()["items"]
        assert item["suggestion"] is None  # the first is ignored by now, and very near to the second
        assert server.post(f"/v1/review/{item['id']}", json={"answer": "ignore"}).status_code == 200


def test_a_gallery_without_crops_has_no_addresses_of_them(start_server, run_cli, tmp_path, examples):
    gallery = tmp_path / "own.db"
    assert run_cli("enroll", examples / "collins.jpg", "--name", "Ada", "--gallery", gallery).returncode == 0
    server = start_server("--gallery", str(gallery))
    (person,) = server.get("/v1/people").json()["people"]
    (face,) = server.get(f"/v1/people/{person['uid']}").json()["faces"]
    assert (person["portrait"], face["crop"]) == (None, None)


def test_errors_are_as_their_schema_says(server):
    from tests.test_schemas import schema_of

    for answer in (
        server.get("/v1/people/nobody"),
        server.post("/v1/detect", data=b"text"),
        server("PUT", "/v1/people"),
    ):
        assert answer.status_code >= 400
        schema_of(answer.json()).validate(answer.json())


def test_all_that_is_kept_of_a_person_is_hers(server, people):
    archive = zipfile.ZipFile(io.BytesIO(server.get(f"/v1/people/{people['Eileen']}/export").content))
    document = json.loads(archive.read("person.json"))
    assert document["person"]["person"] == "Eileen"
    assert len(document["faces"][0]["embedding"]) == 128
    assert archive.read(f"faces/{document['faces'][0]['face']}.jpg").startswith(b"\xff\xd8")


def test_a_zip_of_folders_is_enrolled(server, people, collins):

    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("people/Eileen/a.jpg", collins)
        archive.writestr("people/Ada/b.jpg", b"no picture")
        archive.writestr("people/Ada/notes.txt", "left out")
        archive.writestr("people/A\nda/c.jpg", collins)
        archive.writestr("d.jpg", collins)
        archive.writestr("datasets/RecycleBin/Gone/a.jpg", collins)
        archive.writestr("datasets/Embeddings/a.jpg", collins)
        archive.writestr("datasets/Trained_data/a.jpg", collins)
    answer = server.post("/v1/import", data=data.getvalue(), headers={"Content-Type": "application/zip"}).json()
    assert (answer["added"], answer["known"]) == (0, 1)
    assert [one["person"] for one in answer["rejected"]] == ["Ada", None, None, None]
    assert [one["error"]["code"] for one in answer["rejected"]] == ["decode", "usage", "input", "input"]
    assert "one line" in answer["rejected"][1]["error"]["message"]
    assert "in no person's folder" in answer["rejected"][2]["error"]["message"]


@pytest.mark.parametrize("name", ["../a/b.jpg", "/etc/b.jpg", "a/../../b.jpg", "a\\..\\b.jpg"])
def test_a_zip_that_leads_out_of_itself_is_refused(server, name, collins):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(name, collins)
    answer = server.post("/v1/import", data=data.getvalue(), headers={"Content-Type": "application/zip"})
    assert answer.status_code == 422


def test_a_person_is_forgotten(server, people):
    answer = server("DELETE", f"/v1/people/{people['Grace']}")
    assert answer.status_code == 200, answer.text
    receipt = answer.json()
    assert (receipt["faces"], receipt["checked"]["found"]) == (1, 0)
    assert server.get(f"/v1/people/{people['Grace']}").status_code == 404
    assert server("DELETE", f"/v1/people/{people['Grace']}").json()["error"]["code"] == "not_found"


def test_an_import_that_takes_long_is_told_to_go_on(start_server, collins):
    server = start_server("--seconds", "0.001")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("Ada/a.jpg", collins)
    answer = server.post("/v1/import", data=data.getvalue(), headers={"Content-Type": "application/zip"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "timeout")
    assert answer.json()["error"]["hint"].startswith(("the import goes on", "it was not begun"))
