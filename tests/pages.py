"""What the browser's tests ask of a page of the server, whichever page it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def shot(page: Any, name: str) -> None:
    """Keep a picture of the page where the environment names a folder."""
    if folder := os.environ.get("FACECLI_SCREENSHOTS"):
        page.wait_for_function("() => Array.from(document.images).every((image) => image.complete)")
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def said(page: Any, text: str) -> None:
    """Wait until the page says a text."""
    page.wait_for_function("text => document.getElementById('message').textContent.includes(text)", arg=text)


def shown(page: Any, path: str) -> None:
    """Wait until the page of a path is shown."""
    page.wait_for_function("path => document.getElementById('main').dataset.shown === path", arg=path)
