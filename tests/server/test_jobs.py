"""Clusters over HTTP: a job is begun, asked about, and gives the document of the command line."""

from __future__ import annotations

import io
import zipfile

import pytest


@pytest.fixture(scope="module")
def server(start_server):
    return start_server()


def finished(server, answer):
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/jobs/{answer.json()['job']}"
    while True:
        job = server.get(answer.headers["location"]).json()
        if job["state"] not in ("waiting", "running"):
            return job


def people_of(document):
    return [(one["person"], [face["source"] for face in one["faces"]]) for one in document["clusters"]]


def test_an_empty_gallery_has_no_clusters(server):
    job = finished(server, server.post("/v1/cluster"))
    assert (job["state"], job["error"]) == ("done", None)
    assert (job["result"]["faces"], job["result"]["clusters"]) == (0, [])


def test_an_album_is_sorted_by_people(server, run_cli, examples):
    names = ("collins.jpg", "collins_variant.jpg", "hopper.jpg")
    files = [("images", (name, (examples / name).read_bytes())) for name in names]
    job = finished(server, server.post("/v1/cluster", files=files))
    assert job["progress"] == {"done": 3, "total": 3}
    expected = run_cli("cluster", *(examples / name for name in names), "--json", "--threads", "1").json
    found = job["result"]
    assert [one["id"] for one in found["clusters"]] == [one["id"] for one in expected["clusters"]]
    assert people_of(found) == [(None, ["collins.jpg", "collins_variant.jpg"])]
    assert [face["source"] for face in found["alone"]] == ["hopper.jpg"]
    assert found["threshold"] == expected["threshold"]


def test_people_of_the_gallery_are_recognised_and_forgotten(server, examples, collins):
    uid = server.post("/v1/people", data={"name": "Eileen"}, files={"images": collins}).json()["person"]["uid"]
    variant = (examples / "collins_variant.jpg").read_bytes()
    answer = server.post("/v1/cluster", files={"images": ("v.jpg", variant)})
    assert people_of(finished(server, answer)["result"]) == [("Eileen", ["v.jpg"])]
    server("DELETE", f"/v1/people/{uid}")
    assert server.get(answer.headers["location"]).status_code == 404


def zipped(**files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{name}/a.jpg", content)
    return {"data": data.getvalue(), "headers": {"Content-Type": "application/zip"}}


def test_a_zip_is_enrolled_beside_the_requests(start_server, collins, examples):
    server = start_server()
    variant = (examples / "collins_variant.jpg").read_bytes()
    begun = server.post("/v1/import?job=true", **zipped(Eileen=collins, Collins=variant, Ada=b"no picture"))
    assert begun.json()["kind"] == "import"
    job = finished(server, begun)
    assert (job["state"], job["error"], job["progress"]) == ("done", None, {"done": 3, "total": 3})
    assert (job["result"]["added"], job["result"]["known"]) == (2, 0)
    assert [(one["person"], one["error"]["code"]) for one in job["result"]["rejected"]] == [("Ada", "decode")]
    assert [one["person"] for one in server.get("/v1/people").json()["people"]] == ["Collins", "Eileen"]


def test_what_is_no_zip_begins_no_job(server):
    answer = server.post("/v1/import?job=true", data=b"PK", headers={"Content-Type": "application/zip"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "input")


@pytest.mark.parametrize("query", ["min_faces=0", "fmr=2", "threshold=x"])
def test_a_wish_that_makes_no_sense_is_refused_at_once(server, query):
    answer = server.post(f"/v1/cluster?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "usage")


def test_a_wish_that_can_not_be_fulfilled_is_the_error_of_its_job(server):
    job = finished(server, server.post("/v1/cluster?fmr=0.9"))
    assert (job["state"], job["result"], job["error"]["code"]) == ("failed", None, "usage")


def test_a_job_is_forgotten(server):
    place = server.post("/v1/cluster").headers["location"]
    assert server("DELETE", place).status_code == 204
    for method in ("GET", "DELETE"):
        assert server(method, place).json()["error"]["code"] == "not_found"


def test_few_jobs_wait(monkeypatch):
    import threading

    from facecli.server.jobs import MOST_UNDONE, Jobs
    from facecli.server.refusals import RefusalError

    jobs, held = Jobs(), threading.Event()

    def work(job):
        held.wait()
        job.check()
        return {}

    made = [jobs.begin("cluster", 0, work) for _ in range(MOST_UNDONE)]
    with pytest.raises(RefusalError, match="not done yet"):
        jobs.begin("cluster", 0, work)
    jobs.drop(made[1].id)
    assert jobs.begin("cluster", 0, work).state == "waiting"
    jobs.close()
    held.set()
    jobs._pool.shutdown()
    assert {job.state for job in made[:2]} <= {"waiting", "cancelled"}
