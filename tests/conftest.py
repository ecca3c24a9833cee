"""What several tests need: the sample portraits, the shared folder, and the real command line."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# No test fails because a machine is slow, and none passes by luck.
settings.register_profile("facecli", deadline=None, derandomize=True)
settings.load_profile("facecli")

ROOT = Path(__file__).resolve().parent.parent


class Run(subprocess.CompletedProcess[bytes]):
    """A finished command: returncode, stdout and stderr as bytes, and both in handier forms."""

    @property
    def json(self) -> Any:
        """The one JSON document that stdout must be."""
        return json.loads(self.stdout)

    @property
    def jsonl(self) -> list[Any]:
        """The JSON documents that stdout's lines must be."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def errors(self) -> list[str]:
        """The lines on stderr."""
        return os.fsdecode(self.stderr).splitlines()


# What a test may need beyond facecli[cpu,dev]: the fixture that gives it or skips, and the marker of who asks for it.
NEEDS = {"torch": "torch", "shared": "shared", "web_runtime": "browser"}
# where tests find what is not in the repository, and where they leave pictures of pages
TEST_SETTINGS = {"FACECLI_SHARED", "FACECLI_WEB_RUNTIME", "FACECLI_CHROMIUM", "FACECLI_SCREENSHOTS"}
# Set to something, each command line starts a Python of its own; see tests/warm.py.
COLD = "FACECLI_COLD_STARTS"
LONGEST_RUN = 120  # seconds
# Variables, beside facecli's own, that a running process can get: Python does not read them when it starts, and what it
# does then for PYTHONPATH is done later.
READ_LATE = {"PYTHONPATH", "NO_PROXY", "COLUMNS", "HOME"}

# The Python does not change what these see: networks, numbers of real models, pictures, documents and their schemas,
# our source as a text. They take most of the time, so tox runs them on one Python (`-m "not one_python"`).
ONE_PYTHON = (
    "tests/commands/export/",
    "tests/commands/test_presets.py",
    "tests/export/",
    "tests/models/training/",
    "tests/plugins/test_detectors_with_weights.py",
    "tests/scale/test_kills.py",
    "tests/test_architecture.py",
    "tests/test_benchmarks.py",
    "tests/testing/test_built_in.py",
    "tests/test_docs.py::test_commands_print_what_the_page_shows",
    "tests/test_readme_pictures.py",
    "tests/test_schemas.py",
)


def pytest_configure(config: pytest.Config) -> None:
    """Let no setting and no model of this machine's user reach code that runs in this process.

    Before any test is imported: the names that tests are parametrized with come from the model store, too.
    """
    patch = pytest.MonkeyPatch()
    for name in os.environ:
        if name.startswith("FACECLI_") and name not in (*TEST_SETTINGS, COLD):
            patch.delenv(name)
    home = tempfile.TemporaryDirectory(prefix="facecli-tests-")
    patch.setenv("FACECLI_HOME", home.name)
    patch.setenv("ORT_DISABLE_TELEMETRY", "1")  # some tests import ONNX Runtime before facecli does
    # A shell lets what it starts in the background ignore Ctrl-C, and so would every command that a test interrupts.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        with suppress(ValueError):  # only the main thread may
            signal.signal(signal.SIGINT, signal.default_int_handler)
    config.add_cleanup(home.cleanup)
    config.add_cleanup(patch.undo)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with what it needs, so that `-m "not torch"` leaves it out, and with where it has to run."""
    for item in items:
        if item.nodeid.startswith(ONE_PYTHON):
            item.add_marker("one_python")
        for fixture in NEEDS.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(NEEDS[fixture])


@pytest.fixture(autouse=True)
def _empty_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Each test finds an empty model store; one that wants another sets FACECLI_HOME."""
    monkeypatch.setenv("FACECLI_HOME", str(tmp_path_factory.mktemp("empty")))


@pytest.fixture(scope="session")
def torch() -> Any:
    """PyTorch, where the extra `export` is installed."""
    pytest.importorskip("onnxscript", reason="an export needs facecli[export]: onnxscript is not installed")
    return pytest.importorskip("torch", reason="an export needs facecli[export]: torch is not installed")


