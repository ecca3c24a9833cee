"""Standard streams that are closed, full, broken or a terminal, and what others write into them."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from facecli.system.streams import one_line

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
Shell = Callable[..., "subprocess.CompletedProcess[bytes]"]

LOUD = """
import os
from facecli.contract import DetectorPlugin, hookimpl
from facecli.types import Detections

class Loud:
    def detect(self, images):
        os.write(1, b"native noise\\n")
        os.system("echo noise of a child")
        if os.environ.get("LOUD") == "fails":
            raise ValueError("a bug of mine")
        return [Detections.empty(landmarks=False) for _ in images]

@hookimpl
def facecli_detectors():
    yield DetectorPlugin("loud", "Writes into stdout", load=lambda *_: Loud(), landmarks=False)
"""


@pytest.fixture
def shell(cli_env: dict[str, str], tmp_path: Path) -> Shell:
    """Run `facecli WORDS` through a shell, with redirections."""

    def run(words: str, **more: str) -> subprocess.CompletedProcess[bytes]:
        line = f'"{sys.executable}" -m facecli {words}'
        env = cli_env | more
        return subprocess.run(["bash", "-c", line], capture_output=True, env=env, cwd=tmp_path, timeout=60, check=False)

    return run


@pytest.fixture
def loud(tmp_path: Path) -> dict[str, str]:
    """The environment of a detector that writes past Python into stdout."""
    site = tmp_path / "site"
    (site / "loud-1.0.dist-info").mkdir(parents=True)
    (site / "loud-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: loud\nVersion: 1.0\n")
    (site / "loud-1.0.dist-info" / "entry_points.txt").write_text("[facecli.detectors]\nloud = loud\n")
    (site / "loud.py").write_text(LOUD)
    return {"PYTHONPATH": str(site)}


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full", "2> >(true)", "0<&- 2>&-"])
def test_a_stderr_that_takes_nothing_stops_nothing(shell: Shell, examples: Path, redirection: str) -> None:
    done = shell(f"detect missing.jpg {examples}/hopper.jpg missing.jpg --json {redirection}")
    images = json.loads(done.stdout)["images"]
    assert [len(image["faces"]) for image in images] == [0, 1, 0]
    assert done.returncode == 1
    done = shell(f"detect --json --no-such-option {redirection}")
    assert json.loads(done.stdout)["error"]["code"] == "usage"
    assert done.returncode == 2


@pytest.mark.parametrize("words", ["detect {}/hopper.jpg --json", "detect {}/hopper.jpg -f table", "--help"])
def test_a_closed_stdout_is_an_error_in_one_line(shell: Shell, examples: Path, words: str) -> None:
    done = shell(f"{words.format(examples)} >&-")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert b"standard output" in line
    assert shell(f"{words.format(examples)} >&- 2>&- <&-").returncode == 1


def test_a_closed_stdin_is_an_empty_one(shell: Shell) -> None:
    done = shell("detect - --json <&-")
    assert done.returncode == 1
    assert json.loads(done.stdout)["images"][0]["error"]["code"] in ("decode", "input")


def test_a_reader_that_has_seen_enough_is_no_failure(shell: Shell, examples: Path) -> None:
    done = shell(f"detect {f'{examples}/hopper.jpg ' * 30} -f jsonl | head -n 1; exit ${{PIPESTATUS[0]}}")
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)


def test_output_of_native_code_goes_to_stderr(shell: Shell, examples: Path, loud: dict[str, str]) -> None:
    done = shell(f"detect {examples}/hopper.jpg --detector loud --json", **loud)
    assert json.loads(done.stdout)["images"][0]["error"] is None
    assert sorted(done.stderr.splitlines()) == [b"facecli: native noise", b"facecli: noise of a child"]


def test_debug_shows_where_an_error_of_one_picture_comes_from(
    shell: Shell, examples: Path, loud: dict[str, str]
) -> None:
    words = f"detect {examples}/hopper.jpg --detector loud --json"
    quiet, debug = (shell(f"{words} {more}", LOUD="fails", **loud) for more in ("", "--debug"))
    assert b"Traceback" not in quiet.stderr
    assert b"in detect" in debug.stderr
    assert b"ValueError: a bug of mine" in debug.stderr
    assert len(json.loads(debug.stdout)["images"]) == 1
    for value, shown in {"false": False, "off": False, "1": True, "yes": True}.items():
        done = shell(words, LOUD="fails", FACECLI_DEBUG=value, **loud)
        assert (b"Traceback" in done.stderr) is shown


@pytest.mark.parametrize("words", ["-fjson", "-f json", "--format=json", "--json", "-qfjson"])
@pytest.mark.parametrize("failure", ["detect x.jpg --detector nothing", "detect --no-such-option"])
def test_json_is_asked_for_in_many_ways(shell: Shell, words: str, failure: str) -> None:
    assert json.loads(shell(f"{failure} {words}").stdout)["error"]["code"] in ("plugin", "usage")


def test_json_is_asked_for_by_the_environment_and_not_by_a_name(shell: Shell) -> None:
    failure = "detect --detector nothing"
    assert json.loads(shell(f"{failure} x.jpg", FACECLI_FORMAT="json").stdout)["error"]["code"] == "plugin"
    assert shell(f"{failure} x.jpg -fcsv", FACECLI_FORMAT="json").stdout == b""
    assert shell(f"{failure} -f csv -- --json").stdout == b""
    named = shell("detect -f jsonl -- --debug --json")
    assert [json.loads(line)["source"] for line in named.stdout.splitlines()] == ["--debug", "--json"]
    assert b"Traceback" not in named.stderr


def on_terminal(command: list[str], env: dict[str, str], *, stdout: bool) -> tuple[bytes, bytes]:
    """What a terminal gets of a command's stderr (and stdout), and what a pipe gets of its stdout."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave if stdout else subprocess.PIPE, stderr=slave, env=env | {"TERM": "xterm"}
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            block = os.read(master, 65536)
        except OSError:  # how Linux tells that the other side is closed
            break
        if not block:
            break
        shown += block
    piped, _ = process.communicate(timeout=60)
    os.close(master)
    return shown, piped or b""


