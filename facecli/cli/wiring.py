"""`facecli.Faces` as the settings of a command describe it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from facecli.api.faces import Faces
from facecli.cli import context
from facecli.cli.settings import InputSettings, PluginSettings, RunSettings
from facecli.cli.values import assignment, parse_parameters
from facecli.errors import UsageError
from facecli.inference import providers
from facecli.inference.providers import Tuning
from facecli.models.store import ModelStore
from facecli.system.cores import available_cores
from facecli.system.files import make_folder


def open_faces(
    plugins: PluginSettings,
    running: RunSettings,
    reading: InputSettings,
    *,
    inputs: int | None,
    ensemble: bool = False,
) -> Faces:
    """Return the Faces that a command works with; nothing is loaded yet.

    inputs: how many pictures there are, None if that is not known: one batch needs no second job. ensemble:
    --recognizer may name several, with commas between.

    A plugin that was typed wins over the preset, and the preset over environment variables and defaults.
    """
    store = context.open_store()
    jobs = _jobs(running, inputs)
    chosen = settings(plugins, running, reading, ensemble=ensemble)
    return Faces(**chosen, threads=running.threads, jobs=jobs, registry=context.registry(), store=store)


def settings(
    plugins: PluginSettings, running: RunSettings, reading: InputSettings, *, ensemble: bool = False
) -> dict[str, Any]:
    """Return the keyword arguments of Faces that say what is done, not how much at once; ensemble: as in open_faces."""
    detector, recognizer = (
        name if plugins.preset is None or context.typed(setting) else None
        for setting, name in (("detector", plugins.detector), ("recognizer", plugins.recognizer))
    )
    looking = {
        "detector": detector,
        "min_score": plugins.min_score,
        "min_face_size": plugins.min_face_size,
        "rotate": plugins.rotate,
    }
    if plugins.no_detect:  # what was typed beside it is refused; a variable is for other command lines than this one
        looking = {name: value for name, value in looking.items() if context.typed(name)}
    return {
        **looking,
        "recognizer": _recognizers(recognizer, several=ensemble),
        "preset": plugins.preset,
        "device": running.device,
        "parameters": parse_parameters(plugins.parameter),
        "flip": plugins.flip,
        "no_detect": plugins.no_detect,
        "batch_size": running.batch_size,
        "max_pixels": reading.max_pixels,
        "max_bytes": reading.max_bytes,
        "timeout": reading.timeout,
        "tuning": open_tuning(running, context.open_store()),
    }


def open_tuning(running: RunSettings, store: ModelStore) -> Tuning:
    """Return the options of ONNX Runtime; the folder for compiled engines is made if the device keeps any.

    Raises UsageError for texts that can not be read and options of a device that is not in use, DeviceError.
    """
    kind, _ = providers.split(running.device)
    options: dict[str, dict[str, str]] = {}
    for text in running.provider_option:
        name, value = assignment(text, "--provider-option", "DEVICE.NAME=VALUE")
        device, dot, option = name.partition(".")
        if not (device and dot and option):
            raise UsageError(f"can not read --provider-option {text!r}", hint="write DEVICE.NAME=VALUE")
        options.setdefault(device, {})[option] = value
    entries = dict(assignment(text, "--session-option", "NAME=VALUE") for text in running.session_option)
    cache = None
    if kind != "auto" and providers.DEVICES[kind].cache:
        cache = running.engine_cache or store.root / "engines" / kind
        make_folder(cache, parents=True)
    elif running.engine_cache is not None and context.typed("engine_cache"):
        keeping = ", ".join(name for name, device in providers.DEVICES.items() if device.cache)
        raise UsageError(f"--engine-cache is for devices that compile: {keeping}", hint="name one with --device")
    tuning = Tuning(options, entries, cache)
    providers.check_options(running.device, tuning)
    return tuning


def _recognizers(named: str | None, *, several: bool) -> Sequence[str]:
    if named is None or not several:
        return () if named is None else (named,)
    names = tuple(name.strip() for name in named.split(","))
    if len({*names}) < len(names) or "" in names:
        raise UsageError(f"--recognizer {named} names one twice or none", hint="name different ones, as in a,b,c")
    return names


def _jobs(running: RunSettings, inputs: int | None) -> int:
    if running.jobs is not None:
        return running.jobs
    cores = available_cores()
    return cores if inputs is None else max(1, min(cores, -(-inputs // running.batch_size)))
