"""Jobs in an object store: moto's server as S3."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest

from facecli.errors import DeviceError, InputError, OutputError
from facecli.places import objects
from facecli.places.opening import ObjectPlace, open_place
from facecli.scale import sources
from facecli.types import Limits
from tests.scale.conftest import parquet, table

s3fs = pytest.importorskip("s3fs", reason="s3:// needs facecli[s3]")
server = pytest.importorskip("moto.server", reason="moto[server] stands for S3")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of a server that answers as S3."""
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def s3(address: str, monkeypatch: pytest.MonkeyPatch, pictures: Path) -> Iterator[dict[str, str]]:
    """The environment in which s3:// leads to the server, with a bucket that holds the pictures."""
    settings = {
        "AWS_ENDPOINT_URL": address,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "very-secret-key",
        "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": "127.0.0.1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    files = s3fs.S3FileSystem()
    if not files.exists("bucket"):
        files.mkdir("bucket")
        files.put(f"{pictures}/", "bucket/pictures/", recursive=True)
    yield settings
    for name in files.find("bucket"):
        if not name.startswith("bucket/pictures/"):
            files.rm_file(name)


def test_a_job_reads_and_writes_a_bucket(s3: dict, pictures: Path, run_cli: Callable, tmp_path: Path) -> None:
    command = ("embed", "s3://bucket/pictures/**", "-o", "s3://bucket/out/", "--shard", "10")
    run = run_cli(*command, env=s3)
    assert run.returncode == 1, run.stderr
    assert run_cli("embed", pictures, "-o", f"{tmp_path}/out/", "--shard", "10").returncode == 1
    s3fs.S3FileSystem().get("bucket/out/", f"{tmp_path}/copy/", recursive=True)
    ours, theirs = (table(tmp_path / name, "faces") for name in ("copy", "out"))
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert one.pop("source") == f"s3://bucket/pictures/{Path(other.pop('source')).name}"
        assert one == other
    assert [row["error_code"] for row in table(tmp_path / "copy", "pictures")] == [None] * 22 + ["decode"] * 2
    assert json.loads((tmp_path / "copy/done.json").read_bytes())["pictures"] == 24
    again = run_cli(*command, env=s3)
    assert (again.returncode, "3 of 3 shards done" in again.errors[0]) == (1, True)
    clustered = run_cli("cluster", "s3://bucket/out/", "--json", env=s3)
    assert sum(len(one["faces"]) for one in clustered.json["clusters"]) == len(ours)
    gallery = ("--gallery", tmp_path / "a.db", "--json")
    imported = run_cli("gallery", "import", "s3://bucket/out/", *gallery, env=s3).json
    assert imported["added"] == len(ours)
    enrolled = run_cli("enroll", "s3://bucket/out/", *gallery, env=s3).json
    assert (enrolled["known"], next(one["person"] for one in enrolled["people"])) == (len(ours), "pictures")
    other = run_cli(*command, "--recognizer", "dlib-resnet", env=s3)
    assert (other.returncode, "recognizer.plugin is sface there" in other.errors[-1]) == (2, True)


def test_one_of_several_creates_a_file(s3: dict) -> None:
    place = open_place("s3://bucket/once")
    assert place.create("job.json", b"first")
    assert not place.create("job.json", b"second")
    assert place.read("job.json") == b"first"
    place.write("job.json", b"third")
    assert place.read("job.json") == b"third"
    assert place.names("") == {"job.json"}
    place.remove("job.json")
    assert place.names("") == place.names("nothing") == set()
    place.remove("job.json")
    with pytest.raises(FileNotFoundError):
        place.read("job.json")


def test_a_large_file_is_read_at_its_end(s3: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    pa = pytest.importorskip("pyarrow")
    stream = BytesIO()
    parquet.write_table(pa.table({"a": list(range(1000))}), stream)
    place = ObjectPlace("s3://bucket/large")
    place.write("a.parquet", stream.getvalue())
    monkeypatch.setattr(objects, "SMALL", 10)
    with place.open("a.parquet") as opened:
        assert parquet.read_metadata(opened).num_rows == 1000


def test_names_below_a_prefix_by_a_glob_and_alone(s3: dict) -> None:
    s3fs.S3FileSystem().pipe_file("bucket/more/deep/a.jpg", b"")
    s3fs.S3FileSystem().pipe_file("bucket/more/notes.txt", b"")
    s3fs.S3FileSystem().pipe_file("bucket/more/b.tar", b"")
    assert [*sources.named(["s3://bucket/more/"])] == ["s3://bucket/more/b.tar", "s3://bucket/more/deep/a.jpg"]
    assert [*sources.named(["s3://bucket/more/*.t??"])] == ["s3://bucket/more/b.tar", "s3://bucket/more/notes.txt"]
    assert [*sources.named(["s3://bucket/more/notes.txt"])] == ["s3://bucket/more/notes.txt"]
    with pytest.raises(InputError, match="nothing matches s3://bucket/nowhere/"):
        [*sources.named(["s3://bucket/nowhere/"])]


def test_objects_are_read_within_the_limits(s3: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    s3fs.S3FileSystem().pipe_file("bucket/big", b"x" * 1000)
    assert sources.opened("s3://bucket/big").read(Limits()) == b"x" * 1000
    for small in (999, 1000, 1001):
        monkeypatch.setattr(objects, "SMALL", small)
        assert sources.opened("s3://bucket/big").read(Limits(max_bytes=1000)) == b"x" * 1000
    with pytest.raises(InputError, match="too large"):
        sources.opened("s3://bucket/big").read(Limits(max_bytes=999))
    with pytest.raises(InputError, match="no such object"):
        sources.opened("s3://bucket/none").read(Limits())


def test_failures_name_the_place_and_no_secret(s3: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    place = open_place("s3://no-such-bucket/out")
    with pytest.raises(OutputError, match=r"can not write job\.json") as failure:
        place.write("job.json", b"")
    assert "very-secret-key" not in str(failure.value)
    monkeypatch.setattr(place._files, "ls", lambda *_, **__: 1 / 0)  # whatever a library raises
    with pytest.raises(OutputError, match="can not list s3://no-such-bucket/out/faces: ZeroDivisionError"):
        place.names("faces")


def test_a_scheme_that_nothing_opens_is_told(run_cli: Callable, pictures: Path) -> None:
    run = run_cli("detect", pictures / "00.jpg", "-o", "nonsense://bucket/out/")
    assert run.returncode == 2
    assert "nothing knows nonsense://" in run.errors[-1]


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    with pytest.raises(DeviceError) as failure:
        objects.opened("s3://bucket/a")
    assert failure.value.hint == 'pip install "facecli[s3]"'
    assert failure.value.exit_code == 4
