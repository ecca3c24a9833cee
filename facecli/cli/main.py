"""The command `facecli`: runs a command line and turns every failure into one line on stderr and an exit code."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import re
import sys
import traceback
from typing import TYPE_CHECKING, NoReturn

import click

from facecli.cli import completing
from facecli.cli.group import group
from facecli.cli.wording import option
from facecli.errors import FacecliError, UsageError
from facecli.system import streams
from facecli.system.environment import flag
from facecli.system.streams import print_error
from facecli.version import __version__

if TYPE_CHECKING:
    from facecli.output.sink import Sink


INTERRUPTED, BUG = 130, 70  # as shells report SIGINT; EX_SOFTWARE of sysexits.h


def main() -> NoReturn:
    """Run the command line and exit.

    The process ends at once: nobody waits for a thread that still loads a model, takes sessions and modules apart
    (a tenth of a short run), or flushes a broken stdout again.
    """
    streams.prepare_standard_streams()
    status = run(sys.argv[1:])
    atexit._run_exitfuncs()  # what libraries have asked for is still done
    sys.stderr.flush()
    os._exit(status)


def run(arguments: list[str]) -> int:
    """Run a command line and return its exit code.

    0 done, 1 an input failed, 2 usage, 3 no match, 4 a model or device is missing, 70 a bug, 130 interrupted.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)  # what follows are names, not options
    # --debug counts anywhere: people type it behind a command line that has just failed.
    words = [word for word in arguments[:end] if word != "--debug"]
    debug = len(words) < end or flag("FACECLI_DEBUG")
    rest = [*words, *arguments[end:]]
    sinks: list[Sink] = []  # the command's, once it has opened one
    try:
        status = _invoke(["--debug", *rest] if debug and rest else rest, sinks)
        sys.stdout.flush()
    except streams.ReaderGone:
        return 0  # the reader has seen enough: not our failure
    except (KeyboardInterrupt, click.Abort):
        failure = FacecliError("interrupted")
        failure.exit_code = INTERRUPTED
        print_error(failure.message)
    except Exception as error:  # noqa: BLE001 - the last resort: even a bug ends in one line
        if debug:
            traceback.print_exc()
        failure = _as_facecli_error(error)
        print_error(f"error: {failure.text(option)}")
    else:
        return status if isinstance(status, int) else 0
    _write_error(failure, sinks, asked=_json_asked(words))
    return failure.exit_code


def _invoke(arguments: list[str], sinks: list[Sink]) -> object:
    # Not group.main(): it has its own ideas of a broken pipe and of Ctrl-C.
    if (completed := completing.answer(group)) is not None:
        return completed
    try:
        with group.make_context("facecli", arguments, obj=sinks) as ctx:
            return group.invoke(ctx)
    except click.exceptions.NoArgsIsHelpError as error:
        sys.stderr.write(f"{error.format_message()}\n")
        return error.exit_code
    except click.exceptions.Exit as leave:
        return leave.exit_code


def _as_facecli_error(error: Exception) -> FacecliError:
    if isinstance(error, FacecliError):
        return error
    if isinstance(error, click.ClickException):
        ctx = getattr(error, "ctx", None)
        failure: FacecliError = UsageError(
            error.format_message(), hint=f"see `{ctx.command_path if ctx else 'facecli'} --help`"
        )
        failure.exit_code = error.exit_code
    elif isinstance(error, OSError):
        failure = FacecliError(f"{error.strerror or error}: {error.filename or 'standard output'}")
    else:
        failure = FacecliError(
            f"internal error: {type(error).__name__}: {error}", hint="run it with --debug and report it"
        )
        failure.exit_code = BUG
    return failure


def _write_error(error: FacecliError, sinks: list[Sink], *, asked: bool) -> None:
    document = {"schema": "facecli.error/1", "version": __version__, "error": error.as_dict(option)}
    with contextlib.suppress(OSError, FacecliError):  # if stdout itself has failed, the line on stderr must do
        if sinks:
            sinks[-1].fail(document)
        elif asked:
            sys.stdout.write(json.dumps(document) + "\n")
            sys.stdout.flush()


def _json_asked(words: list[str]) -> bool:
    """Return whether a command line that click could not parse asks for JSON."""
    if "--json" in words:
        return True
    form = os.environ.get("FACECLI_FORMAT", "")
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if given := re.fullmatch(r"(?:--format(?:=|$)|-q*f)(.*)", word):
            form = given[1] or following
    return form in ("json", "jsonl")
