"""From a command's settings to a running pipeline and an output."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from facecli import providers
from facecli.commands import _preset, _transfers
from facecli.commands._options import Settings
from facecli.cores import available_cores
from facecli.errors import FacecliError, OutputError, UsageError
from facecli.files import make_folder
from facecli.models.store import ModelStore
from facecli.providers import Tuning
from facecli.registry import Registry
from facecli.report import Output
from facecli.streams import complain
from facecli.toolbox import Choice, Toolbox

if TYPE_CHECKING:
    from rich.progress import Progress

    from facecli.commands._pictures import Writer
    from facecli.pipeline import ImageResult, Pipeline

PROGRESS_FROM = 4  # inputs; fewer are done before a bar is read
_bars: list[Progress] = []  # the one that is shown, if any


def open_output(settings: Settings) -> Output:
    """The output that --format and --json ask for."""
    if settings.json and settings.format not in (None, "json"):
        raise UsageError(f"--json and --format {settings.format} exclude each other", hint="give one of them")
    output = Output("json" if settings.json else settings.format)
    opened = click.get_current_context().find_root().obj
    if isinstance(opened, list):
        opened.append(output)  # the roof tells a failure there
    return output


def registry() -> Registry:
    """The plugins that --no-plugins leaves."""
    return Registry(third_party=not _root_flag("no_plugins"))


def open_store(*, accept_licence: bool = False, progress: _transfers.Progress | None = None) -> ModelStore:
    """The model store, offline if asked. progress: told what is fetched, instead of a line as each file begins."""
    return ModelStore(
        offline=True if _root_flag("offline") else None,
        accept_licence=True if accept_licence else None,
        progress=progress or _transfers.announced(),
    )


def open_toolbox(
    settings: Settings, *, inputs: int | None, attributes: Sequence[str] = (), ensemble: bool = False
) -> Toolbox:
    """Start loading the plugins that the settings name. inputs: how many pictures, None if not known yet.

    ensemble: whether --recognizer may name several.
    """
    parameters = parse_parameters(settings.parameter)
    if settings.min_face_size is not None and settings.detector:
        parameters.setdefault(settings.detector, {})["min_face_size"] = settings.min_face_size
    names = _recognizers(settings.recognizer, several=ensemble)
    if settings.flip:
        for name in names:
            parameters.setdefault(name, {})["flip"] = True
    detector = None if settings.no_detect else settings.detector
    first, further = (names[0], tuple(names[1:])) if names else (None, ())
    choice = Choice(detector, first, tuple(attributes), parameters, further, _preset.crops(settings))
    threads = settings.threads or max(1, available_cores() // _jobs(settings, inputs))
    store = open_store()
    tuning = open_tuning(settings, store)
    return Toolbox(choice, registry(), store, device=settings.device, threads=threads, tuning=tuning)


def open_tuning(settings: Settings, store: ModelStore) -> Tuning:
    """What the settings say of ONNX Runtime; the folder for compiled engines is made if the device keeps any."""
    kind, _ = providers.split(settings.device)
    options: dict[str, dict[str, str]] = {}
    for text in settings.provider_option:
        name, value = _assignment(text, "--provider-option", "DEVICE.NAME=VALUE")
        device, dot, option = name.partition(".")
        if not (device and dot and option):
            raise UsageError(f"can not read --provider-option {text!r}", hint="write DEVICE.NAME=VALUE")
        options.setdefault(device, {})[option] = value
    entries = dict(_assignment(text, "--session-option", "NAME=VALUE") for text in settings.session_option)
    cache = None
    if kind != "auto" and providers.KINDS[kind].cache:
        cache = settings.engine_cache or store.root / "engines" / kind
        make_folder(cache, parents=True)
    tuning = Tuning(options, entries, cache)
    providers.check_options(settings.device, tuning)
    return tuning


def _assignment(text: str, option: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise UsageError(f"can not read {option} {text!r}", hint=f"write {form}")
    return name, value


def _recognizers(named: str | None, *, several: bool) -> list[str]:
    if named is None or not several:
        return [] if named is None else [named]
    names = [name.strip() for name in named.split(",")]
    if len({*names}) < len(names) or "" in names:
        raise UsageError(f"--recognizer {named} names one twice or none", hint="name different ones, as in a,b,c")
    return names


def open_pipeline(
    tools: Toolbox,
    settings: Settings,
    *,
    inputs: int | None,
    need_face: bool = True,
    keep_image: bool = False,
    measures: tuple[str, ...] = (),
) -> Pipeline:
    """The pipeline that the settings describe."""
    # Imported here: models load in their threads while OpenCV and the rest of the pipeline are imported.
    from facecli.compare import check_face_choice
    from facecli.pipeline import Flow, Pipeline
    from facecli.types import Limits

    flow = Flow(
        faces=check_face_choice(settings.face),
        need_face=need_face,
        detect=not settings.no_detect,
        batch_size=settings.batch_size,
        jobs=_jobs(settings, inputs),
        limits=Limits(settings.max_pixels, settings.max_bytes, settings.timeout),
        measures=measures,
        keep_image=keep_image,
    )
    return Pipeline(tools, flow)


def count_inputs(inputs: Sequence[str], settings: Settings) -> int | None:
    """How many pictures the inputs are, if that can be told without looking at folders and lists."""
    if settings.files_from or settings.files_from0:
        return None
    if not inputs:
        raise UsageError("no input", hint="name files, folders, globs or URLs, or - for a picture on stdin")
    # os.path: a Path raises for a name that is too long.
    unknown = any(os.path.isdir(name) or set("*?[") & set(name) for name in inputs)  # noqa: PTH112
    return None if unknown else len(inputs)


def told(results: Iterable[ImageResult], settings: Settings, total: int | None) -> Iterator[ImageResult]:
    """Pass results on; tell each error on stderr in one line, and progress if stderr is a terminal."""
    if _wants_bar(settings) and (total is None or total >= PROGRESS_FROM):
        results = _with_progress(results, total)
    for result in results:
        if result.error is not None:
            tell(result.source, result.error)
        yield result


def tell(source: str, error: FacecliError) -> None:
    """One line on stderr about an input that failed; with --debug, where it comes from."""
    for bar in _bars:
        bar.stop()  # erases it, so that the line does not begin behind it
    if error.__cause__ is not None and _root_flag("debug"):
        traceback.print_exception(error)
    complain(str(error) if source in str(error) else f"{source}: {error}")
    for bar in _bars:
        bar.start()


def write(result: ImageResult, writers: Sequence[Writer]) -> tuple[ImageResult, list[str]]:
    """Write what is asked for of a result; what can not be written becomes its error, and the other pictures go on."""
    import dataclasses

    import cv2

    files: list[str] = []
    try:
        for writer in writers:
            files.extend(str(path) for path in writer(result))  # those before a failure stay listed
    except (OutputError, cv2.error) as error:
        failure = error if isinstance(error, OutputError) else OutputError(f"can not draw on {result.source}: {error}")
        if failure is not error:
            failure.__cause__ = error
        tell(result.source, failure)
        result = dataclasses.replace(result, error=failure)
    return result, files


def _wants_bar(settings: Settings) -> bool:
    """Whether a bar helps and harms nothing: a terminal that shows data meanwhile has no room for it."""
    stdout = sys.__stdout__  # sys.stdout is stderr by now
    streams = settings.json or settings.format not in (None, "table")
    shared = streams and stdout is not None and stdout.isatty()
    return not settings.quiet and sys.stderr.isatty() and not shared


def _with_progress(results: Iterable[ImageResult], total: int | None) -> Iterator[ImageResult]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        _bars.append(bar)
        try:
            yield from bar.track(results, total=total)
        finally:
            _bars.remove(bar)


def _root_flag(name: str) -> bool:
    return bool(click.get_current_context().find_root().params.get(name))


def _jobs(settings: Settings, inputs: int | None) -> int:
    if settings.jobs is not None:
        return settings.jobs
    cores = available_cores()
    return cores if inputs is None else max(1, min(cores, -(-inputs // settings.batch_size)))


def parse_parameters(given: Sequence[str]) -> dict[str, dict[str, Any]]:
    """PLUGIN.NAME=VALUE; the value is JSON, or a string where it is no JSON."""
    import json

    parsed: dict[str, dict[str, Any]] = {}
    for text in given:
        left, equals, value = text.partition("=")
        plugin, dot, name = left.rpartition(".")
        if not (equals and dot and plugin and name):
            raise UsageError(f"can not read --parameter {text!r}", hint="write PLUGIN.NAME=VALUE")
        try:
            parsed.setdefault(plugin, {})[name] = json.loads(value)
        except (ValueError, RecursionError):
            parsed.setdefault(plugin, {})[name] = value
    return parsed