def test_a_progress_bar_and_errors_do_not_mix(examples: Path, cli_env: dict[str, str]) -> None:
    inputs = [str(examples / "hopper.jpg"), "missing.jpg"] * 4
    command = [sys.executable, "-m", "facecli", "detect", *inputs, "--json"]
    shown, piped = on_terminal(command, cli_env, stdout=False)
    assert len(json.loads(piped)["images"]) == 8
    assert "━".encode() in shown  # there was a bar
    before = [line.rpartition(b"facecli: ")[0] for line in shown.split(b"\r\n") if b"facecli: " in line]
    assert len(before) == 5  # four pictures that are missing, and the summary
    # The bar is erased, or its line is left, right before each error.
    assert all(text == b"" or text.endswith((b"\x1b[2K", b"\x1b[?25h")) for text in before), before


def test_data_on_a_terminal_stand_alone(examples: Path, cli_env: dict[str, str]) -> None:
    inputs = [str(examples / "hopper.jpg"), "missing.jpg"] * 4
    command = [sys.executable, "-m", "facecli", "detect", *inputs, "-f", "jsonl"]
    shown, _ = on_terminal(command, cli_env, stdout=True)
    assert b"\x1b" not in shown
    lines = shown.splitlines()
    assert sum(line.startswith(b"facecli: ") for line in lines) == 5  # four pictures that are missing, and the summary
    assert sum(json.loads(line)["schema"] == "facecli.detect/2" for line in lines if line.startswith(b"{")) == 8


def test_text_for_a_terminal_is_one_line_without_commands() -> None:
    assert one_line("a\x1b[31m\r\nb\x9bc\u2028d") == "a?[31m b?c d"
    assert one_line("caf\udce9") == "caf\udce9"
