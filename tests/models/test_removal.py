from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from facecli.errors import ModelError, UsageError
from facecli.models import catalogue, removal
from facecli.models.disk.locks import locked
from facecli.models.disk.work import work_folder
from facecli.models.store import ModelStore

CONTENT = bytes(range(256)) * 4096


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "acme.pth").write_bytes(CONTENT)
    return ModelStore(tmp_path / "home", mirror=str(mirror), offline=True)


def test_a_model_is_removed_with_all_that_is_known_of_it(store: ModelStore, make_spec: Any, left_in: Any) -> None:
    spec = make_spec()
    path = store.path(spec)
    (removed,) = removal.remove(store, [spec], [spec])
    assert (removed.path, removed.size, removed.kept_for) == (path, len(CONTENT), None)
    assert left_in(store.root) == []
    assert store.state(spec) == "absent"
    assert removal.remove(store, [spec], [spec]) == []


def test_an_export_is_removed_too(store: ModelStore, make_spec: Any, tmp_path: Path, left_in: Any) -> None:
    spec = make_spec(sha256=None, size=None)
    store.register(spec.id, [tmp_path / "mirror" / "acme.pth"], {})
    assert store.state(spec) == "installed"
    removal.remove(store, [spec], [spec])
    assert left_in(store.root) == []
    assert store.state(spec) == "absent"


def test_what_another_model_has_too_is_kept(store: ModelStore, make_spec: Any) -> None:
    spec, twin = make_spec(), make_spec(model_id="acme/twin")
    path = store.path(spec)
    (kept,) = removal.remove(store, [spec], [spec, twin])
    assert kept.kept_for == "acme/twin"
    assert path.is_file()
    assert [r.kept_for for r in removal.remove(store, [spec, twin], [spec, twin])] == [None, None]
    assert not path.exists()


def test_an_embedded_model_stays(store: ModelStore, make_spec: Any) -> None:
    spec = make_spec()
    path = store.path(spec)
    with pytest.raises(UsageError, match="mtcnn came with its package"):
        removal.remove(store, [spec, catalogue.load("mtcnn")], [])
    assert path.is_file()


def test_prune_takes_what_was_left_behind_and_nothing_else(store: ModelStore, make_spec: Any, tmp_path: Path) -> None:
    spec = make_spec()
    installed = store.path(spec)
    exported = make_spec(model_id="acme/exported", sha256=None, size=None, name="made.onnx")
    foreign = make_spec(model_id="gone/plugin", name="foreign.onnx")
    for model in (exported, foreign):  # the second is of a plugin that is not installed here any more
        made = tmp_path / model.files[0].name
        made.write_bytes(made.name.encode())
        store.register(model.id, [made], {})
    blobs, partial = store.layout.blobs, store.layout.partial
    partial.mkdir(exist_ok=True)
    stamps = [store.layout.carried(name * 64) for name in "ab"]
    stamps[0].parent.mkdir()
    stamps[0].write_bytes(b"1 2 " + os.fsencode(installed))
    stamps[1].write_bytes(b"1 2 /nowhere/x.onnx")
    waste = [
        stamps[1],
        partial / "abc.part",
        partial / "abc.json",
        blobs / f"{'0' * 64}.onnx",
        blobs / f"{'0' * 64}.stamp",
        blobs / f"{'1' * 64}.stamp",
        blobs / ".facecli-0123.onnx",
    ]
    kept = [partial / "busy.part", partial / "busy.json", blobs / ".facecli-4567.onnx"]
    for path in waste[1:] + kept:
        path.write_bytes(b"x")
    os.utime(blobs / ".facecli-0123.onnx", (0, 0))
    for folder in (partial / "bundle-dead", partial / "bundle-alive"):
        folder.mkdir()
        (folder / "x").write_bytes(b"123")
    waste.append(partial / "bundle-dead")
    kept.append(partial / "bundle-alive" / "x")
    locks = [store.layout.lock("killed"), store.root / "licences.lock"]
    for lock in locks:
        lock.touch()
    with locked(store.layout.lock("busy")), locked(store.layout.lock("bundle-alive")):
        removed = removal.prune(store, [spec, exported])
    assert {one.path for one in removed} == {*waste} - {blobs / f"{'0' * 64}.stamp"}  # which goes with its file
    assert {one.path.name: one.size for one in removed}["bundle-dead"] == 3
    assert not any(path.exists() for path in (*waste, *locks))
    assert all(path.exists() for path in (installed, stamps[0], *kept))
    assert [store.state(model) for model in (spec, exported)] == ["installed", "installed"]
    foreign_sha256 = hashlib.sha256(b"foreign.onnx").hexdigest()
    assert store.layout.blob(foreign_sha256, "foreign.onnx").is_file()


