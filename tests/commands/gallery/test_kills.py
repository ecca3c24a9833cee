"""Commands that are killed at any moment lose nothing that they told: benchmarks/gallery_kills.py, which kills more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

DRILL = Path(__file__).parents[3] / "benchmarks" / "gallery_kills.py"


@pytest.mark.skipif(sys.platform == "win32", reason="a kill there is another one")
def test_commands_that_are_killed_lose_nothing(cli_env: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, DRILL, "5"], capture_output=True, text=True, env=cli_env, check=False, timeout=900
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("5 kills")
    assert "0 lost, 0 damaged" in done.stdout
