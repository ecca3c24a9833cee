"""Makes the pictures of the README from the sample portraits, by the command line: python docs/make_pictures.py

The group is the portraits side by side; tests/test_readme_pictures.py makes all of them again and compares.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).parents[1]
EXAMPLES, FOLDER = ROOT / "examples", ROOT / "docs" / "pictures"
HEIGHT = 360  # px of the group


def make(folder: Path) -> list[Path]:
    """Make all pictures in a folder, and return their files."""
    verified, group = folder / "verify.jpg", folder / "group.jpg"
    _facecli("verify", EXAMPLES / "collins.jpg", EXAMPLES / "hopper.jpg", "--plot", verified)
    with tempfile.TemporaryDirectory() as scratch:
        together = Path(scratch) / "group.png"
        cv2.imwrite(str(together), _side_by_side("hopper.jpg", "collins.jpg"))
        _facecli("emotion", together, "--annotate", group)
    return [verified, group]


def _side_by_side(*names: str) -> np.ndarray:
    pictures = [cv2.imread(str(EXAMPLES / name)) for name in names]
    return np.hstack([cv2.resize(p, (round(p.shape[1] * HEIGHT / p.shape[0]), HEIGHT)) for p in pictures])


def _facecli(*words: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "facecli", *words], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file in make(FOLDER):
        sys.stderr.write(f"wrote {file}\n")
