from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from facecli.errors import UsageError
from facecli.plugins.detectors.haar import DEFAULTS, Haar


@pytest.mark.parametrize(
    "wrong",
    [
        {"scale_factor": 1},
        {"scale_factor": 0.5},
        {"min_neighbors": -1},
        {"min_neighbors": 1.5},
        {"min_size": 0},
        {"min_size": 2.5},
        {"min_size": 2**40},
    ],
)
def test_parameters_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="haar can not work with these parameters"):
        Haar(**DEFAULTS | wrong)


def test_a_wrong_range_ends_the_command_once(run_cli: Any, examples: Path) -> None:
    pictures = [examples / "hopper.jpg", examples / "collins.jpg"]
    done = run_cli("detect", *pictures, "--detector", "haar", "-p", "haar.scale_factor=1", "--json")
    assert done.returncode == 2
    assert len(done.errors) == 1
