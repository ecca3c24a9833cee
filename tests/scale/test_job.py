"""A job from the command line: what it writes, how it is taken up again, and what it refuses."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from facecli.api.selection import Request
from facecli.errors import UsageError
from facecli.places.opening import open_place
from facecli.scale import job
from facecli.scale.query import Query
from tests.conftest import ROOT
from tests.scale.conftest import parquet, table

JOB = ("--shard", "7", "--workers", "2")


@pytest.fixture(scope="module")
def done(pictures: Path, run_cli_once: Callable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a job that is done."""
    folder = tmp_path_factory.mktemp("job") / "out"
    run = run_cli_once("embed", pictures, "-o", f"{folder}/", *JOB)
    assert run.returncode == 1, run.stderr  # two pictures are damaged
    assert run.stdout == b""
    return folder


def test_every_picture_has_one_row_and_every_face_has_one(done: Path, pictures: Path) -> None:
    rows, faces = table(done, "pictures"), table(done, "faces")
    assert [row["source"] for row in rows] == [str(path) for path in sorted(pictures.iterdir())]
    assert [row["error_code"] for row in rows] == [None] * 22 + ["decode"] * 2
    assert [row["picture"] for row in rows] == [place for shard in (7, 7, 7, 3) for place in range(shard)]
    assert {row["source"] for row in faces} == {row["source"] for row in rows if row["faces_found"]}
    assert sorted(path.name for path in done.iterdir()) == ["done.json", "faces", "job.json", "listing", "pictures"]


def test_rows_are_those_of_the_command_without_a_job(done: Path, pictures: Path, run_cli: Callable) -> None:
    rows, faces = table(done, "pictures"), table(done, "faces")
    plain = run_cli("embed", pictures, "--format", "jsonl").jsonl
    for row, record in zip(rows, plain, strict=True):
        assert [row[name] for name in ("source", "width", "height", "detected", "faces_found")] == [
            record[name] for name in ("source", "width", "height", "detected", "faces_found")
        ]
        assert row["error_code"] == (record["error"] and record["error"]["code"])
    told = [(record["source"], face) for record in plain for face in record["faces"]]
    for row, (source, face) in zip(faces, told, strict=True):
        assert (row["source"], row["face"]) == (source, face["index"])
        assert [round(value, 2) for value in row["bbox"]] == face["bbox"]
        assert round(row["score"], 4) == face["score"]
        assert row["landmarks"] == pytest.approx([v for point in face["landmarks"] for v in point], abs=0.006)
        assert row["embedding"] == pytest.approx(face["embedding"], abs=1e-6)


def test_the_files_tell_the_models_as_an_embeddings_file_does(done: Path, pictures: Path, run_cli: Callable) -> None:
    one = done.parent / "one.parquet"
    run_cli("embed", pictures / "00.jpg", "-o", one)
    told, expected = (
        json.loads(parquet.read_schema(path).metadata[b"facecli"]) for path in (done / "faces/00000.parquet", one)
    )
    assert told == expected


def test_its_documents_are_as_their_schemas_say(done: Path) -> None:
    folder = ROOT / "docs" / "schemas"
    schemas = {path.name: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}
    resources = Registry().with_resources((name, Resource.from_contents(own)) for name, own in schemas.items())
    for name in ("job.json", "done.json"):
        Draft202012Validator(schemas[name], registry=resources).validate(json.loads((done / name).read_bytes()))


def test_done_sums_up(done: Path) -> None:
    told = json.loads((done / "done.json").read_bytes())
    assert (told["shards"], told["pictures"], told["failed"], told["errors"]) == (4, 24, 2, {"decode": 2})
    assert told["faces"] == len(table(done, "faces"))
    assert set(told["seconds"]) >= {"read", "decode", "detect", "embed"}


@pytest.mark.parametrize("kind", ["pictures", "faces"])
def test_the_same_command_does_what_is_missing(
    done: Path, pictures: Path, run_cli: Callable, tmp_path: Path, kind: str
) -> None:
    folder = shutil.copytree(done, tmp_path / "out")
    before = {name: table(folder, name) for name in ("faces", "pictures")}
    (folder / kind / "00002.parquet").unlink()
    old = (folder / "pictures/00001.parquet").stat().st_mtime_ns
    run = run_cli("embed", pictures, "-o", folder, *JOB)
    assert run.returncode == 1
    assert "3 of 4 shards done" in run.errors[0]
    assert {name: table(folder, name) for name in before} == before
    assert (folder / "pictures/00001.parquet").stat().st_mtime_ns == old


@pytest.mark.parametrize(
    "name",
    ["pictures/00001.parquet", "faces/00002.parquet", "listing/*-00000.parquet"],
)
@pytest.mark.parametrize("content", [b"PAR1", b"PAR1 and nothing PAR1", None])
def test_a_file_that_was_damaged_is_named(
    done: Path, pictures: Path, run_cli: Callable, tmp_path: Path, name: str, content: bytes | None
) -> None:
    folder = shutil.copytree(done, tmp_path / "out")
    (file,) = folder.glob(name)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if content is None else content)
    run = run_cli("embed", pictures, "-o", folder, "--shard", "7", "--workers", "1")
    assert run.returncode == 1
    assert f"{file.relative_to(folder)} is damaged" in run.errors[-1]


