"""What the benchmarks share: where the data is, timing side by side, and how figures are told."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from facecli.hosting.choice import DETECTOR, RECOGNIZER, Choice
from facecli.hosting.loader import Loader
from facecli.hosting.registry import Registry
from facecli.hosting.toolbox import Toolbox
from facecli.models.store import ModelStore
from facecli.system.cores import available_cores

SHARED = Path(os.environ.get("FACECLI_SHARED") or Path(__file__).resolve().parents[2] / "shared")
if (SHARED / "models").is_dir():  # where a model that is not installed yet is taken from
    os.environ.setdefault("FACECLI_MODELS_MIRROR", str(SHARED / "models"))
    os.environ.setdefault("FACECLI_ACCEPT_LICENSE", "1")  # what is measured here is research
# For scripts and projects that import ONNX Runtime themselves: without it, its records of use go to its makers.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# Seconds between two turns, where one is another project's: its sessions are ONNX Runtime's default ones, whose threads
# spin for up to a tenth of a second after a run. Without a rest they would take one of two cores from us, and never we
# one from them. Cores that have rested wake slowly, for both: `interleaved` can call ahead.
REST = 0.4
PACKAGES = ("facecli", "onnxruntime", "numpy", "opencv-python-headless", "torch", "facenet-pytorch", "dlib-bin")


@dataclass(frozen=True)
class Figure:
    """One measured number; met: whether it reaches its bar, None where there is no bar."""

    what: str
    value: float
    text: str
    bar: str = ""
    met: bool | None = None


def figure(
    what: str, value: float, form: str = "{:.3g}", *, least: float | None = None, most: float | None = None
) -> Figure:
    """A figure and its bar: at `least` or at `most` so much."""
    value = float(value)  # a NumPy number would not go into JSON
    bar = f">= {form.format(least)}" if least is not None else f"<= {form.format(most)}" if most is not None else ""
    met = value >= least if least is not None else value <= most if most is not None else None
    return Figure(what, value, form.format(value), bar, met)


def parser(text: str | None) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    options = argparse.ArgumentParser(description=text, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    options.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return options


def pictures_parser(text: str | None) -> argparse.ArgumentParser:
    """The options of a benchmark that sends pictures through the stages."""
    options = parser(text)
    options.add_argument("--pictures", type=Path, default=SHARED / "data" / "lfw_dev.zip", help="folder or zip")
    options.add_argument("--count", type=int, default=500)
    options.add_argument("--detector", default=DETECTOR)
    options.add_argument("--recognizer", default=RECOGNIZER)
    options.add_argument("--jobs", type=int, default=available_cores(), help="as the command has it")
    options.add_argument("--threads", type=int, default=1)
    return options


def tell(figures: list[Figure], *, as_json: bool) -> None:
    """Print the figures, with the machine and the versions they were measured with."""
    if as_json:
        print(json.dumps({"machine": machine(), "figures": [asdict(own) for own in figures]}))
        return
    width = max(len(own.what) for own in figures)
    for own in figures:
        verdict = {True: "met", False: "MISSED", None: ""}[own.met]
        print(f"{own.what:{width}}  {own.text:>12}  {own.bar:>12}  {verdict}")
    print(", ".join(f"{name} {value}" for name, value in machine().items()))


def machine() -> dict[str, str]:
    """Processor family, usable cores and versions; nothing that names the machine."""
    known = {"cpu": _cpu(), "cores": str(available_cores()), "load": f"{os.getloadavg()[0]:.1f}"}
    known["python"] = platform.python_version()
    for name in PACKAGES:
        try:
            known[name] = version(name)
        except PackageNotFoundError:
            continue
    return known


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def interleaved(
    actions: Mapping[str, Callable[[], object]],
    rounds: int,
    warm: int = 1,
    clock: Callable[[], float] = time.perf_counter,
    rest: float = 0.0,
    ahead: int = 0,
) -> dict[str, list[float]]:
    """Seconds of each action, taken in turns so that a busy moment hits all of them; `warm` rounds do not count.

    clock: time.process_time counts what the processor did, where others keep it busy and one thread works.
    rest: seconds before each action, where one leaves threads behind that spin on and would take a core from the next.
    ahead: calls before each timed one, so that none is timed on cores that have just slept.
    """
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for turn in range(warm + rounds):
        for name, action in actions.items():
            time.sleep(rest)
            for _ in range(ahead):
                action()
            start = clock()
            action()
            if turn >= warm:
                seconds[name].append(clock() - start)
    return seconds


def peak_memory() -> float:
    """The most memory that this process has had, MB; getrusage's counts what its parent had when it was forked."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def medians(seconds: Mapping[str, list[float]]) -> dict[str, float]:
    """The median of each."""
    return {name: statistics.median(values) for name, values in seconds.items()}


@contextmanager
def folder(path: Path) -> Iterator[Path]:
    """A folder as it is, or a zip file unpacked for the while."""
    if path.is_dir():
        yield path
        return
    if not path.is_file():
        sys.exit(f"there is no {path}: name the data, or set FACECLI_SHARED")
    with tempfile.TemporaryDirectory() as temporary, zipfile.ZipFile(path) as archive:
        archive.extractall(temporary)
        yield Path(temporary)


def toolbox(detector: str | None, recognizer: str | None, threads: int, **parameters: object) -> Toolbox:
    """Our plugins, loaded, on the CPU; parameters go to the recognizer."""
    choice = Choice(detector, recognizer, (), {recognizer: parameters} if recognizer else {})
    tools = Toolbox(choice, Loader(Registry(third_party=False), ModelStore(), device="cpu", threads=threads))
    tools.wait()
    return tools
