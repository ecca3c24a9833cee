"""Completion in the shells themselves: what a press of TAB would offer."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# What each shell is told to complete: the words behind `facecli`, of which the last one is not finished.
ASKED = {
    "a command": (["ver"], ["verify"]),
    "an option": (["verify", "--min-f"], ["--min-face-size"]),
    "a choice": (["verify", "--metric", "ang"], ["angular"]),
    "a detector": (["detect", "--detector", "yun"], ["yunet"]),
    "a recognizer": (["embed", "--recognizer", "dlib"], ["dlib-resnet"]),
    "the second of a list": (["analyze", "--attributes", "emotion,pos"], ["emotion,pose"]),
    "a model": (["models", "pull", "yunet/n-e"], ["yunet/n-exported"]),
    "a plugin": (["plugins", "check", "ha"], ["haar"]),
    "a recipe": (["export", "dlib"], ["dlib-resnet"]),
}


@pytest.fixture
def path(cli_env: dict[str, str]) -> dict[str, str]:
    """An environment in which the shells find `facecli`."""
    return cli_env | {"PATH": f"{Path(sys.executable).parent}:{cli_env['PATH']}"}


def ran(words: list[str], environment: dict[str, str]) -> list[str]:
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize("asked", ASKED)
def test_bash_offers(asked: str, path: dict[str, str]) -> None:
    words, offered = ASKED[asked]
    line = " ".join(f"'{word}'" for word in words)
    code = (
        'eval "$(facecli completion bash)"; '
        f"COMP_WORDS=(facecli {line}); COMP_CWORD={len(words)}; _facecli_completion facecli; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    assert ran(["bash", "--norc", "-c", code], path) == offered


def test_zsh_takes_the_code_and_asks_as_it_says(path: dict[str, str]) -> None:
    if shutil.which("zsh") is None:
        pytest.skip("zsh is not here")
    # compdef belongs to the completion system of an interactive zsh; what it is given is shown.
    code = 'compdef() { print -r -- "$@" }; eval "$(facecli completion zsh)"'
    assert ran(["zsh", "-f", "-c", code], path) == ["_facecli_completion", "facecli"]
    asked = path | {"COMP_WORDS": "facecli detect --detector yun", "COMP_CWORD": "3"}
    assert ran(["facecli"], asked | {"_FACECLI_COMPLETE": "zsh_complete"}) == ["plain", "yunet", "_"]


def test_fish_offers(path: dict[str, str], tmp_path: Path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("fish is not here")
    code = "facecli completion fish | source; complete --do-complete 'facecli detect --detector yun'"
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    assert ran(["fish", "--no-config", "-c", code], path | home) == ["yunet"]


def test_another_shell_is_refused(run_cli: Callable) -> None:
    done = run_cli("completion", "tcsh")
    assert done.returncode == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in done.errors[0]


def test_the_version_has_a_short_option(run_cli: Callable) -> None:
    assert run_cli("-V").stdout == run_cli("--version").stdout
