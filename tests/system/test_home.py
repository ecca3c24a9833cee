"""The folder of what facecli keeps, for users with a home folder and for those without."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from facecli.system import home


def test_a_tilde_is_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FACECLI_HOME", "~/models")
    assert home.folder() == tmp_path / "models"


def test_a_tilde_in_the_mirror_is_the_home_folder(run_cli, tmp_path):
    env = {"HOME": str(tmp_path), "FACECLI_HOME": "~/store", "FACECLI_MODELS_MIRROR": "~/mirror"}
    done = run_cli("--offline", "models", "pull", "mobilefacenet", env=env)
    assert f"{tmp_path / 'mirror' / 'mobilefacenet.onnx'}: " in done.errors[-1]


@pytest.fixture
def homeless(cli_env, tmp_path):
    """Run a command line of facecli as a user with no home: the system's list does not know the number."""
    shadow = tmp_path / "sitecustomize.py"
    shadow.write_text("import pwd\ndef unknown(_):\n    raise KeyError\npwd.getpwuid = unknown\n")
    names = {"HOME", "FACECLI_HOME", "XDG_DATA_HOME"}
    environment = {name: value for name, value in cli_env.items() if name not in names}

    def run(*arguments: str | Path):
        command = [sys.executable, "-m", "facecli", "--offline", *arguments]
        path = os.pathsep.join([str(tmp_path), *filter(None, [environment.get("PYTHONPATH")])])
        return subprocess.run(command, env=environment | {"PYTHONPATH": path}, capture_output=True, check=False)

    return run


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pwd")
def test_without_a_home_folder_all_runs_that_needs_none(homeless, examples):
    verified = homeless("verify", examples / "collins.jpg", examples / "collins_variant.jpg", "-f", "csv")
    assert (verified.returncode, verified.stderr) == (0, b"")
    for arguments in (("doctor",), ("models", "list"), ("models", "prune"), ("calibrate", "--list")):
        done = homeless(*arguments)
        assert (done.returncode, done.stderr) == (0, b""), arguments


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pwd")
def test_without_a_home_folder_a_model_of_the_store_says_what_to_do(homeless, examples):
    done = homeless("detect", examples / "collins.jpg", "--detector", "yunet", "-p", "yunet.model=n")
    assert done.returncode == 4
    said = b"facecli: error: there is no home folder for models; name a folder in FACECLI_HOME\n"
    assert done.stderr == said
