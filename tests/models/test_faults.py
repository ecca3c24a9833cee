"""The faults of the world through the whole command line: a process of its own against a real server each time."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def test_cut_connections_are_resumed(run_cli: Any, files: Any, plugin: Any) -> None:
    served = files.add("w", cuts=[300_000, 300_000])
    done = run_cli("models", "pull", "acme/model", "--json", env=plugin(f"{files.url}/w"))
    assert done.returncode == 0, done.stderr
    assert Path(done.json["models"][0]["files"][0]["path"]).read_bytes() == served.content
    first, second, third = served.asked_ranges
    assert first is None
    assert 0 < int(second[6:-1]) <= 300_000 < int(third[6:-1]) <= 600_000


def test_a_wrong_hash_keeps_nothing(run_cli: Any, files: Any, plugin: Any, tmp_path: Path, left_in: Any) -> None:
    served = files.add("w", content=b"something else")
    stated = hashlib.sha256(b"what it should be").hexdigest()
    done = run_cli("models", "pull", "acme/model", "--json", env=plugin(f"{files.url}/w", sha256=stated, size=14))
    assert done.returncode == 4
    assert len(done.errors) == 2  # the licence, and this
    assert f"{files.url}/w" in done.errors[-1]
    assert stated in done.errors[-1] and hashlib.sha256(served.content).hexdigest() in done.errors[-1]
    assert done.json["models"][0]["error"]["message"] in done.errors[-1]
    assert left_in(tmp_path / "home") == []


@pytest.mark.parametrize("how", ["further address", "mirror before"])
def test_404_here_and_the_file_there(run_cli: Any, files: Any, plugin: Any, how: str) -> None:
    if how == "further address":
        files.add("there")
        env = plugin(f"{files.url}/gone", f"{files.url}/there")
        source = f"{files.url}/there"
    else:
        files.add("w")
        env = plugin(f"{files.url}/w") | {"FACECLI_MODELS_MIRROR": f"{files.url}/mirror"}
        source = f"{files.url}/w"
    done = run_cli("models", "pull", "acme/model", "--json", env=env)
    assert done.returncode == 0, done.stderr
    assert done.json["models"][0]["files"][0]["source"] == source


PLUGIN = """
import json, pathlib
from facecli.contract import DetectorPlugin, ModelArchive, ModelFile, ModelSpec, hookimpl

@hookimpl
def facecli_detectors():
    stated = json.loads(pathlib.Path(__file__).with_suffix(".json").read_text())
    archive = ModelArchive("pack.zip", stated["archive"], urls=tuple(stated["urls"]))
    file = ModelFile("acme.pth", stated["sha256"], stated["size"], packed=((archive, "acme.pth"),))
    model = ModelSpec("acme/model", "detector", "", (file,), licence="MIT", commercial_use=True, source="here")
    yield DetectorPlugin("acme", "A detector", lambda runtime, parameters: None, landmarks=False, models=(model,))
"""


@pytest.fixture
def packed(files: Any, plugin: Any, tmp_path: Path) -> Callable[[bytes, bytes], dict[str, str]]:
    """Serve an archive that a plugin's model lies in."""

    def serve(archive: bytes, content: bytes) -> dict[str, str]:
        env = plugin()
        files.add("pack.zip", content=archive)
        hashes = {"archive": hashlib.sha256(archive).hexdigest(), "sha256": hashlib.sha256(content).hexdigest()}
        stated = {"urls": [f"{files.url}/pack.zip"], "size": len(content), **hashes}
        (tmp_path / "site" / "acme.json").write_text(json.dumps(stated))
        (tmp_path / "site" / "acme.py").write_text(PLUGIN)
        return dict(env)

    return serve


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def test_a_member_of_a_good_archive_comes_out(run_cli: Any, packed: Any, tmp_path: Path) -> None:
    env = packed(zipped(("deep/folder/acme.pth", b"a model"), ("other.txt", b"x")), b"a model")
    done = run_cli("models", "pull", "acme/model", "--json", env=env)
    assert done.returncode == 0, done.stderr
    assert Path(done.json["models"][0]["files"][0]["path"]).read_bytes() == b"a model"


@pytest.mark.parametrize(
    "members",
    [
        [("../acme.pth", b"a model")],
        [("acme.pth", b"a model"), ("../../evil", b"x")],
        [(link("acme.pth"), b"/etc/passwd")],
        [("acme.pth", b"another")],
    ],
    ids=["up", "one up beside it", "a link", "another hash"],
)
def test_a_zip_that_plays_tricks_leaves_nothing(
    run_cli: Any, packed: Any, tmp_path: Path, left_in: Any, members: list[Any]
) -> None:
    env = packed(zipped(*members), b"a model")
    before = left_in(tmp_path / "site")
    done = run_cli("models", "pull", "acme/model", env=env | {"PYTHONDONTWRITEBYTECODE": "1"})
    assert done.returncode == 4
    assert len(done.errors) == 2 and "Traceback" not in done.errors[-1]
    assert "pack.zip" in done.errors[-1] or "acme.pth" in done.errors[-1]
    assert left_in(tmp_path / "home") == []
    assert left_in(tmp_path / "site") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "site"]
