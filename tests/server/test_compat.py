"""Clients of CompreFace and deepface find what their documentation promises."""

from __future__ import annotations

import base64

import pytest


@pytest.fixture(scope="module")
def server(start_server):
    return start_server("--compat", "compreface,deepface")


@pytest.fixture(scope="module")
def variant(examples):
    return (examples / "collins_variant.jpg").read_bytes()


@pytest.fixture(scope="module")
def hopper(examples):
    return (examples / "hopper.jpg").read_bytes()


def coded(data):
    return base64.b64encode(data).decode()


def test_a_subject_of_compreface_lives_and_dies(server, collins, variant, hopper):
    faces = "/api/v1/recognition/faces"
    assert server.post("/api/v1/recognition/recognize", files={"file": collins}).json()["result"][0]["subjects"] == []
    added = server.post(f"{faces}?subject=Eileen&det_prob_threshold=0.8", files={"file": collins})
    assert added.status_code == 201
    assert added.json().keys() == {"image_id", "subject"}
    other = server.post(f"{faces}?subject=Grace", json={"file": coded(hopper)})
    assert other.json()["subject"] == "Grace"

    query = "limit=1&prediction_count=2&face_plugins=landmarks,gender,age,calculator&status=true"
    answer = server.post(f"/api/v1/recognition/recognize?{query}", files={"file": variant}).json()
    (face,) = answer["result"]
    assert face.keys() == {"box", "subjects", "landmarks", "gender", "age", "embedding"}
    assert face["box"].keys() == {"probability", "x_max", "y_max", "x_min", "y_min"}
    assert [one["subject"] for one in face["subjects"]] == ["Eileen", "Grace"]
    assert face["subjects"][0]["similarity"] > 0.9
    assert face["subjects"][1]["similarity"] < 0.5
    assert face["gender"]["value"] == "female"
    assert len(face["landmarks"]) == 5
    assert answer["plugins_versions"].keys() >= {"detector", "calculator"}

    image_id = added.json()["image_id"]
    assert server.get(f"{faces}/{image_id}/img").content.startswith(b"\xff\xd8")
    same = server.post(f"{faces}/{image_id}/verify", files={"file": variant}).json()["result"]
    assert same[0]["similarity"] > 0.5
    listed = server.get(f"{faces}?page=0&size=1").json()
    assert listed == {
        "faces": [{"image_id": image_id, "subject": "Eileen"}],
        "page_number": 0,
        "page_size": 1,
        "total_pages": 2,
        "total_elements": 2,
    }

    subjects = "/api/v1/recognition/subjects"
    assert server.post(subjects, json={"subject": "Ada"}).status_code == 201
    assert server.get(subjects).json() == {"subjects": ["Ada", "Eileen", "Grace"]}
    assert server("PUT", f"{subjects}/Grace", json={"subject": "Hopper"}).json() == {"updated": True}
    assert server("PUT", f"{subjects}/Hopper", json={"subject": "Eileen"}).json() == {"updated": True}
    assert server.get(subjects).json() == {"subjects": ["Ada", "Eileen"]}
    assert server("DELETE", f"{faces}/{image_id}").json() == {"image_id": image_id, "subject": "Eileen"}
    assert server.post(f"{faces}/delete", json=[image_id, "no id"]).json() == []
    again = server.post(f"{faces}?subject=Bob", files={"file": variant}).json()["image_id"]
    assert server.post(f"{faces}/delete", json=[image_id, again]).json() == [{"image_id": again, "subject": "Bob"}]
    assert server.post(f"{faces}/delete", json={"all": True}).status_code == 400
    assert server("DELETE", f"{faces}?subject=Eileen").json() == {"deleted": 1}
    assert server("DELETE", subjects).json() == {"deleted": 1}
    assert server.get(subjects).json() == {"subjects": []}


def test_compreface_compares_two_pictures(server, collins, variant, group_picture):
    files = {"source_image": collins, "target_image": group_picture.read_bytes()}
    (result,) = server.post("/api/v1/verification/verify", files=files).json()["result"]
    assert len(result["face_matches"]) == 6
    assert max(one["similarity"] for one in result["face_matches"]) > 0.5
    texts = {"source_image": coded(collins), "target_image": coded(variant)}
    (result,) = server.post("/api/v1/verification/verify", json=texts).json()["result"]
    assert result["face_matches"][0]["similarity"] > 0.5


