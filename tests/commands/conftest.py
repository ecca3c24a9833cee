"""What several commands are tried with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def staff(run_cli: Callable, examples: Path, tmp_path: Path) -> tuple[str, str]:
    """A gallery of Eileen and Grace, as options."""
    options = ("--gallery", str(tmp_path / "staff.db"))
    for name, picture in (("Eileen", "collins.jpg"), ("Grace", "hopper.jpg")):
        assert run_cli("enroll", examples / picture, "--name", name, *options).returncode == 0
    return options