@pytest.fixture(scope="session")
def examples() -> Path:
    """The folder with the sample portraits."""
    return ROOT / "examples"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with data and models that is not part of the repository."""
    folder = Path(os.environ.get("FACECLI_SHARED") or ROOT.parent / "shared")
    if not (folder / "models").is_dir():
        pytest.skip("needs the shared folder beside the repository, or FACECLI_SHARED")
    return folder


@pytest.fixture(scope="session")
def cli_env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment that holds no setting of this machine's user, with a model store of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FACECLI_")}
    home = str(tmp_path_factory.mktemp("home"))
    return clean | {"PYTHONSAFEPATH": "1", "FACECLI_HOME": home, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


class WarmProcess:
    """The process of tests/warm.py, which forks for each command line. Used by one thread at a time."""

    def __init__(self, env: dict[str, str]) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-W", "ignore", str(ROOT / "tests" / "warm.py"), str(theirs.fileno())]
        self._process = subprocess.Popen(command, env=env, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        theirs.close()
        self._channel.settimeout(LONGEST_RUN)
        self.lock = threading.Lock()

    def run(self, args: list[str], env: dict[str, str], cwd: Path, path: str) -> tuple[int, bytes, bytes]:
        """Run a command line; return its exit code, stdout and stderr. Raises TimeoutError, when it has been killed.

        path: what PYTHONPATH has beside that of `env`'s process.
        """
        message = json.dumps({"args": args, "env": env, "cwd": str(cwd), "path": path}).encode()
        with Path(os.devnull).open("rb") as stdin, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            socket.send_fds(self._channel, [message], [stdin.fileno(), out.fileno(), err.fileno()])
            process = int(self._channel.recv(100))
            try:
                status = int(self._channel.recv(100))
            except TimeoutError:
                os.kill(process, signal.SIGKILL)
                self._channel.recv(100)
                raise
            out.seek(0)
            err.seek(0)
            return status, out.read(), err.read()

    def close(self) -> None:
        """End the process."""
        self._channel.close()
        self._process.wait()


@pytest.fixture(scope="session")
def warm(cli_env: dict[str, str]) -> Iterator[WarmProcess | None]:
    """The process that forks for command lines; None where each is to start a Python of its own."""
    if os.environ.get(COLD) or sys.platform != "linux":
        yield None
        return
    process = WarmProcess(cli_env)
    yield process
    process.close()


@pytest.fixture
def run_cli(
    cli_env: dict[str, str], warm: WarmProcess | None, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Run]:
    """Run `facecli ARGS...` as a user would, in a process of its own, in an empty folder unless told otherwise.

    The process is a fork of a warm one where nothing is asked for that a fork could not give: input, streams, limits,
    or variables that Python and its libraries read when they start.
    """
    empty = tmp_path_factory.mktemp("cwd")

    def run(
        *args: str | bytes | Path,
        input: bytes | None = None,  # noqa: A002 # as subprocess.run calls it
        env: dict[str, str] | None = None,
        cwd: Path = empty,
        **more: Any,
    ) -> Run:
        command = [sys.executable, "-m", "facecli", *args]
        ours = all(name.startswith("FACECLI_") or name in READ_LATE for name in env or ())
        if warm is not None and ours and input is None and not more and warm.lock.acquire(blocking=False):
            try:
                words = [os.fsdecode(word) for word in args]
                return Run(command, *warm.run(words, cli_env | (env or {}), cwd, (env or {}).get("PYTHONPATH", "")))
            finally:
                warm.lock.release()
        streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        streams |= {"stdin": subprocess.DEVNULL} if input is None else {"input": input}
        done = subprocess.run(
            command, timeout=LONGEST_RUN, check=False, env=cli_env | (env or {}), cwd=cwd, **streams | more
        )
        return Run(done.args, done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    """An empty gallery, staff.db in the test's folder."""
    from facecli.gallery.store.store import GalleryStore

    opened = GalleryStore(tmp_path / "staff.db", create=True)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def collins(examples: Path) -> bytes:
    """The bytes of a portrait with one face."""
    return (examples / "collins.jpg").read_bytes()


