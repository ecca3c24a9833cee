"""Temporary files of a process that is stuck in native code when it is told to end, and writes that are not cut."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs signals of POSIX")

STUCK = """
import ctypes, pathlib, sys
from facecli.system import files
from facecli.system.ending import Ending
Ending(files.discard_unfinished, 130).watch()
with files.staged(pathlib.Path("x.bin")) as temporary:
    temporary.write_bytes(b"half")
    print("begun", flush=True)
    mutex = ctypes.create_string_buffer(64)
    for _ in range(2):  # the second time nobody will ever unlock it, and no signal ends the wait
        ctypes.CDLL(None).pthread_mutex_lock(mutex)
"""
SHIELDED = """
import sys, time
from facecli.system.ending import Ending, undisturbed
Ending(lambda: None, 99).watch()
try:
    with undisturbed():
        print("begun", flush=True)
        sys.stdin.readline()
        print("whole", flush=True)
    print("too far")
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
# The thread that watches hears of the signal late, as on a busy machine, when the block that answered it has ended.
HEEDED = """
import os, signal, time
from facecli.system import ending
read = os.read
def late(*given):
    byte = read(*given)
    time.sleep(0.5)
    return byte
os.read = late
ending.Ending(lambda: None, 99).watch()
heard = []
with ending.heeded(lambda: heard.append("stop")):
    os.kill(os.getpid(), signal.SIGINT)
    while not heard:
        time.sleep(0.01)
time.sleep(2)
print(*heard, "end")
"""


def test_a_stuck_process_leaves_no_temporary_file(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STUCK]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        assert len(list(tmp_path.iterdir())) == 1
        time.sleep(1)  # on a slow machine it may still be in Python, which unwinds
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=100) in (130, -signal.SIGINT)
    assert list(tmp_path.iterdir()) == []


def test_what_must_not_be_cut_is_done_before_the_signal_counts() -> None:
    command = [sys.executable, "-c", SHIELDED]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        process.send_signal(signal.SIGTERM)
        stdout, _ = process.communicate(b"go on\n", timeout=100)
    assert stdout == b"whole\ninterrupted\n"


def test_a_signal_that_was_answered_ends_nothing_later() -> None:
    done = subprocess.run([sys.executable, "-c", HEEDED], capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stdout) == (0, "stop end\n"), done.stderr
