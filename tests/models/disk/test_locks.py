from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from facecli.models.disk.locks import attempted, locked

HOLD = """
import sys, pathlib
from facecli.models.disk.locks import locked
with locked(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_one_at_a_time_and_nothing_stays(tmp_path: Path) -> None:
    path, busy, order = tmp_path / "locks" / "x.lock", threading.Lock(), []

    def work(number: int) -> None:
        for _ in range(20):
            with locked(path):
                assert busy.acquire(blocking=False)  # nobody else is in here
                order.append(number)
                busy.release()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(order) == 80
    assert not path.exists()


def test_who_waits_is_told(tmp_path: Path) -> None:
    path, told, go = tmp_path / "x.lock", threading.Event(), threading.Event()

    def hold() -> None:
        with locked(path, told.set):
            go.set()

    with locked(path, told.set):
        assert not told.is_set()
        other = threading.Thread(target=hold)
        other.start()
        assert told.wait(20)
        assert not go.is_set()
    other.join()
    assert go.is_set()


def test_a_killed_holder_gives_it_back(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    line = [sys.executable, "-c", HOLD, path]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with attempted(path) as mine:
            assert not mine
        holder.kill()
        holder.wait()
    with attempted(path) as mine:
        assert mine
        with attempted(path) as again:
            assert not again
        assert path.exists()
    with locked(path), attempted(path) as mine:
        assert not mine
    assert not path.exists()
