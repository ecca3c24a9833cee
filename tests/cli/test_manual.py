"""The help of every command: sections, names of plugins, examples that can be typed, manual pages; advice on slips."""

from __future__ import annotations

import importlib.util
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from facecli.cli import manual
from facecli.cli.group import group

ROOT = Path(__file__).parents[2]


def commands(command: click.Command, *names: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            inner = command.get_command(click.Context(command), name)
            assert inner is not None
            yield from commands(inner, *names, name)
    else:
        yield " ".join(names), command


@pytest.fixture(scope="module")
def ours() -> dict[str, click.Command]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACECLI_NO_PLUGINS", "1")
        return dict(commands(group))


def test_every_command_has_two_examples_whose_options_it_knows(ours: dict[str, click.Command]) -> None:
    for name, command in ours.items():
        assert isinstance(command, manual.Command), name
        assert len(command.examples) == 2, name
        options = {option for parameter in command.params for option in parameter.opts}
        for example in command.examples:
            words = shlex.split(example.partition(" >")[0])
            assert words[: len(name.split())] == name.split()
            assert {word for word in words if word.startswith("-")} <= options, example


def test_what_is_told_once_leaves_the_options_as_they_were() -> None:
    """A manual page tells the variables; the help that is printed after it in the same process does not."""
    ctx = click.Context(group, info_name="facecli", **group.context_settings)  # click keeps the option of help
    before = group.get_help(ctx)
    ctx.meta[manual.ALL] = True
    options = [parameter for parameter in group.params if isinstance(parameter, click.Option)]
    assert any("FACECLI_OFFLINE" in text for _, text in manual.records(ctx, options))
    del ctx.meta[manual.ALL]
    assert group.get_help(ctx) == before


def test_every_shared_option_has_a_section(ours: dict[str, click.Command]) -> None:
    """One that several commands have is not their own; a name in the table is some command's."""
    users: dict[str, set[str]] = {}
    for name, command in ours.items():
        if not name.startswith(("models", "plugins", "export")):
            for parameter in command.params:
                if isinstance(parameter, click.Option) and parameter.opts != ["--help-all"]:
                    users.setdefault(parameter.name or "", set()).add(name)
    assert {option for option, found in users.items() if len(found) > 2} - set(manual.SECTION_OF) == set()


def test_help_is_in_sections_and_running_is_short(run_cli: Callable) -> None:
    env = {"COLUMNS": "80", "FACECLI_NO_PLUGINS": "1"}
    brief, whole = (run_cli("verify", asked, env=env).stdout.decode() for asked in ("--help", "--help-all"))
    for text in (brief, whole):
        titles = [line[:-1] for line in text.splitlines() if line.endswith(":") and not line.startswith(" ")]
        assert titles == ["Faces", "Models", "Decision", "Output", "Running", "Help", "Examples"]
        assert max(map(len, text.splitlines())) <= 80
        assert "facecli verify a.jpg b.jpg\n" in text
    assert "haar, mtcnn, retinaface, scrfd" in brief
    assert "--session-option" in brief and "spinning" not in brief and "spinning" in whole
    assert "FACECLI_" not in brief and "FACECLI_DETECTOR" in whole
    assert b"--help-all" not in run_cli("models", "list", "--help").stdout


def test_names_that_begin_alike_are_one_word() -> None:
    assert manual.families(["a-x", "a-y", "b", "c-d"]) == "a-*, b, c-d"


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("verfy", "did you mean verify?"),
        ("version", "did you mean --version?"),
        ("models pul x", "did you mean pull?"),
        ("detect --min-scor 1", "did you mean --min-score?"),
        ("detect --recursive", "see `facecli detect --help`"),
        ("detect --verbose", "see `facecli detect --help`"),
        ("detect --offline a.jpg", "write it before the command: `facecli --offline detect`"),
        ("models pull sface --offline", "write it before the command: `facecli --offline models pull`"),
        ("wash", "see `facecli --help`"),
    ],
)
def test_a_slip_is_told_what_it_is_close_to(run_cli: Callable, line: str, advice: str) -> None:
    done = run_cli(*line.split())
    assert done.returncode == 2
    (error,) = done.errors
    assert error.endswith(f"; {advice}")
    assert ".;" not in error


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("make_man_pages", ROOT / "docs" / "make_man_pages.py")
    assert spec is not None and spec.loader is not None
    maker: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    return dict(maker.pages())


def test_every_command_has_a_manual_page(pages: dict[str, str], ours: dict[str, click.Command]) -> None:
    groups = {"facecli.1", "facecli-gallery.1", "facecli-models.1", "facecli-plugins.1"}
    assert set(pages) == groups | {f"facecli-{name.replace(' ', '-')}.1" for name in ours}
    page = pages["facecli-verify.1"]
    for text in (".SH DECISION", "facecli verify a.jpg b.jpg", "\\-\\-session\\-option", "FACECLI_DETECTOR"):
        assert text in page, text
    assert "verify" in pages["facecli.1"]


def test_manual_pages_have_no_mistake_that_groff_sees(pages: dict[str, str]) -> None:
    groff = shutil.which("groff")
    if groff is None:
        pytest.skip("needs groff")
    for name, page in pages.items():
        done = subprocess.run(
            [groff, "-man", "-Tascii", "-ww", "-z"], input=page.encode(), capture_output=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, b""), name


@pytest.mark.parametrize(("name", "default"), [("identify", "the gallery's, else sface"), ("embed", "sface")])
def test_help_tells_whose_models_are_the_default(ours: dict[str, click.Command], name: str, default: str) -> None:
    ctx = click.Context(ours[name], info_name=name, parent=click.Context(group, info_name="facecli"), show_default=True)
    listed = manual.records(ctx, [one for one in ours[name].params if one.name == "recognizer"])  # type: ignore[misc]
    assert f"default: {default}]" in listed[0][1].replace("(", "").replace(")", "")
