"""The command `facecli`: runs a command line and turns every failure into one line on stderr and an exit code."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import re
import sys
import traceback
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import click
from click.core import ParameterSource

from facecli.cli import completing, suggestions
from facecli.cli.group import group
from facecli.cli.wording import option
from facecli.errors import FacecliError, UsageError
from facecli.system import files, streams
from facecli.system.ending import Ending
from facecli.system.environment import flag
from facecli.system.streams import print_error
from facecli.version import __version__

if TYPE_CHECKING:
    from facecli.output.sink import Sink


INTERRUPTED, BUG = 130, 70  # as shells report SIGINT; EX_SOFTWARE of sysexits.h
SHOW_CURSOR = "\x1b[?25h"


def main() -> NoReturn:
    """Run the command line and exit.

    The process ends at once: nobody waits for a thread that still loads a model, takes sessions and modules apart
    (a tenth of a short run), or flushes a broken stdout again.
    """
    arguments = sys.argv[1:]
    _, debug = _without_debug(arguments)
    streams.prepare_standard_streams(prefixed=not debug)  # a traceback is read as it is
    sinks: list[Sink] = []
    ending = Ending(partial(_abandon, sinks, arguments), INTERRUPTED)
    ending.watch()
    status = run(arguments, sinks, ending)
    with contextlib.suppress(BaseException):  # what libraries have asked for is still done
        atexit._run_exitfuncs()
    streams.print_native_messages()
    sys.stderr.flush()
    os._exit(status)


def run(arguments: list[str], sinks: list[Sink] | None = None, ending: Ending | None = None) -> int:
    """Run a command line and return its exit code.

    0 done, 1 an input failed, 2 usage, 3 no match, 4 a model or device is missing, 70 a bug, 130 interrupted.

    sinks: gets the command's sink once it has opened one. ending: of the process, if it is ours.
    """
    sinks = [] if sinks is None else sinks
    rest, debug = _without_debug(arguments)
    try:
        status = _invoke(["--debug", *rest] if debug and rest else rest, sinks)
        sys.stdout.flush()
    except streams.ReaderGone:
        return 0  # the reader has seen enough: not our failure
    except (KeyboardInterrupt, click.Abort):
        if ending is not None:
            ending.claim()
        failure = _interrupted()
    except SystemExit as leave:  # of a plugin's command
        return leave.code if isinstance(leave.code, int) else int(leave.code is not None)
    except BaseException as error:  # noqa: BLE001 - the last resort: even a bug ends in one line
        if debug:
            traceback.print_exc()
        failure = _as_facecli_error(error)
        print_error(f"error: {failure.text(option)}")
    else:
        return status if isinstance(status, int) else 0
    _write_error(failure, sinks, asked=_json_asked(arguments))
    return failure.exit_code


def _abandon(sinks: list[Sink], arguments: list[str]) -> None:
    """Close what is open for a main thread that does not come back from native code."""
    files.discard_unfinished()
    if sys.stderr.isatty():
        streams.terminal().write(SHOW_CURSOR)  # a bar has hidden it
    _write_error(_interrupted(), sinks, asked=_json_asked(arguments))


def _interrupted() -> FacecliError:
    """Tell that the work was interrupted; return that as an error."""
    failure = FacecliError("interrupted")
    failure.exit_code = INTERRUPTED
    print_error(failure.message)
    return failure


def _without_debug(arguments: list[str]) -> tuple[list[str], bool]:
    """Return a command line without --debug, and whether to debug.

    --debug counts anywhere: people type it behind a command line that has just failed.
    """
    end = _end_of_options(arguments)
    words = [word for word in arguments[:end] if word != "--debug"]
    return [*words, *arguments[end:]], len(words) < end or flag("FACECLI_DEBUG")


def _end_of_options(arguments: list[str]) -> int:
    """Return the place of "--", behind which are names."""
    return arguments.index("--") if "--" in arguments else len(arguments)


def _invoke(arguments: list[str], sinks: list[Sink]) -> object:
    # Not group.main(): it has its own ideas of a broken pipe and of Ctrl-C.
    if (completed := completing.answer(group)) is not None:
        return completed
    try:
        with group.make_context("facecli", arguments, obj=sinks) as ctx:
            return group.invoke(ctx)
    except click.exceptions.NoArgsIsHelpError as error:
        streams.terminal().write(f"{error.format_message()}\n")
        return error.exit_code
    except click.exceptions.Exit as leave:
        return leave.exit_code


def _as_facecli_error(error: BaseException) -> FacecliError:
    if isinstance(error, FacecliError):
        return error
    if isinstance(error, click.ClickException):
        failure: FacecliError
        if isinstance(error, click.NoSuchOption):
            failure = UsageError(error.message.rstrip("."), hint=suggestions.for_option(error))
        else:
            ctx = getattr(error, "ctx", None)
            if isinstance(error, click.BadParameter):
                _name_variable(error)
            message = error.format_message().rstrip(".")
            failure = UsageError(message, hint=f"see `{ctx.command_path if ctx else 'facecli'} --help`")
        failure.exit_code = error.exit_code
    elif isinstance(error, OSError):
        message = f"{error.strerror or error}: {error.filename or 'standard output'}"
        failure = FacecliError(message, hint="check the name, its permissions, and the space that is left")
    else:
        failure = FacecliError(
            f"internal error: {type(error).__name__}: {error}", hint="run it with --debug and report it"
        )
        failure.exit_code = BUG
    return failure


def _name_variable(error: click.BadParameter) -> None:
    """Let an error name the variable where a wrong value comes from one: nobody has typed the option."""
    ctx, parameter = error.ctx, error.param
    if ctx is None or parameter is None or parameter.name is None:
        return
    if ctx.get_parameter_source(parameter.name) is ParameterSource.ENVIRONMENT:
        error.param_hint = str(parameter.envvar)


def _write_error(error: FacecliError, sinks: list[Sink], *, asked: bool) -> None:
    document = {"schema": "facecli.error/1", "version": __version__, "error": error.as_dict(option)}
    with contextlib.suppress(OSError, FacecliError):  # if stdout itself has failed, the line on stderr must do
        if sinks:
            sinks[-1].fail(document)
        elif asked:
            sys.stdout.write(json.dumps(document) + "\n")
            sys.stdout.flush()


def _json_asked(arguments: list[str]) -> bool:
    """Return whether a command line that click could not parse asks for JSON."""
    words = arguments[: _end_of_options(arguments)]
    if "--json" in words:
        return True
    form = os.environ.get("FACECLI_FORMAT", "")
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if given := re.fullmatch(r"(?:--format(?:=|$)|-q*f)(.*)", word):
            form = given[1] or following
    return form in ("json", "jsonl")
