"""Whole processes: `facecli verify` on two portraits against the imports alone that any such script needs."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import common

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--python", type=Path, default=sys.executable, help="of an environment with facecli's wheel")
    options.add_argument("--a", type=Path, default=EXAMPLES / "collins.jpg")
    options.add_argument("--b", type=Path, default=EXAMPLES / "hopper.jpg")
    options.add_argument("--rounds", type=int, default=21)
    given = options.parse_args()
    facecli = str(Path(given.python).parent / "facecli")
    commands = {
        "imports": [str(given.python), "-c", "import numpy, cv2, onnxruntime"],
        "verify": [facecli, "verify", str(given.a), str(given.b), "--json"],
        "old": [facecli, "verify", str(given.a), str(given.b), "--json", "--preset", "facecli-0.1"],
        "help": [facecli, "--help"],
        "python": [str(given.python), "-c", "pass"],
    }
    # The warm round writes the .pyc files and fills the page cache: cold means a new process, not a new machine.
    turns = {name: partial(_run, line) for name, line in commands.items()}
    medians = common.medians(common.interleaved(turns, given.rounds))
    figures = [
        common.figure("python -c pass, ms", medians["python"] * 1e3),
        common.figure('python -c "import numpy, cv2, onnxruntime", ms', medians["imports"] * 1e3),
        common.figure("facecli verify A B --json, ms", medians["verify"] * 1e3),
        common.figure("the same with --preset facecli-0.1, ms", medians["old"] * 1e3),
        common.figure("cold verify / with --preset facecli-0.1", medians["verify"] / medians["old"], "{:.2f}", most=1),
        common.figure("cold verify / those imports", medians["verify"] / medians["imports"], "{:.2f}", most=2.5),
        common.figure("facecli --help, s", medians["help"], "{:.3f}", most=0.15),
    ]
    common.tell(figures, as_json=given.json)


def _run(line: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHONPATH", "FACECLI_"))}
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL, env=environment)


if __name__ == "__main__":
    main()
