"""`facecli models pull` as processes of their own, against a real server, with what goes wrong in the world."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pty
import resource
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facecli.errors import ModelError
from facecli.hosting.registry import Registry
from facecli.inventory import trial
from facecli.models import catalogue
from facecli.models.store import ModelStore


@pytest.fixture
def started(cli_env: dict[str, str], tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    """Start facecli and do not wait for it."""

    def start(*args: str, env: dict[str, str], **more: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "facecli", *args]
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        # Where the tests themselves run in the background, Ctrl-C is ignored, and that would be inherited.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return subprocess.Popen(command, env=cli_env | env, cwd=tmp_path, **streams | more)
        finally:
            signal.signal(signal.SIGINT, before)

    return start


def wait_for(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it never came")


def test_pull_tells_licence_and_source_and_keeps_the_file(
    run_cli: Any, files: Any, plugin: Any, tmp_path: Path
) -> None:
    served = files.add("w")
    env = plugin(f"{files.url}/w", licence="Apache-2.0", licence_url="https://example.org/licence")
    done = run_cli("models", "pull", "acme/model", "--json", env=env)
    assert done.returncode == 0, done.stderr
    (model,) = done.json["models"]
    (file,) = model["files"]
    assert (file["state"], file["source"]) == ("fetched", f"{files.url}/w")
    assert Path(file["path"]).read_bytes() == served.content
    licence = "facecli: acme/model: licence Apache-2.0, https://example.org/licence; allows commercial use"
    assert done.errors == [licence]
    again = run_cli("models", "pull", "acme/model", "--json", "--quiet", env=env)
    assert again.json["models"][0]["files"][0]["state"] == "present"
    assert again.errors == []
    assert len(served.log) == 1
    row = {model["id"]: model for model in run_cli("models", "list", "--json", env=env).json["models"]}["acme/model"]
    assert row["state"] == "installed"
    fetched = run_cli("models", "info", "acme/model", "--json", env=env).json["model"]["fetched"]
    assert fetched["sources"] == {"acme.pth": f"{files.url}/w"}


@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)])
def test_a_transfer_stopped_in_the_middle_goes_on(
    started: Any, run_cli: Any, files: Any, plugin: Any, tmp_path: Path, left_in: Any, number: int, status: int
) -> None:
    served = files.add("w", pause=0.05)
    env = plugin(f"{files.url}/w")
    process = started("models", "pull", "acme/model", env=env)
    partial = tmp_path / "home" / "partial"
    wait_for(lambda: any(path.stat().st_size > 2**17 for path in partial.glob("*.part")))
    process.send_signal(number)
    _, told = process.communicate()
    assert process.returncode == status
    assert b"Traceback" not in told
    assert run_cli("models", "list", "--installed", "--json", env=env).json["models"][-1]["id"] != "acme/model"
    done = run_cli("models", "pull", "acme/model", "--json", env=env)
    assert done.returncode == 0, done.stderr
    first, second = served.asked_ranges
    assert first is None
    assert int(second.removeprefix("bytes=").removesuffix("-")) >= 2**17
    (blob,) = [path for path in (tmp_path / "home" / "blobs").iterdir() if path.suffix == ".pth"]
    assert blob.read_bytes() == served.content
    digest = hashlib.sha256(served.content).hexdigest()
    assert left_in(tmp_path / "home") == sorted([f"{digest}.pth", f"{digest}.stamp", "model.json"])


def test_two_processes_that_want_the_same_fetch_it_once(started: Any, files: Any, plugin: Any, tmp_path: Path) -> None:
    served = files.add("w", pause=0.05)
    env = plugin(f"{files.url}/w")
    processes = [started("models", "pull", "acme/model", "--json", env=env) for _ in range(3)]
    outputs = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    states = sorted(b'"fetched"' in out for out, _ in outputs)
    assert states == [False, False, True]
    assert served.asked_ranges == [None]


def test_a_full_disk_leaves_nothing(run_cli: Any, files: Any, plugin: Any, tmp_path: Path, left_in: Any) -> None:
    """The limit on the size of a file stands for the disk: the system refuses a write in the same way."""
    files.add("w")
    env = plugin(f"{files.url}/w")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))

    env["PYTHONDONTWRITEBYTECODE"] = "1"
    done = run_cli("models", "pull", "acme/model", "--json", env=env, preexec_fn=limit)
    assert done.returncode == 4
    assert "the model store can not be filled: can not write" in done.errors[-1]
    assert "free some space" in done.errors[-1]
    assert len(done.errors) == 2  # the licence, and this
    assert done.json["models"][0]["error"]["code"] == "model"
    assert left_in(tmp_path / "home") == []
    assert run_cli("models", "pull", "acme/model", env=env).returncode == 0


def test_a_full_tmpfs_leaves_nothing(run_cli: Any, files: Any, plugin: Any, tmp_path: Path) -> None:
    """A real full disk, where the system lets us have one."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("needs a mount namespace of its own")
    files.add("w")
    env = plugin(f"{files.url}/w", size=None)  # so that nobody knows before that it does not fit
    home = tmp_path / "home"
    home.mkdir()
    script = (
        'mount -t tmpfs -o size=500k none "$1" && shift && "$@"; status=$?; find "$FACECLI_HOME" -type f; exit $status'
    )
    line = ["unshare", "-rm", "sh", "-c", script, "sh", str(home), sys.executable, "-m", "facecli"]
    done = subprocess.run(
        [*line, "models", "pull", "acme/model", "--format", "csv"],
        env=os.environ | {"NO_PROXY": "127.0.0.1"} | env,
        capture_output=True,
        text=True,
        check=False,
    )
    if "mount:" in done.stderr:
        pytest.skip("needs to be allowed to mount")
    assert done.returncode == 4
    assert "No space left on device" in done.stderr
    assert done.stdout == ""  # no row, and no file either


