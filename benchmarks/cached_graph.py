"""Whether cached optimized graphs make a cold start faster: sessions alone, and `facecli verify` as a whole process.

Each is a process of its own, in turns, with the files in the page cache; the optimized graphs are made beforehand.
"hashed": the cached file is read and compared with a hash before it is used, as a file that anybody could have replaced
must be. Processor time of the sessions, on one thread, is what no busy machine can spoil; the whole process is measured
by wall clock, which is what a user waits.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import common

from facecli.models.entries.shipped import EMBEDDED

LOAD = """
import sys, time
import onnxruntime as ort
options = ort.SessionOptions()
options.intra_op_num_threads = 1
options.log_severity_level = 3
if sys.argv[1] == "off":
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
start = time.process_time()
for path in sys.argv[2:]:
    ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
print(time.process_time() - start)
"""
SAVE = """
import sys
import onnxruntime as ort
options = ort.SessionOptions()
options.log_severity_level = 3
options.optimized_model_filepath = sys.argv[2]
if sys.argv[2].endswith(".ort"):
    options.add_session_config_entry("session.save_model_format", "ORT")
ort.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
"""
# `facecli verify` whose sessions come from the folder argv[1], if it is not empty; hashed first if argv[2] is "hashed".
VERIFY = """
import sys
from pathlib import Path
from facecli import runtime
folder, how, suffix, *arguments = sys.argv[1:]
plain = runtime._create

def cached(ort, path, options, chain):
    target = Path(folder, path.stem + suffix)
    if how == "hashed":
        import hashlib
        with target.open("rb") as stream:
            hashlib.file_digest(stream, "sha256").hexdigest()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return plain(ort, target, options, chain)

if folder:
    runtime._create = cached
from facecli.cli import main
sys.argv = ["facecli", *arguments]
main()
"""
NAMES = ("mtcnn_pnet", "mtcnn_rnet", "mtcnn_onet", "dlib_resnet")
SUFFIXES = (".onnx", ".ort")
EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--whole-only", action="store_true", help="leave the sessions alone out")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for suffix in SUFFIXES:
            for name in NAMES:
                target = str(Path(folder) / f"{name}{suffix}")
                subprocess.run([sys.executable, "-c", SAVE, str(EMBEDDED / f"{name}.onnx"), target], check=True)
        figures = [] if given.whole_only else _sessions(Path(folder), given.rounds)
        figures += _whole(folder, given.rounds)
    common.tell(figures, as_json=given.json)


def _sessions(folder: Path, rounds: int) -> list[common.Figure]:
    ways = {"as shipped": ("on", [str(EMBEDDED / f"{name}.onnx") for name in NAMES])}
    for suffix in SUFFIXES:
        ways[f"cached graph ({suffix})"] = ("off", [str(folder / f"{name}{suffix}") for name in NAMES])
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(1 + rounds):
        for name, (level, paths) in ways.items():
            seconds = _load(level, paths)
            if turn:
                taken[name].append(seconds)
    sizes = {name: sum(Path(path).stat().st_size for path in paths) for name, (_, paths) in ways.items()}
    text = "four sessions, ms of processor time"
    figures = [common.figure(f"{n}: {text}", 1000 * own, "{:.1f}") for n, own in common.medians(taken).items()]
    return figures + [common.figure(f"{name}: MB", own / 1e6, "{:.1f}") for name, own in sizes.items()]


def _load(level: str, paths: list[str]) -> float:
    done = subprocess.run([sys.executable, "-c", LOAD, level, *paths], check=True, capture_output=True, text=True)
    return float(done.stdout)


def _whole(folder: str, rounds: int) -> list[common.Figure]:
    arguments = ["verify", str(EXAMPLES / "collins.jpg"), str(EXAMPLES / "hopper.jpg"), "--json"]
    ways = {"as shipped": ("", "", "")}
    for suffix in SUFFIXES:
        ways[f"cached graph ({suffix})"] = (folder, "", suffix)
        ways[f"cached graph ({suffix}), hashed"] = (folder, "hashed", suffix)
    lines = {name: [sys.executable, "-c", VERIFY, *way, *arguments] for name, way in ways.items()}
    taken = common.interleaved({name: partial(_run, line) for name, line in lines.items()}, rounds)
    medians = common.medians(taken)
    plain = medians["as shipped"]
    figures = [common.figure(f"{name}: verify, ms", 1000 * own) for name, own in medians.items()]
    return figures + [
        common.figure(f"{name}: / as shipped", own / plain, "{:.3f}") for name, own in medians.items() if own != plain
    ]


def _run(line: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FACECLI_")}
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL, env=environment)


if __name__ == "__main__":
    main()
