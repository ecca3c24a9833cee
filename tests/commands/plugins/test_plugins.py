"""`facecli plugins` through the real command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


def test_plugins_list_and_info(run_cli: Callable) -> None:
    rows = run_cli("plugins", "list", "--json").json["plugins"]
    own = {(row["kind"], row["name"]) for row in rows if row["distribution"] == "facecli"}
    assert {("detectors", "mtcnn"), ("detectors", "haar"), ("recognizers", "dlib-resnet")} <= own
    assert all(row["problem"] is None for row in rows)
    (info,) = [p for p in run_cli("plugins", "info", "mtcnn", "--json").json["plugins"] if p["kind"] == "detectors"]
    assert info["parameters"]["min_face_size"] == 20
    assert run_cli("plugins", "info", "nothing").returncode == 2


def test_plugins_check_runs_the_kit(run_cli: Callable, examples: Path) -> None:
    done = run_cli("plugins", "check", "mtcnn", "--picture", examples / "hopper.jpg", "--json")
    assert done.returncode == 0
    assert len(done.json["checks"]) > 5


def test_the_group_without_a_verb_shows_its_help(run_cli: Callable) -> None:
    done = run_cli("plugins")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr.decode()


def test_a_default_that_json_can_not_hold_is_shown_as_text(run_cli: Callable, plugin: Callable) -> None:
    parameters = "{'where': Path('/x'), 'rate': float('nan'), 'n': 1}"
    env = plugin(f"DetectorPlugin('odd', 'Odd', load=print, landmarks=False, parameters={parameters})")
    done = run_cli("plugins", "info", "odd", "--json", env=env)
    assert done.returncode == 0, done.errors
    assert done.json["plugins"][0]["parameters"] == {"where": "/x", "rate": "nan", "n": 1}


@pytest.fixture
def plugin(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """Make a distribution with the detector "odd", a Python expression; returns the environment that has it."""

    def make(descriptor: str) -> dict[str, str]:
        info = tmp_path / "odd-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[facecli.detectors]\nodd = odd\n")
        head = "from pathlib import Path\nfrom facecli.contract import DetectorPlugin, hookimpl\n"
        (tmp_path / "odd.py").write_text(f"{head}@hookimpl\ndef facecli_detectors():\n    yield {descriptor}\n")
        return {"PYTHONPATH": str(tmp_path)}

    return make


def test_a_name_that_the_kit_does_not_check_is_told_what_was_meant(run_cli: Callable) -> None:
    done = run_cli("plugins", "check", "emotion")
    assert done.returncode == 2
    assert "did you mean emotion/" in done.errors[0]
    assert "did you mean yunet" in run_cli("plugins", "check", "yunnet").errors[0]
