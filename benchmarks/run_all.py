"""The benchmarks of the first table of docs/benchmarks.md, one after the other. Let the machine do nothing else.

Those that need models installed or another project's packages are run singly; the page says with which command.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import common

from facecli.system.cores import available_cores

HERE = Path(__file__).resolve().parent


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--python", default=sys.executable, help="for the cold start: of an environment with the wheel"
    )
    options.add_argument("--only", action="append", help="a script's name without .py; may be given again")
    given = options.parse_args()
    cores = str(available_cores())
    runs = [
        ["accuracy.py"],
        ["mtcnn.py", "--threads", "1"],
        ["mtcnn.py", "--threads", cores],
        ["dlib_resnet.py"],
        ["cold_start.py", "--python", given.python],
        ["throughput.py"],
        ["throughput.py", "--jobs", "1"],
        ["model_files.py"],
        ["models_verify.py"],
        ["python_api.py"],
    ]
    chosen = [run for run in runs if not given.only or run[0].removesuffix(".py") in given.only]
    print(", ".join(f"{name} {value}" for name, value in common.machine().items()))
    print("\n| what | measured | bar | |\n|---|---|---|---|", flush=True)
    missed = 0
    for run in chosen:
        figures = _run(run)
        shown = " ".join(word for word in run if word not in ("--python", given.python))
        print(f"| **`benchmarks/{shown}`** | | | |")
        for own in figures:
            verdict = {True: "met", False: "**missed**", None: ""}[own["met"]]
            print(f"| {own['what']} | {own['text']} | {own['bar']} | {verdict} |", flush=True)
            missed += own["met"] is False
    sys.exit(1 if missed else 0)


def _run(line: list[str]) -> list[dict[str, Any]]:
    command = [sys.executable, str(HERE / line[0]), *line[1:], "--json"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    figures: list[dict[str, Any]] = json.loads(done.stdout)["figures"]
    return figures


if __name__ == "__main__":
    main()