def test_prune_of_no_store(tmp_path: Path) -> None:
    assert removal.prune(ModelStore(tmp_path / "nothing"), []) == []
    assert not (tmp_path / "nothing").exists()


def test_rm_and_prune_on_the_command_line(run_cli: Any, files: Any, plugin: Any, tmp_path: Path) -> None:
    files.add("w")
    env = plugin(f"{files.url}/w")
    path = Path(run_cli("models", "path", "acme/model", "--json", env=env).json["files"][0]["path"])
    (tmp_path / "home" / "partial" / "old.part").write_bytes(b"12345")
    pruned = run_cli("models", "prune", "--json", env=env).json
    assert (pruned["freed"], [Path(file["path"]).name for file in pruned["files"]]) == (5, ["old.part"])
    assert path.is_file()
    removed = run_cli("models", "rm", "acme/model", "--json", env=env).json
    assert (removed["models"], removed["freed"]) == (["acme/model"], len(CONTENT))
    assert not path.exists()
    refused = run_cli("models", "rm", "mtcnn", env=env)
    assert refused.returncode == 2
    assert len(refused.errors) == 1


def test_links_and_folders_in_the_store_are_not_followed(store: ModelStore, make_spec: Any, tmp_path: Path) -> None:
    spec = make_spec()
    store.path(spec)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine.txt").write_text("mine")
    blobs, partial = store.layout.blobs, store.layout.partial
    links = [blobs / "link.onnx", blobs / "broken.onnx", partial / "folder", partial / "bundle-link"]
    for link, target in zip(links, (outside / "mine.txt", tmp_path / "nowhere", outside, outside), strict=True):
        link.symlink_to(target)
    own = [blobs / "folder", partial / "other"]
    for folder in own:
        folder.mkdir()
        (folder / "x").write_text("x")
    removed = removal.prune(store, [spec])
    assert {one.path for one in removed} == {*links}
    assert not any(link.is_symlink() for link in links)
    assert (outside / "mine.txt").read_text() == "mine"
    assert all((folder / "x").exists() for folder in own)
    assert store.state(spec) == "installed"


def test_work_lies_where_prune_finds_it(store: ModelStore) -> None:
    """Whoever is killed leaves a folder; one in which somebody works stays."""
    with work_folder(store.layout) as folder:
        (folder / "deeper").mkdir()
        (folder / "deeper" / "copy.onnx").write_bytes(b"12345")
        assert removal.prune(store, []) == []
        dead = folder.with_name(f"{folder.name}0")
        shutil.copytree(folder, dead)
        (removed,) = removal.prune(store, [])
        assert (removed.path, removed.what) == (dead, "of work that was not done to its end")
        assert removed.size >= 5
        assert (folder / "deeper" / "copy.onnx").exists()
    assert not folder.exists()
    assert not dead.exists()


@pytest.mark.parametrize("content", ["{}", '{"model": "x"}', "[]", "3", '{"files": 3}'])
def test_prune_passes_over_damaged_records(store: ModelStore, make_spec: Any, content: str) -> None:
    spec = make_spec()
    path = store.path(spec)
    (store.layout.root / "fetched" / "x.json").write_text(content)
    (store.layout.root / "fetched" / "y.json").symlink_to("nowhere")
    (store.layout.root / "fetched" / "z.json").mkdir()
    removal.prune(store, [spec])
    assert path.is_file()


@pytest.mark.parametrize("what", ["part", "lock"])
def test_a_link_in_the_way_of_what_is_fetched_is_not_written_through(
    store: ModelStore, make_spec: Any, tmp_path: Path, what: str
) -> None:
    spec = make_spec()
    victim = tmp_path / "victim"
    if what == "part":
        victim.write_text("mine")
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    link = store.layout.arriving(sha256) if what == "part" else store.layout.lock(sha256)
    link.parent.mkdir(parents=True)
    link.symlink_to(victim)
    if what == "part":
        assert store.path(spec).read_bytes() == CONTENT
        assert victim.read_text() == "mine"
    else:
        with pytest.raises(ModelError, match="the model store can not be filled"):
            store.path(spec)
        assert removal.prune(store, [spec]) == []
        assert store.path(spec).read_bytes() == CONTENT
        assert not victim.exists()
