"""From a command's settings to a running pipeline and an output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from facecli.cli import preset
from facecli.cli.context import open_store, registry
from facecli.cli.settings import RunSettings, Settings
from facecli.cli.values import _assignment, parse_parameters
from facecli.errors import UsageError
from facecli.hosting.choice import Choice
from facecli.hosting.loader import Loader
from facecli.hosting.toolbox import Toolbox
from facecli.inference import providers
from facecli.inference.providers import Tuning
from facecli.models.store import ModelStore
from facecli.system.cores import available_cores
from facecli.system.files import make_folder

if TYPE_CHECKING:
    from facecli.pipeline.river import Pipeline


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
    choice = Choice(detector, first, tuple(attributes), parameters, further, preset.crops(settings))
    threads = settings.threads or max(1, available_cores() // _jobs(settings, inputs))
    store = open_store()
    tuning = open_tuning(settings, store)
    return Toolbox(choice, Loader(registry(), store, device=settings.device, threads=threads, tuning=tuning))


def open_tuning(settings: Settings | RunSettings, store: ModelStore) -> Tuning:
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
    if kind != "auto" and providers.DEVICES[kind].cache:
        cache = settings.engine_cache or store.root / "engines" / kind
        make_folder(cache, parents=True)
    tuning = Tuning(options, entries, cache)
    providers.check_options(settings.device, tuning)
    return tuning


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
    from facecli.faces.choice import check_face_choice
    from facecli.pipeline.flow import Flow
    from facecli.pipeline.river import Pipeline
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


def _jobs(settings: Settings, inputs: int | None) -> int:
    if settings.jobs is not None:
        return settings.jobs
    cores = available_cores()
    return cores if inputs is None else max(1, min(cores, -(-inputs // settings.batch_size)))
