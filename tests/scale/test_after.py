"""After a job: its faces into a gallery, and sorted by people, without a model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

PEOPLE = {"Eileen": "collins.jpg", "Grace": "hopper.jpg"}


@pytest.fixture(scope="module")
def people(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures in folders of people, with a copy, one that is no picture and one that lies in no person's folder."""
    folder = tmp_path_factory.mktemp("people")
    for name, picture in PEOPLE.items():
        (folder / name).mkdir()
        shutil.copy(examples / picture, folder / name / picture)
    (folder / "Eileen" / "2019").mkdir()
    shutil.copy(examples / "collins.jpg", folder / "Eileen" / "2019" / "copy.jpg")
    (folder / "Grace" / "broken.jpg").write_bytes(b"no picture")
    return folder


@pytest.fixture(scope="module")
def job(people: Path, run_cli_once: Callable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a job that is done."""
    folder = tmp_path_factory.mktemp("job") / "out"
    run = run_cli_once("embed", people, "-o", f"{folder}/", "--shard", "3", "--workers", "1")
    assert run.returncode == 1, run.stderr  # one picture is damaged
    return folder


def exported(run_cli: Callable, gallery: Path) -> dict[str, np.ndarray]:
    """The arrays of a gallery, but for the way on which its faces came."""
    target = gallery.with_suffix(".npz")
    assert run_cli("gallery", "export", target, "--gallery", gallery, "--yes").returncode == 0
    with np.load(target) as file:
        return {name: file[name] for name in file.files if name != "how"}


def test_a_gallery_from_a_job_is_that_of_enroll(people: Path, job: Path, run_cli: Callable, tmp_path: Path) -> None:
    assert run_cli("enroll", people, "--gallery", tmp_path / "a.db", "--face", "only").returncode == 1
    run = run_cli("gallery", "import", job, "--gallery", tmp_path / "b.db", "--json")
    assert (run.returncode, run.json["added"], run.json["known"]) == (1, 2, 1)  # a copy of a picture is known
    (rejected,) = run.json["rejected"]
    assert rejected["source"] == str(people / "Grace" / "broken.jpg")
    ours, theirs = (exported(run_cli, tmp_path / name) for name in ("b.db", "a.db"))
    assert sorted(ours["person"]) == sorted(PEOPLE)
    assert ours.keys() == theirs.keys()
    for name in ours:
        if ours[name].dtype.kind == "f":
            np.testing.assert_allclose(ours[name], theirs[name], atol=1e-5, err_msg=name)
        else:
            np.testing.assert_array_equal(ours[name], theirs[name], name)
    again = run_cli("gallery", "import", job, "--gallery", tmp_path / "b.db", "--json").json
    assert (again["added"], again["known"]) == (0, 3)


def test_a_job_is_enrolled_as_its_pictures_are(people: Path, job: Path, run_cli: Callable, tmp_path: Path) -> None:
    ours, theirs = (
        run_cli("enroll", what, "--gallery", tmp_path / f"{name}.db", "--face", "only", "--json")
        for name, what in (("a", people), ("b", job))
    )
    assert (theirs.returncode, "--face is of pictures" in theirs.errors[-1]) == (2, True)
    theirs = run_cli("enroll", job, "--gallery", tmp_path / "b.db", "--strict", "--json")
    assert (ours.returncode, theirs.returncode) == (1, 1)
    for document in (ours.json, theirs.json):
        assert (document["added"], document["known"]) == (2, 1)
        assert [one["person"] for one in document["people"]] == sorted(PEOPLE)
    assert [one["source"] for one in ours.json["rejected"]] == [one["source"] for one in theirs.json["rejected"]]
    assert {name: ours.json[name] for name in ("detector", "recognizer")} == {
        name: theirs.json[name] for name in ("detector", "recognizer")
    }
    named = run_cli("enroll", job, "--gallery", tmp_path / "c.db", "--name", "Ada", "--format", "csv", "--dry-run")
    assert [line.split(",")[1] for line in named.stdout.decode().splitlines()[1:]] == ["Ada"] * 4
    assert not (tmp_path / "c.db").exists()


def test_clusters_of_a_job_are_those_of_its_embeddings(
    people: Path, job: Path, run_cli: Callable, tmp_path: Path
) -> None:
    assert run_cli("embed", people, "-o", tmp_path / "faces.npz").returncode == 1
    ours, theirs = (
        run_cli("cluster", what, "--min-faces", "1", "--json").json for what in (job, tmp_path / "faces.npz")
    )
    for document in (ours, theirs):
        assert len(document["clusters"]) == 2
        for cluster in document["clusters"]:
            cluster.pop("cohesion", None)
            for face in cluster["faces"]:
                assert face["source"].startswith(str(people))
    found = [
        sorted(sorted(face["source"] for face in cluster["faces"]) for cluster in document["clusters"])
        for document in (ours, theirs)
    ]
    assert found[0] == found[1]


def test_what_is_no_whole_job_of_embeddings_is_refused(
    people: Path, job: Path, run_cli: Callable, tmp_path: Path
) -> None:
    def refusals(folder: Path) -> list[str]:
        gallery = tmp_path / f"{folder.name}.db"
        runs = [run_cli("cluster", folder), run_cli("gallery", "import", folder, "--gallery", gallery)]
        assert [run.returncode for run in runs] == [1, 1]
        assert not gallery.exists()
        return [run.errors[-1] for run in runs]

    begun = shutil.copytree(job, tmp_path / "begun")
    (begun / "done.json").unlink()
    assert all("is not done" in line for line in refusals(begun))
    damaged = shutil.copytree(job, tmp_path / "damaged")
    (damaged / "faces" / "00000.parquet").write_bytes(b"PAR1 and nothing")
    assert all("00000.parquet is no shard of a job" in line for line in refusals(damaged))
    (damaged / "faces" / "00000.parquet").unlink()
    assert all("can not read" in line for line in refusals(damaged))
    other = shutil.copytree(job, tmp_path / "other")
    (other / "job.json").write_text(json.dumps({"schema": "another.job/1"}))
    assert all("is of no job of facecli" in line for line in refusals(other))
    detected = tmp_path / "detected"
    assert run_cli("detect", people / "Grace" / "hopper.jpg", "-o", f"{detected}/").returncode == 0
    assert all("holds no embeddings" in line for line in refusals(detected))
