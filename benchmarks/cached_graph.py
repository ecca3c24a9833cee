"""Whether a cached optimized graph makes a cold load of the embedded models faster: measured with and without one.

Each load is a process of its own, in turns, with the files in the page cache; the optimized graphs are made beforehand.
Processor time, on one thread: it is what a quiet machine would take, and a busy one can not spoil it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import common

from facecli.models.catalogue import EMBEDDED

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
NAMES = ("mtcnn_pnet", "mtcnn_rnet", "mtcnn_onet", "dlib_resnet")


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--rounds", type=int, default=15)
    given = options.parse_args()
    plain = [str(EMBEDDED / f"{name}.onnx") for name in NAMES]
    with tempfile.TemporaryDirectory() as folder:
        ways = {"as shipped": ("on", plain)}
        for suffix in (".onnx", ".ort"):
            cached = [str(Path(folder) / f"{name}{suffix}") for name in NAMES]
            for source, target in zip(plain, cached, strict=True):
                subprocess.run([sys.executable, "-c", SAVE, source, target], check=True)
            ways[f"cached graph ({suffix})"] = ("off", cached)
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(1 + given.rounds):
            for name, (level, paths) in ways.items():
                seconds = _load(level, paths)
                if turn:
                    taken[name].append(seconds)
        sizes = {name: sum(Path(path).stat().st_size for path in paths) for name, (_, paths) in ways.items()}
    medians = common.medians(taken)
    text = "four sessions, ms of processor time"
    figures = [common.figure(f"{name}: {text}", 1000 * own, "{:.1f}") for name, own in medians.items()]
    figures += [common.figure(f"{name}: MB", own / 1e6, "{:.1f}") for name, own in sizes.items()]
    common.tell(figures, as_json=given.json)


def _load(level: str, paths: list[str]) -> float:
    done = subprocess.run([sys.executable, "-c", LOAD, level, *paths], check=True, capture_output=True, text=True)
    return float(done.stdout)


if __name__ == "__main__":
    main()