def test_a_missing_model_names_the_command(run_cli: Any, files: Any, plugin: Any, examples: Path) -> None:
    env = plugin(f"{files.url}/w")
    done = run_cli("detect", examples / "collins.jpg", "--detector", "acme", "--json", env=env)
    assert done.returncode == 4
    assert "HTTP 404" in done.errors[-1]
    assert "facecli models pull acme/model" in done.errors[-1]


def test_offline_asks_nobody(run_cli: Any, files: Any, plugin: Any, tmp_path: Path) -> None:
    served = files.add("acme.pth")
    env = plugin(f"{files.url}/acme.pth")
    for how in ({"FACECLI_OFFLINE": "1"}, {"FACECLI_OFFLINE": "1", "FACECLI_MODELS_MIRROR": files.url}):
        done = run_cli("models", "pull", "acme/model", env=env | how)
        assert done.returncode == 4
        assert "offline" in done.errors[-1]
    assert run_cli("--offline", "models", "path", "acme/model", env=env).returncode == 4
    assert served.log == []
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "acme.pth").write_bytes(served.content)
    here = {"FACECLI_MODELS_MIRROR": str(tmp_path / "mirror")}
    assert run_cli("--offline", "models", "pull", "acme/model", env=env | here).returncode == 0
    assert run_cli("--offline", "models", "path", "acme/model", env=env).returncode == 0


def test_a_proxy_of_the_environment_is_used(run_cli: Any, files: Any, plugin: Any) -> None:
    files.add("w")
    env = plugin("http://model-files.invalid/w") | {"NO_PROXY": "", "no_proxy": "", "http_proxy": files.url}
    done = run_cli("models", "pull", "acme/model", env=env)
    assert done.returncode == 0, done.stderr
    assert files.proxied == ["http://model-files.invalid/w"]


