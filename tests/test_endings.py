"""How a run ends that is told to end, or that a plugin breaks: whole documents, nothing half-written, one line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

INTERRUPTED = 130
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs signals of POSIX")

# A detector that is stuck in native code, or raises what is no Exception, when the environment says so.
PLUGIN = """
import asyncio, ctypes, os, pathlib
from facecli.contract import DetectorPlugin, hookimpl
from facecli.types import Detections

what = os.environ.get("ODD", "")
raised = {"exit": SystemExit("x"), "generator": GeneratorExit("x"), "cancelled": asyncio.CancelledError("x")}
if what.startswith("import-"):
    raise raised[what.removeprefix("import-")]

class Odd:
    def detect(self, images):
        if what == "stuck" and images[0].source.endswith("hopper.jpg"):
            pathlib.Path("stuck").touch()
            mutex = ctypes.create_string_buffer(64)
            for _ in range(2):  # the second time nobody will ever unlock it, and no signal ends the wait
                ctypes.CDLL(None).pthread_mutex_lock(mutex)
        if what.startswith("detect-"):
            raise raised[what.removeprefix("detect-")]
        print("a word of mine")
        return [Detections.empty(landmarks=True) for _ in images]

def load(runtime, parameters):
    if what.startswith("load-"):
        raise raised[what.removeprefix("load-")]
    return Odd()

@hookimpl
def facecli_detectors():
    yield DetectorPlugin("odd", "Breaks runs", load=load, landmarks=True)

@hookimpl
def facecli_commands(group):
    import click

    @group.command("odd")
    def odd():
        raise raised[os.environ["ODD"]]
"""


@pytest.fixture
def odd(tmp_path: Path) -> dict[str, str]:
    """The environment in which the plugin is installed."""
    site = tmp_path / "site"
    (site / "odd-1.0.dist-info").mkdir(parents=True)
    (site / "odd-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
    points = "[facecli.detectors]\nodd = odd\n[facecli.commands]\nodd = odd\n"
    (site / "odd-1.0.dist-info" / "entry_points.txt").write_text(points)
    (site / "odd.py").write_text(PLUGIN)
    return {"PYTHONPATH": str(site)}


@pytest.fixture
def started(cli_env: dict[str, str], tmp_path: Path) -> Callable[..., Any]:
    """Start `facecli ARGS...` in tmp_path, where signals have their usual meaning."""

    @contextmanager
    def start(*words: str | Path, env: dict[str, str], **more: Any) -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "facecli", *words]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
        # Where the tests themselves run with signals ignored (nohup), a child would inherit that.
        usual = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
        before = {number: signal.signal(number, handler) for number, handler in usual.items()}
        process = subprocess.Popen(command, env=cli_env | env, cwd=tmp_path, **streams)
        for number, handler in before.items():
            signal.signal(number, handler)
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()

    return start


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 100
    while not path.exists():
        assert process.poll() is None
        assert process.stderr is not None
        assert time.monotonic() < deadline, "it never began"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_signal_closes_the_document(
    started: Any, odd: Any, examples: Path, tmp_path: Path, number: signal.Signals, jobs: str
) -> None:
    pictures = [examples / "collins.jpg", examples / "hopper.jpg", examples / "collins.jpg"]
    words = ("detect", *pictures, "--detector", "odd", "--json", "--jobs", jobs)
    with started(*words, env=odd | {"ODD": "stuck"}) as process:  # in native code, which no signal ends
        wait_for(tmp_path / "stuck", process)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=100)
    document = json.loads(stdout)
    assert document["error"]["message"] == "interrupted"
    assert [image["error"] for image in document["images"]] in ([[None]] if jobs == "1" else [[], [None]])
    assert stderr.splitlines()[-1] == b"facecli: interrupted"
    assert process.returncode == INTERRUPTED


def test_a_reader_that_waits_does_not_hold_the_run(started: Any, odd: Any, tmp_path: Path, examples: Path) -> None:
    read, write = os.pipe()  # nobody reads, and soon nobody can write
    try:
        words = ("detect", *[examples / "collins.jpg"] * 2000, "--detector", "odd", "-f", "jsonl")
        with started(*words, env=odd, stdout=write) as process:
            wait_until_full(read, process)
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=100) == INTERRUPTED
    finally:
        os.close(read)
        os.close(write)


def wait_until_full(read: int, process: subprocess.Popen[bytes]) -> None:
    import fcntl
    import struct
    import termios

    held = -1
    while True:
        assert process.poll() is None
        now = struct.unpack("i", fcntl.ioctl(read, termios.FIONREAD, b"    "))[0]
        if now == held and now > 2**15:
            return
        held = now
        time.sleep(0.5)


def test_a_signal_that_is_ignored_stays_ignored(started: Any, odd: Any, tmp_path: Path, examples: Path) -> None:
    """As nohup has it."""
    env = odd | {"ODD": "stuck"}
    words = ("detect", examples / "hopper.jpg", "--detector", "odd")
    ignoring = {"preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)}
    with started(*words, env=env, **ignoring) as process:
        wait_for(tmp_path / "stuck", process)
        process.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=3)


@pytest.mark.parametrize("what", ["exit", "generator", "cancelled"])
def test_what_a_plugin_raises_is_contained(run_cli: Any, odd: Any, examples: Path, what: str) -> None:
    picture = examples / "hopper.jpg"
    listed = run_cli("plugins", "list", "--json", env=odd | {"ODD": f"import-{what}"})
    assert listed.returncode == 0
    problems = [plugin["problem"] for plugin in listed.json["plugins"] if plugin["name"] == "odd"]
    assert ["is broken" in problem for problem in problems] == [True, True]
    for moment, code in (("load", 2), ("detect", 1)):
        run = run_cli("detect", picture, "--detector", "odd", "--json", env=odd | {"ODD": f"{moment}-{what}"})
        assert run.returncode == code
        assert len(run.errors) == 1
        assert run.errors[0].startswith("facecli: ")
        assert run.json
    check = run_cli("plugins", "check", "odd", "--json", env=odd | {"ODD": f"detect-{what}"})
    assert check.returncode != 70
    assert check.json
    command = run_cli("odd", "--json", env=odd | {"ODD": what})
    assert b"Traceback" not in command.stderr


def test_every_line_on_stderr_says_whose_it_is(run_cli: Any, odd: Any, examples: Path) -> None:
    run = run_cli("detect", examples / "hopper.jpg", "--detector", "odd", "--json", env=odd)
    assert run.errors == ["facecli: a word of mine"]
