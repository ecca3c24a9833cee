"""A folder of files that the tests of names and lists look into."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with pictures on three levels, hidden ones and other files; each holds its own name."""
    for name in (
        "b.jpg",
        "a.PNG",
        "notes.txt",
        ".hidden.jpg",
        "sub/c.webp",
        "sub/deep/d.tiff",
        ".git/e.jpg",
        "no/f.txt",
    ):
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path / "tree"