def test_compreface_finds_the_largest_faces_first(server, group_picture):
    answer = server.post("/api/v1/detection/detect?limit=3", files={"file": group_picture.read_bytes()}).json()
    assert answer.keys() == {"result"}
    sizes = [(one["box"]["x_max"] - one["box"]["x_min"]) for one in answer["result"]]
    assert len(sizes) == 3
    assert sizes[0] >= sizes[2] - 2


@pytest.mark.parametrize(
    ("path", "more", "status", "code"),
    [
        ("/api/v1/detection/detect", {"files": {"file": b"no picture"}}, 400, 0),
        ("/api/v1/detection/detect", {"json": {"file": "!"}}, 400, 0),
        ("/api/v1/detection/detect?face_plugins=mask", {"json": {"file": "AAAA"}}, 400, 0),
        ("/api/v1/recognition/faces/00000000-0000-0000-0000-0000000000ff/verify", {"json": {"file": ""}}, 400, 0),
        ("/api/v1/recognition/subjects", {"json": {}}, 400, 0),
    ],
)
def test_compreface_tells_errors_in_its_form(server, path, more, status, code):
    answer = server.post(path, **more)
    assert answer.status_code == status
    assert answer.json().keys() == {"message", "code"}
    assert answer.json()["code"] == code


def test_compreface_tells_that_there_is_no_face(server):
    import cv2
    import numpy as np

    blank = cv2.imencode(".png", np.zeros((99, 99, 3), np.uint8))[1].tobytes()
    answer = server.post("/api/v1/recognition/recognize", files={"file": blank})
    assert (answer.status_code, answer.json()) == (400, {"message": "No face is found in the given image", "code": 28})


def test_deepface_represents(server, collins):
    answer = server.post("/represent", json={"img": f"data:image/jpeg;base64,{coded(collins)}", "model_name": "X"})
    (face,) = answer.json()["results"]
    assert face.keys() == {"embedding", "facial_area", "face_confidence"}
    assert face["facial_area"].keys() == {"x", "y", "w", "h", "left_eye", "right_eye"}
    assert face["facial_area"]["left_eye"][0] > face["facial_area"]["right_eye"][0]
    assert len(face["embedding"]) == 128


def test_deepface_verifies_and_analyzes(server, collins, variant):
    answer = server.post("/verify", files={"img1": collins, "img2": variant}, data={"distance_metric": "cosine"}).json()
    assert answer["verified"] is True
    assert answer.keys() >= {"distance", "threshold", "model", "detector_backend", "similarity_metric", "time"}
    assert answer["facial_areas"].keys() == {"img1", "img2"}
    (told,) = server.post("/analyze", files={"img": collins}, data={"actions": "[age, gender, emotion]"}).json()[
        "results"
    ]
    assert told["dominant_gender"] == "Woman"
    assert told["dominant_emotion"] == "happy"
    assert sum(told["emotion"].values()) == pytest.approx(100, abs=0.1)
    assert 15 < told["age"] < 60


@pytest.mark.parametrize("img", ["/etc/passwd", "people.db", "file:///etc/passwd", "", 7, None])
def test_deepface_s_paths_are_not_opened(server, img):
    answer = server.post("/represent", json={"img": img})
    assert answer.status_code == 400
    assert answer.json().keys() == {"exception"}
    assert "root:" not in answer.text


def test_deepface_without_a_face(server):
    import cv2
    import numpy as np

    blank = cv2.imencode(".png", np.zeros((160, 120, 3), np.uint8))[1].tobytes()
    answer = server.post("/represent", files={"img": blank})
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("Exception while representing: ")
    (face,) = server.post("/represent", files={"img": blank}, data={"enforce_detection": "false"}).json()["results"]
    assert face["face_confidence"] == 0
    assert (face["facial_area"]["w"], face["facial_area"]["h"]) == (120, 160)


def test_without_the_option_there_are_no_such_endpoints(start_server, run_cli):
    server = start_server()
    assert server.post("/represent", json={}).status_code in (404, 405)
    assert server.get("/api/v1/recognition/subjects").status_code == 404
    done = run_cli("serve", "--compat", "azure")
    assert done.returncode == 2
    assert "compreface, deepface" in done.errors[-1]
