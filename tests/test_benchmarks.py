"""The benchmarks import names that exist: they run now and then, on machines with peers and data, and must not rot."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TORCH = ("facecli.export", "facecli.models.training")  # rooms that need PyTorch
SCRIPTS = [*sorted((ROOT / "benchmarks").glob("*.py")), *sorted((ROOT / "docs").glob("*.py"))]


def _ours(script: Path) -> list[tuple[str, str]]:
    """The module and the name of each import from facecli, also inside functions."""
    nodes = list(ast.walk(ast.parse(script.read_text("utf-8"))))
    names = [(alias.name, "") for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    names += [(str(node.module), alias.name) for node in froms for alias in node.names]
    return [(module, name) for module, name in names if module.split(".")[0] == "facecli"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_names_that_a_script_imports_exist(script, request):
    ours = _ours(script)
    if any(module.startswith(TORCH) for module, _ in ours):
        request.getfixturevalue("torch")
    for module, name in ours:
        if not hasattr(importlib.import_module(module), name or "__name__"):
            importlib.import_module(f"{module}.{name}")


def test_run_all_knows_every_benchmark():
    # A process of its own: the scripts set variables for models that are not installed.
    command = [sys.executable, str(ROOT / "benchmarks" / "run_all.py"), "--list"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "benchmarks")}  # tox lets no script import from its own folder
    lines = subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout.splitlines()
    singly = {line.partition(".py: run singly, ")[0] for line in lines if ".py: run singly, " in line}
    run = {line.removeprefix("--all: ").partition(".py")[0] for line in lines} - singly
    helpers = {"common", "group_faces", "peers", "run_all", "serve_clients"}
    assert run | singly | helpers == {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
    for name in run:  # which is asked for --json, and answers with figures
        assert "common.tell(" in (ROOT / "benchmarks" / f"{name}.py").read_text("utf-8"), name
