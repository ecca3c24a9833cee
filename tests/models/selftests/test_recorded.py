"""What a file answered when it came in, and whether it still does: recorded, kept, carried along, and never trusted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facecli.contract import CropSpec, ModelFile, ModelSpec, Preprocessing
from facecli.errors import ModelError
from facecli.inference.session import open_session
from facecli.models import catalogue
from facecli.models.disk.layout import Layout
from facecli.models.selftests import recorded
from facecli.models.selftests.rule import Rule
from facecli.models.store import ModelStore
from facecli.system.files import sha256_of

FACTS: dict[str, Any] = {"licence": "MIT", "commercial_use": True, "source": "here"}
SPEC = ModelSpec(
    "acme", "recognizer", "", (), **FACTS, crop=CropSpec(8, 6), preprocessing=Preprocessing("RGB", (0,), (1,))
)


class Fake:
    """A session that answers with what a function makes of its input."""

    def __init__(self, answer: Callable[[Any], Any], **shapes: Any) -> None:
        self.input_shapes = shapes or {"x": (None, 3, None, None)}
        self.input_types = dict.fromkeys(self.input_shapes, "float")
        self._answer = answer

    def run(self, feeds: Any) -> dict[str, Any]:
        (given,) = feeds.values()
        return {"y": self._answer(given)}


def mean(pixels: Any) -> Any:
    return pixels.reshape(len(pixels), -1).mean(1, keepdims=True)


def test_the_input_is_what_the_model_is_described_to_take() -> None:
    found = recorded.record(Fake(mean), SPEC)
    assert found is not None
    assert found.rule == Rule("x", (2, 3, 6, 8), 0, 1)
    assert len(found.outputs["y"]) == 2
    assert found.difference(Fake(mean)) == 0
    assert found.difference(Fake(lambda x: mean(x) * 1.01)) == pytest.approx(0.01, rel=1e-3)  # of its own size
    fixed = recorded.record(Fake(mean, x=(1, 3, 32, 32)), SPEC)
    assert fixed is not None and fixed.rule.shape == (1, 3, 32, 32)
    last = replace(SPEC, preprocessing=Preprocessing("grey", (1,), (2,), "NHWC"))
    grey = recorded.record(Fake(mean, x=(None, None, None, None)), last)
    assert grey is not None and grey.rule == Rule("x", (2, 6, 8, 1), 1, 2)
    plain = recorded.record(Fake(mean), replace(SPEC, crop=None, preprocessing=None))
    assert plain is not None and plain.rule == Rule("x", (2, 3, 64, 64), 127.5, 127.5)


def fails(_: Any) -> Any:
    raise RuntimeError("no kernel")


@pytest.mark.parametrize(
    "session",
    [
        Fake(mean, x=(1, 3, 4, 4), z=(1,)),
        Fake(mean, x=(1, 3)),
        Fake(mean, x=(None, 3, 10**5, 10**5)),
        Fake(lambda x: mean(x)[:0]),
        Fake(lambda _: np.array(["text"])),
    ],
    ids=["two inputs", "no pictures", "too large", "nothing", "text"],
)
def test_what_can_not_be_compared_has_none(session: Any) -> None:
    assert recorded.record(session, SPEC) is None


def test_what_gives_no_numbers_or_does_not_run_is_refused() -> None:
    with pytest.raises(ModelError, match="model acme gives NaN or infinity"):
        recorded.record(Fake(lambda x: mean(x) * np.nan), SPEC)
    with pytest.raises(ModelError, match="model acme does not run: no kernel"):
        recorded.record(Fake(fails), SPEC)
    unknown = replace(SPEC, crop=None)  # it may want pictures of another size
    assert recorded.record(Fake(fails), unknown) is None


def test_a_file_that_rounds_is_given_room_and_others_are_not() -> None:
    fine = recorded.record(Fake(mean), SPEC)
    # A step at each twentieth of a level.
    rough = recorded.record(Fake(lambda x: np.floor(mean(x) * 20) % 2 / 50), SPEC)
    assert fine is not None and rough is not None
    assert fine.tolerance == 1e-3
    assert fine.difference(Fake(fails)) == float("inf")
    assert rough.tolerance == pytest.approx(0.04)
    assert recorded.record(Fake(lambda x: np.floor(mean(x) * 20) % 2), SPEC) is None  # it would let everything pass


def test_what_is_written_is_read(tmp_path: Path) -> None:
    found = recorded.record(Fake(mean), SPEC)
    assert found is not None
    recorded.write(tmp_path / "a" / "x.json", found)
    assert recorded.read(tmp_path / "a" / "x.json") == found
    assert recorded.read(tmp_path / "none.json") is None


@pytest.mark.parametrize(
    "change",
    [
        {"rule": None},
        {"rule": {"input": "x", "shape": [2**20, 2**20], "mean": 0, "std": 1}},
        {"rule": {"input": "x", "shape": [1, -3], "mean": 0, "std": 1}},
        {"rule": {"input": "x", "shape": [1] * 9, "mean": 0, "std": 1}},
        {"rule": {"input": "x", "shape": "abc", "mean": 0, "std": 1}},
        {"rule": {"input": "x", "shape": [1], "mean": "nan", "std": 1}},
        {"rule": {"input": "x", "shape": [True, 3], "mean": 0, "std": 1}},
        {"rule": {"input": "x", "shape": [2], "mean": 0, "std": 0}},
        {"rule": {"input": 3, "shape": [2], "mean": 0, "std": 1}},
        {"outputs": {}},
        {"outputs": {"y": []}},
        {"outputs": {"y": [float("nan")]}},
        {"outputs": {"y": "text"}},
        {"outputs": [1]},
        {"tolerance": float("inf")},
        {"tolerance": 1e300},
        {"tolerance": 0},
        {"tolerance": None},
    ],
)
def test_a_record_that_is_none_is_not_taken_for_one(tmp_path: Path, change: dict[str, Any]) -> None:
    found = recorded.record(Fake(mean), SPEC)
    assert found is not None
    (tmp_path / "x.json").write_text(json.dumps(found.document() | change))
    assert recorded.read(tmp_path / "x.json") is None


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"3", b"\xff", b"x" * (2**20 + 1)])
def test_a_record_that_is_damaged_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    assert recorded.read(tmp_path / "x.json") is None


def test_only_files_that_run_have_one() -> None:
    assert recorded.applies(ModelFile("a.onnx", None)) and recorded.applies(ModelFile("a.ort", None))
    assert not recorded.applies(ModelFile("a.pt", None))
    assert not recorded.applies(ModelFile("a.onnx", None, path=Path("a.onnx")))


@pytest.fixture
def home(shared: Path, tmp_path: Path) -> dict[str, str]:
    """An environment with an empty store and the shared models as its mirror."""
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "mobilefacenet.onnx").write_bytes((shared / "models" / "mobilefacenet.onnx").read_bytes())
    return {"FACECLI_HOME": str(tmp_path / "home"), "FACECLI_MODELS_MIRROR": str(mirror), "FACECLI_OFFLINE": "1"}


def the_record(home: dict[str, str]) -> Path:
    (path,) = Path(home["FACECLI_HOME"], "selftests").glob("*.json")
    return path


def test_pulled_verified_carried_along_and_removed(run_cli: Callable, home: dict[str, str], tmp_path: Path) -> None:
    assert run_cli("models", "pull", "mobilefacenet", env=home).returncode == 0
    record = the_record(home)
    assert record.stem == sha256_of(Path(home["FACECLI_MODELS_MIRROR"], "mobilefacenet.onnx"))
    (row,) = run_cli("models", "verify", "mobilefacenet", "--json", env=home).json["files"]
    assert row["state"] == "ok" and row["selftest_difference"] < 1e-5
    known = json.loads(record.read_bytes())
    assert len(known["outputs"]["embeddings" if "embeddings" in known["outputs"] else min(known["outputs"])]) == 16

    other = home | {"FACECLI_HOME": str(tmp_path / "other")}
    run_cli("models", "export-bundle", tmp_path / "b.zip", "mobilefacenet", env=home)
    assert run_cli("models", "import-bundle", tmp_path / "b.zip", env=other).returncode == 0
    assert json.loads(the_record(other).read_bytes()) == known

    name = min(known["outputs"])
    known["outputs"][name][3] += 1.0  # as if it had computed something else there
    record.write_text(json.dumps(known))
    done = run_cli("models", "verify", "mobilefacenet", "--json", env=home)
    assert done.returncode == 4
    (row,) = done.json["files"]
    assert row["state"] == "wrong answer" and row["selftest_difference"] > 0.1
    assert "mobilefacenet.onnx" in done.errors[0]

    assert run_cli("models", "rm", "mobilefacenet", env=home).returncode == 0
    assert not record.exists()


def test_one_that_came_without_gets_it_at_the_next_verify(run_cli: Callable, home: dict[str, str]) -> None:
    assert run_cli("models", "path", "mobilefacenet", env=home).returncode == 0  # fetched at its first use
    assert not Path(home["FACECLI_HOME"], "selftests").exists()
    first = run_cli("models", "verify", "mobilefacenet", "--json", env=home).json["files"][0]
    assert first["selftest_difference"] is None and first["state"] == "ok"
    again = run_cli("models", "verify", "mobilefacenet", "--json", env=home).json["files"][0]
    assert again["selftest_difference"] is not None


def test_prune_drops_the_records_of_files_that_are_gone(tmp_path: Path) -> None:
    from facecli.models import removal

    store = ModelStore(tmp_path / "home", mirror="", offline=True)
    gone, here = store.layout.selftest("0" * 64), tmp_path / "a.onnx"
    gone.parent.mkdir(parents=True)
    gone.write_text("{}")
    here.write_bytes(b"x")
    store.register("mobilefacenet", [here], {})
    kept = store.layout.selftest(sha256_of(here))
    kept.write_text("{}")
    removed = removal.prune(store, [])
    assert [one.path for one in removed] == [gone]
    assert kept.exists() and not gone.exists()


def test_a_store_that_can_not_be_written_is_no_error(tmp_path: Path) -> None:
    found = recorded.record(Fake(mean), SPEC)
    assert found is not None
    (tmp_path / "selftests").write_text("a file where the folder should be")
    recorded.keep(Layout(tmp_path), "0" * 64, found)
    assert recorded.read(Layout(tmp_path).selftest("0" * 64)) is None


@pytest.mark.parametrize("name", ["scrfd_500m_kps.onnx", "yunet_n_dynamic.onnx", "yolov8-lite-t.onnx"])
def test_real_detectors_have_one(shared: Path, name: str) -> None:
    session = open_session(shared / "models" / name)
    detector = replace(SPEC, kind="detector", crop=None, preprocessing=Preprocessing("RGB", (127.5,), (128.0,)))
    found = recorded.record(session, detector)
    assert found is not None and found.tolerance < 0.05
    assert found.difference(session) < 1e-5


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="the system does not tell a process's peak memory")
def test_the_memory_of_many_is_that_of_one(tmp_path: Path, cli_env: dict[str, str]) -> None:
    """Each of these models holds 40 MB of weights; the session of one is gone before the next is made."""
    onnx = pytest.importorskip("onnx", reason="making a model needs onnx")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    names = ["adaface-ir18", "adaface-ir101", "auraface", "edgeface-base", "sphereface20"]
    store = ModelStore(tmp_path / "home", mirror="", offline=True)
    for number, name in enumerate(names):
        weights = np.random.default_rng(number).standard_normal((3 * 112 * 112, 266), np.float32)
        nodes = [helper.make_node("Flatten", ["x"], ["rows"]), helper.make_node("MatMul", ["rows", "w"], ["y"])]
        given = helper.make_tensor_value_info("x", floats, ["n", 3, 112, 112])
        graph = helper.make_graph(
            nodes,
            "g",
            [given],
            [helper.make_empty_tensor_value_info("y")],
            [onnx.numpy_helper.from_array(weights, "w")],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        file = tmp_path / catalogue.load(name).files[0].name
        file.write_bytes(model.SerializeToString())
        store.register(name, [file], {})
        file.unlink()
    peaks = {}
    for count in (1, len(names)):  # the first is recorded, the others too; then each is asked again
        for _ in range(2):
            line = [sys.executable, "-m", "facecli", "models", "verify", *names[:count], "--json"]
            env = cli_env | {"FACECLI_HOME": str(store.root)}
            with subprocess.Popen(line, env=env, stdout=subprocess.PIPE) as process:
                assert process.stdout is not None
                rows = json.loads(process.stdout.read())["files"]
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
            assert process.returncode == 0
        assert [(row["state"], row["selftest_difference"]) for row in rows] == [("ok", 0.0)] * count
        peaks[count] = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    assert peaks[len(names)] - peaks[1] < 40e6, peaks