def test_faces_of_another_shard_are_told(done: Path, pictures: Path, run_cli: Callable, tmp_path: Path) -> None:
    folder = shutil.copytree(done, tmp_path / "out")
    shutil.copy(folder / "faces/00003.parquet", folder / "faces/00002.parquet")
    run = run_cli("embed", pictures, "-o", folder, *JOB)
    assert (run.returncode, "faces/00002.parquet is damaged: 1 rows in the place of 7" in run.errors[-1]) == (1, True)


def test_a_command_that_is_not_the_first_leaves_the_list_alone(
    done: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two commands that both see no job.json: the second to write it takes up the job of the first, or is refused."""
    folder = shutil.copytree(done, tmp_path / "out")
    for name in ("pictures", "faces"):
        shutil.rmtree(folder / name)
    before = {path: path.read_bytes() for path in (folder / "listing").iterdir()}
    place, query = open_place(str(folder)), Query("detect", {}, Request())
    there = iter([None, job._there(place)])
    monkeypatch.setattr(job, "_there", lambda _place: next(there))
    with pytest.raises(UsageError, match="another job is in the folder"):
        job.opened(place, query, job.Inputs([str(pictures / "00.jpg")]), None)
    assert {path: path.read_bytes() for path in (folder / "listing").iterdir()} == before


@pytest.mark.parametrize(
    ("more", "difference"),
    [
        (("--recognizer", "dlib-resnet"), "recognizer.plugin is sface there, dlib-resnet here"),
        (("--min-score", "0.9"), "0.9"),
        (("--shard", "8"), "shard is 7 there, 8 here"),
        (("-p", "sface.flip=true"), "recognizer.parameters.flip is False there, True here"),
    ],
)
def test_another_job_is_refused(
    done: Path, pictures: Path, run_cli: Callable, more: tuple[str, ...], difference: str
) -> None:
    run = run_cli("embed", pictures, "-o", done, "--shard", "7", *more)
    assert run.returncode == 2
    assert "another job is in the folder" in run.errors[-1]
    assert difference in run.errors[-1]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"schema": "facecli.job/2"}, "job.json is a facecli.job/2, not a facecli.job/1"),
        ({"asked": 3}, "job.json is of no job of facecli"),
    ],
)
def test_a_job_of_another_kind_is_refused(
    done: Path, pictures: Path, run_cli: Callable, tmp_path: Path, content: dict, told: str
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/job.json").write_text(json.dumps(json.loads((done / "job.json").read_bytes()) | content))
    run = run_cli("embed", pictures, "-o", f"{tmp_path}/out/")
    assert (run.returncode, told in run.errors[-1]) == (2, True)


@pytest.mark.parametrize("content", [b"", b'{"schema', b"\xff", b"[" * 100_000])
def test_a_damaged_job_is_told(pictures: Path, run_cli: Callable, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/job.json").write_bytes(content)
    run = run_cli("embed", pictures, "-o", f"{tmp_path}/out/")
    assert (run.returncode, run.errors) == (2, ["facecli: error: job.json is damaged; name another --output"])


def test_another_list_is_refused(done: Path, pictures: Path, run_cli: Callable, tmp_path: Path) -> None:
    run = run_cli("embed", pictures / "00.jpg", "-o", done, "--shard", "7")
    assert run.returncode == 2
    assert "inputs is " in run.errors[-1]
    names = tmp_path / "names.txt"
    names.write_text(f"{pictures / '00.jpg'}\n{pictures / '01.jpg'}\n")
    command = ("detect", "--files-from", names, "-o", f"{tmp_path / 'listed'}/")
    assert run_cli(*command).returncode == 0
    assert run_cli(*command).returncode == 0
    names.write_text(f"{pictures / '00.jpg'}\n")
    assert "files_from is " in run_cli(*command).errors[-1]


def test_a_list_on_stdin_is_compared_by_its_names(pictures: Path, run_cli: Callable, tmp_path: Path) -> None:
    command = ("detect", "--files-from", "-", "-o", f"{tmp_path}/out/")
    names = f"{pictures / '00.jpg'}\n".encode()
    assert run_cli(*command, input=names).returncode == 0
    assert run_cli(*command, input=names).returncode == 0
    run = run_cli(*command, input=names * 2)
    assert (run.returncode, "the list of names is another one" in run.errors[-1]) == (2, True)


def test_pictures_that_failed_are_tried_again(pictures: Path, run_cli: Callable, tmp_path: Path) -> None:
    own = shutil.copytree(pictures, tmp_path / "own")
    folder = tmp_path / "out"
    command = ("embed", own, "-o", f"{folder}/", "--shard", "10")
    assert run_cli(*command).returncode == 1
    before = {kind: table(folder, kind) for kind in ("faces", "pictures")}
    (own / "22.jpg").write_bytes((own / "00.jpg").read_bytes())
    assert run_cli(*command).returncode == 1  # nothing is tried again unasked
    assert table(folder, "pictures") == before["pictures"]
    run = run_cli(*command, "--retry-failed")
    assert run.returncode == 1
    rows, faces = table(folder, "pictures"), table(folder, "faces")
    assert [row["error_code"] for row in rows] == [None] * 23 + ["decode"]
    assert [row for row in rows if row["source"] != rows[22]["source"]] == [
        row for row in before["pictures"] if row["source"] != rows[22]["source"]
    ]
    new = [row for row in faces if row["source"] == rows[22]["source"]]
    assert [row["embedding"] for row in new] == [faces[0]["embedding"]]
    assert [row for row in faces if row not in new] == before["faces"]
    assert json.loads((folder / "done.json").read_bytes())["failed"] == 1


def test_an_archive_that_is_whole_now_is_read_from_where_it_failed(
    pictures: Path, run_cli: Callable, tmp_path: Path
) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for number in range(4):
            tar.add(pictures / f"0{number}.jpg", f"{number}.jpg")
    with tarfile.open(tmp_path / "a.tar") as tar:
        third = tar.getmembers()[2].offset
    whole = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "a.tar").write_bytes(whole[:third] + b"\xff" * 512 + whole[third + 512 :])
    command = ("detect", tmp_path / "a.tar", "-o", f"{tmp_path}/out/")
    assert run_cli(*command).returncode == 1
    assert [row["error_code"] for row in table(tmp_path / "out", "pictures")] == [None, None, "input"]
    (tmp_path / "a.tar").write_bytes(whole)
    run = run_cli(*command, "--retry-failed")
    assert run.returncode == 0, run.stderr
    rows = table(tmp_path / "out", "pictures")
    assert [row["source"] for row in rows] == [f"{tmp_path}/a.tar/{number}.jpg" for number in range(4)]
    assert [row["picture"] for row in rows] == [0, 1, 2, 3]


def test_attributes_have_the_columns_of_a_csv(pictures: Path, run_cli: Callable, tmp_path: Path) -> None:
    command = ("analyze", pictures / "00.jpg", "--attributes", "age,emotion,pose,quality")
    assert run_cli(*command, "-o", f"{tmp_path}/out/").returncode == 0
    (row,) = table(tmp_path / "out", "faces")
    (face,) = run_cli(*command, "--json").json["images"][0]["faces"]
    assert row["emotion"] == face["emotion"]["label"]
    assert row["age"] == face["age"]["value"]
    assert row["age low"] == face["age"]["low"]
    assert row["emotion happy"] == face["emotion"]["probabilities"]["happy"]
    assert row["pose yaw"] == face["pose"]["yaw"]
    assert "embedding" not in row


def test_names_are_relative_to_the_folder_of_the_first_run(pictures: Path, run_cli: Callable, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert run_cli("detect", "00.jpg", "-o", f"{folder}/", cwd=pictures).returncode == 0
    (folder / "pictures/00000.parquet").unlink()
    run = run_cli("detect", pictures / "00.jpg", "-o", folder, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert [row["source"] for row in table(folder, "pictures")] == ["00.jpg"]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--json",), "--json does not go with a folder as output"),
        (("--engine", "nowhere"), "there is no engine 'nowhere'"),
        (("--engine-option", "local.x=1"), "local has no parameter x"),
        (("--engine-option", "x=1"), "write ENGINE.NAME=VALUE"),
        (("--detector", "nobody"), "there is no detector 'nobody'"),
        (("-o", "memory://out/"), "memory:// is this process's alone"),
    ],
)
def test_what_can_not_be_is_refused(
    pictures: Path, run_cli: Callable, tmp_path: Path, args: tuple[str, ...], told: str
) -> None:
    run = run_cli("embed", pictures, "-o", f"{tmp_path}/out/", *args)
    assert run.returncode == 2
    assert told in run.errors[-1]
    assert not (tmp_path / "out" / "job.json").exists()


def test_a_folder_may_be_a_url(pictures: Path, run_cli: Callable, tmp_path: Path) -> None:
    run = run_cli("detect", pictures / "00.jpg", "-o", f"file://{tmp_path}/out/")
    assert run.returncode == 0, run.stderr
    assert len(table(tmp_path / "out", "pictures")) == 1


def test_a_model_that_is_missing_ends_before_the_list(pictures: Path, run_cli: Callable, tmp_path: Path) -> None:
    run = run_cli("embed", pictures, "-o", f"{tmp_path}/out/", "--recognizer", "auraface", "--quiet")
    assert run.returncode == 4
    assert not [*(tmp_path / "out").iterdir()]


def test_no_picture_no_job(run_cli: Callable, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    run = run_cli("detect", tmp_path / "empty", "-o", f"{tmp_path}/out/")
    assert (run.returncode, "no pictures in the folder" in run.errors[-1]) == (1, True)
    assert not (tmp_path / "out" / "job.json").exists()


def test_options_of_a_job_need_a_folder(pictures: Path, run_cli: Callable) -> None:
    run = run_cli("detect", pictures / "00.jpg", "--workers", "2")
    assert (run.returncode, "--workers is of a job" in run.errors[-1]) == (2, True)
