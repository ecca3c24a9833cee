"""`facecli models verify`: the memory that it takes for small and for large files, and how fast it hashes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import common

from facecli.models.store import ModelStore

MODEL, FILE = "mobilefacenet", "mobilefacenet.onnx"  # a model that is not embedded; any bytes stand for its file
BLOCK = 2**24


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--megabytes", type=int, nargs="+", default=[16, 256, 1024], help="the first is the baseline")
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    figures, baseline = [], {}
    for size in given.megabytes:
        with tempfile.TemporaryDirectory() as temporary:
            home = Path(temporary) / "home"
            _install(home, Path(temporary) / FILE, size)
            for what, names in (("that model alone", [MODEL]), ("all installed", [])):
                runs = [_run(home, names) for _ in range(given.rounds)]
                peak, seconds = min(peak for peak, _ in runs), min(seconds for _, seconds in runs)
                first = baseline.setdefault(what, peak)
                title = f"verify, {what}, a file of {size} MiB"
                figures.append(common.figure(f"{title}: peak memory, MiB", peak / 2**20, "{:.1f}"))
                figures.append(common.figure(f"{title}: memory / first", peak / first, "{:.3f}", most=1.05))
                figures.append(common.figure(f"{title}: seconds", seconds, "{:.2f}"))
    common.tell(figures, as_json=given.json)


def _install(home: Path, path: Path, megabytes: int) -> None:
    block = os.urandom(BLOCK)
    with path.open("wb") as stream:
        for _ in range(megabytes * 2**20 // BLOCK):
            stream.write(block)
    ModelStore(home).register(MODEL, [path], {})
    path.unlink()


def _run(home: Path, names: list[str]) -> tuple[float, float]:
    """Peak resident bytes and wall seconds of one process."""
    environment = os.environ | {"FACECLI_HOME": str(home)}
    line = [sys.executable, "-m", "facecli", "--no-plugins", "models", "verify", *names, "--json"]
    start = time.perf_counter()
    process = subprocess.Popen(line, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024), seconds


if __name__ == "__main__":
    main()
