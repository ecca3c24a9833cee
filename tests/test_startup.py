"""Starting up costs what it must: asking for help imports none of the heavy packages."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"numpy", "cv2", "onnxruntime", "rich", "torch"}

# Runs the command line as the console script does, and tells afterwards what has been imported.
PROBE = """
import sys
from facecli.cli.main import run
status = run(sys.argv[1:])
print("modules:", *sorted(sys.modules), file=sys.stderr)
sys.exit(status)
"""


@pytest.fixture
def imported(cli_env, tmp_path):
    """The top-level modules that a command line has imported at its end, and its exit code. whole: all modules."""

    def run(*args, whole=False):
        command = [sys.executable, "-c", PROBE, *args]
        done = subprocess.run(command, capture_output=True, text=True, env=cli_env, cwd=tmp_path, check=False)
        head, _, names = done.stderr.rpartition("modules:")
        assert names, head
        return {name if whole else name.partition(".")[0] for name in names.split()}, done.returncode

    return run


@pytest.mark.parametrize(
    "args", [["--help"], ["--version"], ["verify", "--help"], ["plugins", "--help"], ["detect", "-h"]]
)
def test_asking_for_help_imports_nothing_heavy(imported, args):
    modules, status = imported(*args)
    assert status == 0
    assert "facecli" in modules
    assert modules & HEAVY == set()


def test_wrong_usage_is_told_without_importing_anything_heavy(imported):
    modules, status = imported("detect", "--no-such-option")
    assert status == 2
    assert modules & HEAVY == set()


def test_the_probe_sees_what_is_imported(imported, examples):
    modules, status = imported("detect", str(examples / "collins.jpg"), "--json")
    assert status == 0
    assert {"numpy", "cv2", "onnxruntime"} <= modules
    assert modules & {"torch", "rich"} == set()  # JSON needs no tables, and nothing that runs models needs torch


def test_identifying_does_without_what_numpy_imports_late(run_cli, imported, examples, tmp_path):
    """numpy.ma, which np.unique imports, takes as long as several searches of a million templates."""
    gallery = str(tmp_path / "staff.db")
    assert run_cli("enroll", examples / "collins.jpg", "--name", "Eileen", "--gallery", gallery).returncode == 0
    command = ["identify", str(examples / "collins_variant.jpg"), "--gallery", gallery, "--threshold", "0.4", "--json"]
    modules, status = imported(*command, whole=True)
    assert status == 0 and "numpy" in modules
    assert "numpy.ma" not in modules


def test_importing_the_contract_is_light(cli_env):
    probe = "import sys, facecli.contract.hookspecs, facecli.hosting.registry; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, env=cli_env, check=True)
    assert {name.partition(".")[0] for name in done.stdout.split()} & (HEAVY | {"click"}) == set()
