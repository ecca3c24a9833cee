"""A picture with a face and an empty store, for plugins under test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from facecli.types import Image

ROOT = Path(__file__).parents[2]
SHARED_MODELS = Path(os.environ.get("FACECLI_SHARED") or ROOT.parent / "shared") / "models"


@pytest.fixture
def portrait():
    """A picture with a face, as the README's first command uses it."""
    import cv2

    path = sorted(ROOT.glob("examples/*.jpg"))[0]
    return Image(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), path.name)


@pytest.fixture
def store(tmp_path, monkeypatch):
    """An empty store without network; models that are not embedded come from ../shared where that is present."""
    monkeypatch.setenv("FACECLI_HOME", str(tmp_path))
    monkeypatch.setenv("FACECLI_OFFLINE", "1")
    monkeypatch.setenv("FACECLI_ACCEPT_LICENSE", "1")
    if SHARED_MODELS.is_dir():
        monkeypatch.setenv("FACECLI_MODELS_MIRROR", str(SHARED_MODELS))