@pytest.fixture(scope="session")
def group_picture(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A picture with six faces: the portraits, tiled."""
    import cv2
    import numpy as np

    names = ["hopper.jpg", "collins.jpg", "collins_variant.jpg"]
    row = np.hstack([cv2.resize(np.asarray(cv2.imread(str(examples / name))), (320, 360)) for name in names])
    path = tmp_path_factory.mktemp("group") / "group.png"
    cv2.imwrite(str(path), np.vstack([row, row[:, ::-1]]))
    yield path


@pytest.fixture(scope="session")
def door(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A film of Eileen Collins and Grace Hopper, and its truth as MOTChallenge text."""
    pytest.importorskip("av", reason="a film needs PyAV, of the extra `video`")
    if str(ROOT / "tests") not in sys.path:
        sys.path.insert(0, str(ROOT / "tests"))
    import films

    return films.door(examples, tmp_path_factory.mktemp("door"))


class Misbehaving(BaseHTTPRequestHandler):
    """Answers as its path says."""

    picture = b""
    taken = 0  # bytes of the latest endless body that a client has taken

    def do_GET(self) -> None:
        """Send the picture well or badly."""
        action = self.path.partition("?")[0].strip("/")
        getattr(self, action.replace("-", "_").partition(".")[0], self.missing)()

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)

    def missing(self) -> None:
        self.answer(404)

    def picture_(self) -> None:
        self.answer(200, self.picture, Content_Type="image/jpeg")

    def untyped(self) -> None:
        self.answer(200, self.picture)

    def agent(self) -> None:
        self.answer(200, self.headers["User-Agent"].encode(), Content_Type="image/x-words")

    def page(self) -> None:
        self.answer(200, b"<html>", Content_Type="text/html; charset=utf-8")

    def text_named_picture(self) -> None:
        self.answer(200, b"only words", Content_Type="image/jpeg")

    def broken(self) -> None:
        self.answer(500)

    def moved(self) -> None:
        self.answer(302, Location="/picture_.jpg")

    def moved_with_much(self) -> None:
        """Move, and send an endless body with it; count what the client takes before it hangs up."""
        self.send_response(302)
        self.send_header("Location", "/picture_.jpg")
        self.end_headers()
        type(self).taken = 0
        with suppress(OSError):
            while True:
                self.wfile.write(bytes(2**16))
                type(self).taken += 2**16

    def private(self) -> None:
        """Send the picture to whoever knows the password; move the others' names to where it is."""
        if self.headers.get("Authorization") == "Basic Ym9iOnPDpGNyZXQ=":  # bob:säcret
            self.answer(200, self.picture, Content_Type="image/jpeg")
        else:
            self.answer(401)

    def to_private(self) -> None:
        self.answer(302, Location="/private")

    def to_elsewhere(self) -> None:
        """Lead to another host, which must not get the password of this one."""
        self.answer(302, Location=f"http://localhost:{self.server.server_address[1]}/private")

    def to_private_with_password(self) -> None:
        host = self.headers["Host"]
        self.answer(302, Location=f"http://bob:s%C3%A4cret@{host}/private")

    def to_file(self) -> None:
        self.answer(302, Location="file:///etc/hostname")

    def to_ftp(self) -> None:
        self.answer(301, Location="ftp://127.0.0.1/a.jpg")

    def in_circles(self) -> None:
        self.answer(302, Location="/in-circles")

    def short(self) -> None:
        self.answer(200, self.picture[:999], Content_Type="image/jpeg", Content_Length=str(len(self.picture)))

    def promises_much(self) -> None:
        self.answer(200, Content_Type="image/jpeg", Content_Length=str(10**12))

    def endless(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "image/jpeg")
        self.end_headers()
        with suppress(OSError):
            while True:
                self.wfile.write(bytes(2**16))

    def silent(self) -> None:
        time.sleep(3)

    def drip_body(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "image/jpeg")
        self.end_headers()
        with suppress(OSError):
            while True:
                self.wfile.write(b"x")
                time.sleep(0.05)

    def drip(self) -> None:
        """One byte now and then, so that no single read ever times out."""
        with suppress(OSError):
            for byte in b"HTTP/1.0 200 OK\r\n" * 10:
                self.wfile.write(bytes([byte]))
                time.sleep(0.05)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def misbehaving() -> type[Misbehaving]:
    """The handler of `server`, and what it counts."""
    return Misbehaving


@pytest.fixture(scope="session")
def server(collins: bytes) -> Iterator[str]:
    """The address of a server on 127.0.0.1 that knows many ways to go wrong."""
    Misbehaving.picture = collins
    with ThreadingHTTPServer(("127.0.0.1", 0), Misbehaving) as listening:
        listening.daemon_threads = True
        listening.block_on_close = False
        threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