def test_https_by_a_certificate_of_ones_own_does_not_become_http(
    run_cli: Any, files: Any, plugin: Any, tmp_path: Path
) -> None:
    """What is kept to because it came over https must have come over https all the way."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    line = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    more = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
    subprocess.run([*line, *more], check=True, capture_output=True)
    files.add("w")
    files.add("moved", statuses=[302, 302], headers={"Location": f"{files.url}/w"})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with type(files)() as secure:
        secure.files = files.files
        secure.socket = context.wrap_socket(secure.socket, server_side=True)
        threading.Thread(target=secure.serve_forever, daemon=True).start()
        place = secure.url.replace("http://", "https://")
        trusted = {"REQUESTS_CA_BUNDLE": str(certificate)}
        moved = plugin(f"{place}/moved", sha256=None, size=None)
        done = run_cli("models", "pull", "acme/model", env=moved | trusted)
        assert done.returncode == 4
        assert "leads from https to http" in done.errors[-1]
        assert run_cli("models", "pull", "acme/model", env=plugin(f"{place}/w")).returncode == 4  # an unknown issuer
        assert run_cli("models", "pull", "acme/model", env=plugin(f"{place}/moved") | trusted).returncode == 0
        assert run_cli("models", "rm", "acme/model", env=plugin(f"{place}/w")).returncode == 0
        unpinned = plugin(f"{place}/w", sha256=None, size=None)
        assert run_cli("models", "pull", "acme/model", env=unpinned | trusted).returncode == 0
        secure.shutdown()


def test_a_licence_is_refused_until_it_is_accepted_once(run_cli: Any, files: Any, plugin: Any, tmp_path: Path) -> None:
    served = files.add("w")
    env = plugin(f"{files.url}/w", licence="NC", commercial_use=False, licence_url="https://example.org/nc")
    for args in (("models", "pull", "acme/model"), ("models", "path", "acme/model")):
        done = run_cli(*args, "--json", env=env)
        assert done.returncode == 4
        assert "facecli models pull acme/model --accept-license" in done.errors[-1]
        assert "NC, https://example.org/nc" in done.errors[-1]
    assert served.log == []
    assert run_cli("models", "info", "acme/model", "--json", env=env).json["model"]["licence_accepted"] is False
    assert run_cli("models", "pull", "acme/model", "--accept-license", env=env).returncode == 0
    assert run_cli("models", "rm", "acme/model", env=env).returncode == 0
    assert run_cli("models", "path", "acme/model", env=env).returncode == 0  # once is enough
    assert run_cli("models", "info", "acme/model", "--json", env=env).json["model"]["licence_accepted"] is True
    other = env | {"FACECLI_HOME": str(tmp_path / "other")}
    assert run_cli("models", "path", "acme/model", env=other | {"FACECLI_ACCEPT_LICENSE": "0"}).returncode == 4
    assert run_cli("models", "path", "acme/model", env=other | {"FACECLI_ACCEPT_LICENSE": "1"}).returncode == 0


def test_a_file_without_a_stated_hash_is_fetched_when_asked_for_and_kept_to(
    run_cli: Any, files: Any, plugin: Any, examples: Path
) -> None:
    served = files.add("w")
    env = plugin(f"{files.url}/w", sha256=None, size=None)
    used = run_cli("detect", examples / "collins.jpg", "--detector", "acme", env=env)
    assert used.returncode == 4
    assert "facecli models pull acme/model" in used.errors[-1]
    assert served.log == []
    pulled = run_cli("models", "pull", "acme/model", "--json", env=env)
    assert pulled.json["models"][0]["files"][0]["sha256"] == hashlib.sha256(served.content).hexdigest()
    path = Path(run_cli("models", "path", "acme/model", "--json", env=env).json["files"][0]["path"])
    assert run_cli("models", "verify", "acme/model", env=env).returncode == 0
    path.write_bytes(served.content[:-1] + b"?")
    assert run_cli("models", "verify", "acme/model", env=env).returncode == 4


def test_what_was_replaced_behind_our_back_is_found_and_mended(run_cli: Any, files: Any, plugin: Any) -> None:
    files.add("w")
    env = plugin(f"{files.url}/w")
    path = Path(run_cli("models", "path", "acme/model", "--json", env=env).json["files"][0]["path"])
    content, status = path.read_bytes(), path.stat()
    path.write_bytes(content[:-1] + b"?")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # even size and time are as they were
    found = run_cli("models", "verify", "--json", env=env)
    assert found.returncode == 4
    assert {row["file"]: row["state"] for row in found.json["files"]}["acme.pth"] == "damaged"
    assert "facecli models pull acme/model" in found.errors[-1]
    path.write_bytes(b"other")
    listed = run_cli("models", "list", "--json", env=env)
    states = {model["id"]: model["state"] for model in listed.json["models"]}
    assert (states["acme/model"], listed.errors) == ("damaged", [])
    assert run_cli("models", "pull", "acme/model", env=env).returncode == 0
    assert path.read_bytes() == content
    assert run_cli("models", "verify", "acme/model", env=env).returncode == 0


def test_one_model_that_fails_does_not_stop_the_others(run_cli: Any, files: Any, plugin: Any) -> None:
    env = plugin(f"{files.url}/w")
    done = run_cli("models", "pull", "acme/model", "mtcnn", "--json", env=env)
    assert done.returncode == 4
    first, second = done.json["models"]
    assert (first["error"]["code"], first["files"]) == ("model", [])
    assert (second["error"], len(second["files"])) == (None, 3)
    assert run_cli("models", "pull", "no-such-model", env=env).returncode == 4


def test_a_terminal_shows_how_far_it_is(cli_env: dict[str, str], files: Any, plugin: Any, tmp_path: Path) -> None:
    files.add("w", pause=0.03)
    env = cli_env | plugin(f"{files.url}/w") | {"TERM": "xterm", "COLUMNS": "100"}
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "facecli", "models", "pull", "acme/model", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=env, cwd=tmp_path) as process:
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 2**16):
                shown += chunk
        except OSError:  # how Linux says that the other side is closed
            pass
        os.close(ours)
        assert process.stdout is not None
        assert process.stdout.read().startswith(b"{")
    assert b"acme.pth" in shown
    assert b"MB" in shown


def recognizer(weights: float) -> bytes:
    """A network of crops whose embedding is the mean colours times a weight."""
    onnx = pytest.importorskip("onnx", reason="making a model needs onnx")
    arrays = {"axes": np.array([2, 3]), "w": np.eye(3, 4, dtype=np.float32) * np.float32(weights)}
    nodes = [
        onnx.helper.make_node("ReduceMean", ["crops", "axes"], ["means"], keepdims=0),
        onnx.helper.make_node("MatMul", ["means", "w"], ["out"]),
    ]
    crops = onnx.helper.make_tensor_value_info("crops", 1, ["N", 3, 112, 112])
    initial = [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()]
    graph = onnx.helper.make_graph(nodes, "g", [crops], [onnx.helper.make_tensor_value_info("out", 1, None)], initial)
    made = onnx.helper.make_model(graph, ir_version=10, opset_imports=[onnx.helper.make_opsetid("", 18)])
    return bytes(made.SerializeToString())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no model", "acme.onnx can not be loaded: it is no ONNX model, or a part of one"),
        (np.nan, "model acme/model gives NaN or infinity"),
    ],
)
def test_a_model_that_does_not_work_is_not_kept(run_cli, files, plugin, tmp_path, left_in, content, said):
    content = content if isinstance(content, bytes) else recognizer(content)
    files.add("w", content)
    env = plugin(f"{files.url}/w", name="acme.onnx", sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    done = run_cli("models", "pull", "acme/model", "--json", env=env)
    assert done.returncode == 4
    assert said in done.errors[-1]
    assert done.json["models"][0]["files"] == []
    assert left_in(tmp_path / "home") == []


def test_a_network_that_says_the_same_to_every_face_is_not_kept(tmp_path):
    """As `models pull` tries what it has fetched."""
    store = ModelStore(tmp_path / "home")
    spec = catalogue.load("mobilefacenet")
    wrong = tmp_path / "mobilefacenet.onnx"
    for weight, said in ((1.0, "gives 4 numbers for a crop, its description says 128"), (0.0, None)):
        wrong.write_bytes(recognizer(weight))
        store.register(spec.id, [wrong], {})
        described = spec if said else dataclasses.replace(spec, dim=4)
        with pytest.raises(ModelError, match=said or "mobilefacenet.onnx: an embedding has length 0"):
            trial.run_installed(described, store, Registry(third_party=False))


def test_inputs_that_nothing_reads_are_dropped_on_the_way_in(run_cli, shared, tmp_path, examples):
    env = {"FACECLI_HOME": str(tmp_path), "FACECLI_MODELS_MIRROR": str(shared / "models")}
    done = run_cli("--offline", "models", "pull", "sface-int8bq", "--json", env=env)
    assert done.returncode == 0, done.stderr
    (file,) = done.json["models"][0]["files"]
    (note,) = file["mended"]
    assert note.startswith("29 inputs that no node reads were dropped: conv_10_conv2d_weight, ")
    assert f"facecli: face_recognition_sface_2021dec_int8bq.onnx: {note}" in done.errors
    info = run_cli("models", "info", "sface-int8bq", "--json", env=env).json["model"]
    assert info["registered"]["mended"] == [note]
    assert info["registered"]["published_sha256"] == catalogue.load("sface-int8bq").files[0].sha256
    assert info["files"][0]["sha256"] == file["sha256"] != info["registered"]["published_sha256"]
    pair = (examples / "collins.jpg", examples / "collins_variant.jpg")
    verified = run_cli("verify", *pair, "--recognizer", "sface-int8bq", "--detector", "mtcnn", "--json", env=env)
    assert verified.json["verified"], verified.stderr
    (again,) = run_cli("models", "pull", "sface-int8bq", "--json", env=env).json["models"][0]["files"]
    assert (again["state"], again["mended"]) == ("present", [])
    assert run_cli("models", "verify", "sface-int8bq", env=env).returncode == 0
