"""The pictures of the README are what the commands draw of the sample portraits."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

ROOT = Path(__file__).parents[1]


def test_the_pictures_of_the_readme_are_what_the_commands_draw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli_env: dict[str, str]
) -> None:
    monkeypatch.setenv("FACECLI_HOME", cli_env["FACECLI_HOME"])
    spec = importlib.util.spec_from_file_location("make_pictures", ROOT / "docs" / "make_pictures.py")
    assert spec is not None and spec.loader is not None
    maker: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    made = maker.make(tmp_path)
    shown = set(re.findall(r"\(docs/pictures/([\w.]+)\)", (ROOT / "README.md").read_text("utf-8")))
    assert shown == {path.name for path in made} == {path.name for path in maker.FOLDER.iterdir()}
    for path in made:
        fresh, kept = cv2.imread(str(path)), cv2.imread(str(maker.FOLDER / path.name))
        assert fresh.shape == kept.shape
        difference = np.abs(fresh.astype(int) - kept).mean()
        assert difference < 4, f"{path.name} differs by {difference:.1f}: run python docs/make_pictures.py"
