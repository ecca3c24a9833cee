"""The help of a command: options in sections, names of plugins in their texts, and examples.

`--help` names the options of running without telling them; `--help-all` tells them and the variables that set options.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from facecli.cli import context, wording

if TYPE_CHECKING:
    from facecli.kinds import Kind

F = TypeVar("F", bound=Callable[..., Any])

OWN, RUNNING, HELP = "Options", "Running", "Help"
# section -> names of parameters; a parameter that is not here is its command's own and stands in the first section
SECTIONS = {
    OWN: ("yes", "dry_run", "out"),
    "Inputs": (
        "gallery",
        *("tracks", "start", "duration", "max_fps", "max_frames"),
        "files_from",
        "files_from0",
        "root",
        "impostors",
        "strangers",
        "by",
        "ground_truth_path",
        "picture",
    ),
    "Faces": (
        *("detector", "min_score", "min_face_size", "face", "require_face", "rotate", "no_detect"),
        *("tracker", "every", "join"),
    ),
    "Models": (
        *("recognizer", "flip", "model", "attributes", "window", "parameter", "preset", "embed", "accept_license"),
    ),
    "Decision": (
        *("metric", "threshold", "fmr", "fpir", "margin", "score", "people", "operating_point", "score_threshold"),
        *("anti_spoof", "matches", "exit_code", "min_faces", "ids_from"),
    ),
    "Output": (
        *(
            "crops",
            "crops_for",
            "annotate",
            "codec",
            "audio",
            "mot",
            "frames",
            "embeddings",
            "labels",
            "plot",
            "roc_path",
        ),
        *("path", "mode", "update", "long"),
        *("format", "json", "quiet"),
    ),
    "Jobs": ("engine", "engine_option", "workers", "shard", "retry_failed"),
    RUNNING: (
        *("device", "threads", "jobs", "batch_size", "max_pixels", "max_bytes", "timeout", "retry"),
        *("provider_option", "session_option", "engine_cache"),
    ),
}
SECTION_OF = {name: section for section, names in SECTIONS.items() for name in names}
# what a text of an option may have in braces, and the kind of plugins whose names it becomes
NAMES: dict[str, Kind] = {
    "{detectors}": "detectors",
    "{recognizers}": "recognizers",
    "{trackers}": "trackers",
    "{engines}": "engines",
}
ALL = "facecli.help_all"  # in a context's meta: tell everything


class Command(click.Command):
    """A command whose help has sections and examples. examples: command lines without the program's name."""

    def __init__(self, *args: Any, examples: tuple[str, ...] = (), **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.examples = examples
        if any(SECTION_OF.get(parameter.name or "") == RUNNING for parameter in self.params):
            text = f"Show the options of {RUNNING.lower()}, too, and the variables that set options."
            self.params.append(
                click.Option(
                    ["--help-all"], is_flag=True, is_eager=True, expose_value=False, callback=_show_all, help=text
                )
            )

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; its errors name the variables that gave it values."""
        wording.note_variables(
            {
                parameter.name: str(parameter.envvar)
                for parameter in self.params
                if parameter.name and ctx.get_parameter_source(parameter.name) is ParameterSource.ENVIRONMENT
            }
        )
        return super().invoke(ctx)

    def sections(self, ctx: click.Context) -> dict[str, list[click.Option]]:
        """Return the options by section, without sections that have none."""
        found: dict[str, list[click.Option]] = {name: [] for name in (*SECTIONS, HELP)}
        for parameter in self.get_params(ctx):
            if isinstance(parameter, click.Option):
                helps = {"--help", "--help-all"}.intersection(parameter.opts)
                found[HELP if helps else SECTION_OF.get(parameter.name or "", OWN)].append(parameter)
        return {name: options for name, options in found.items() if options}

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options by section."""
        for name, options in self.sections(ctx).items():
            with formatter.section(name):
                if name == RUNNING and not ctx.meta.get(ALL):
                    formatter.write_text(", ".join(option.opts[0] for option in options))
                else:
                    formatter.write_dl(records(ctx, options))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        if self.examples:
            program = ctx.find_root().info_name
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{program} {example}\n")


def command(name: str | None = None, *, examples: Iterable[str], **attributes: Any) -> Callable[[F], Command]:
    """Return a decorator like click.command, of a Command with these examples.

    examples: command lines without the program's name. attributes: click.command's.
    """
    return click.command(name, cls=Command, examples=tuple(examples), **attributes)


def families(names: Iterable[str]) -> str:
    """Return names as a list to read; several that begin with the same word become one, such as arcface-*."""
    words: dict[str, list[str]] = {}
    for name in names:
        words.setdefault(name.partition("-")[0], []).append(name)
    return ", ".join(own[0] if len(own) == 1 else f"{word}-*" for word, own in words.items())


def records(ctx: click.Context, options: Iterable[click.Option]) -> list[tuple[str, str]]:
    """Return the forms in which options are typed, each with its text; with the variables if everything is told."""
    found = []
    for option in options:
        told = copy(option)  # the option itself is shared by all that print help in this process
        told.show_envvar = bool(ctx.meta.get(ALL))
        if option.name in ("detector", "recognizer") and any(one.name == "gallery" for one in ctx.command.params):
            told.show_default = f"the gallery's, else {option.get_default(ctx)}"
        record = told.get_help_record(ctx)
        if record is not None:
            found.append((record[0], _with_names(ctx, record[1])))
    return found


def _with_names(ctx: click.Context, text: str) -> str:
    for word, kind in NAMES.items():
        if word in text:
            text = text.replace(word, families(context.registry_of(ctx).names(kind)))
    return text


def _show_all(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        ctx.meta[ALL] = True
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()
