"""Two real processes at one store: one is between a file and its record, the other tidies up."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from facecli.models.bundle import export_bundle
from facecli.models.disk.guards import records_locked
from facecli.models.store import ModelStore

LONG = 2.0  # seconds that a process is given to do what it must not do yet
TIDY = """
import sys
from pathlib import Path
from facecli.models import catalogue, removal
from facecli.models.store import ModelStore

store = ModelStore(Path(sys.argv[2]), mirror="", offline=True)
known = [catalogue.load("mobilefacenet")]
print("ready", flush=True)
removal.prune(store, known) if sys.argv[1] == "prune" else removal.remove(store, known, known)
"""
# Brings a model of no known plugin into a store, by one of three ways, and stops where its record is to be written.
BRING = """
import sys
from pathlib import Path
from facecli.contract import ModelFile, ModelSpec
from facecli.models.disk import records
from facecli.models.bundle import import_bundle
from facecli.models.store import ModelStore

way, home, file = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
write = records.write

def paused(*arguments):
    print("about to write", flush=True)
    sys.stdin.readline()
    write(*arguments)

records.write = paused
store = ModelStore(home, mirror=str(file.parent), offline=True)
model = ModelFile("acme.pth", None, urls=("https://example.org/acme.pth",))
spec = ModelSpec("acme/model", "detector", "", (model,), licence="MIT", commercial_use=True, source="here")
if way == "register":
    store.register(spec.id, [file], {})
elif way == "pull":
    store.pull(spec)
else:
    import_bundle(store, file.with_name("models.zip"), lambda name: spec)
"""


@pytest.fixture
def source(tmp_path: Path, make_spec: Callable[..., Any]) -> Path:
    """A model file, with a bundle of it beside."""
    file = tmp_path / "source" / "acme.pth"
    file.parent.mkdir()
    file.write_bytes(b"a model")
    spec = make_spec("https://example.org/acme.pth", sha256=None, size=None)
    other = ModelStore(tmp_path / "other", mirror=str(file.parent), offline=True)
    other.pull(spec)
    export_bundle(other, [spec], file.with_name("models.zip"))
    return file


def tidying(what: str, home: Path) -> subprocess.Popen[bytes]:
    """A process that is just about to tidy up."""
    process = subprocess.Popen([sys.executable, "-c", TIDY, what, str(home)], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"ready\n"
    return process


@pytest.mark.parametrize("way", ["register", "pull", "import"])
def test_prune_waits_for_the_record_of_a_file_that_has_just_come(
    way: str, source: Path, tmp_path: Path, cli_env: dict[str, str], make_spec: Callable[..., Any]
) -> None:
    home, pipe = tmp_path / "home", subprocess.PIPE
    line = [sys.executable, "-c", BRING, way, str(home), str(source)]
    with subprocess.Popen(line, stdin=pipe, stdout=pipe, env=cli_env) as bringing:
        assert bringing.stdin is not None and bringing.stdout is not None
        assert bringing.stdout.readline() == b"about to write\n"
        with tidying("prune", home) as pruning:
            with suppress(subprocess.TimeoutExpired):
                pruning.wait(LONG)
            bringing.communicate(b"\n")
            pruning.communicate(timeout=60)
    assert (bringing.returncode, pruning.returncode) == (0, 0)
    store = ModelStore(home, mirror="", offline=True)
    assert store.verify(make_spec(sha256=None, size=None)) == {"acme.pth": "ok"}


def test_rm_waits_until_the_records_are_free(tmp_path: Path, source: Path) -> None:
    store = ModelStore(tmp_path / "home", mirror="", offline=True)
    store.register("mobilefacenet", [source.rename(source.with_name("mobilefacenet.onnx"))], {})
    (blob,) = store.layout.blobs.glob("*.onnx")
    with records_locked(store.layout):
        removing = tidying("remove", store.root)
        with pytest.raises(subprocess.TimeoutExpired):
            removing.wait(LONG)
        assert blob.is_file()
    removing.communicate(timeout=60)
    assert removing.returncode == 0
    assert not blob.exists()


def test_two_processes_that_accept_licences_lose_none(tmp_path: Path, make_spec: Callable[..., Any]) -> None:
    accept = """
import sys
from pathlib import Path
from facecli.contract import ModelSpec
from facecli.models.disk.licences import Licences
for number in range(20):
    licence = f"{sys.argv[2]} {number}"
    spec = ModelSpec("m", "detector", "", (), licence=licence, commercial_use=False, source="here")
    Licences(Path(sys.argv[1]), accept=True).require(spec)
"""
    path = tmp_path / "licences.json"
    both = [subprocess.Popen([sys.executable, "-c", accept, str(path), name]) for name in ("one", "two")]
    assert [process.wait(60) for process in both] == [0, 0]
    from facecli.models.disk.licences import Licences

    known = Licences(path, accept=False)
    names = [f"{name} {number}" for name in ("one", "two") for number in range(20)]
    assert all(known.accepted(make_spec(licence=name, commercial_use=False)) for name in names)
