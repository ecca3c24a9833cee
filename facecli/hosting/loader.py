"""Loads plugins in threads of their own, each once, on one runtime that all of them share."""

from __future__ import annotations

import json
import threading
from collections.abc import Hashable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from facecli.contract import AttributePlugin, ModelSpec
from facecli.contract.plugin import Plugin, kind_of
from facecli.errors import FacecliError, ModelError, PluginError
from facecli.hosting.parameters import json_safe
from facecli.hosting.registry import Registry
from facecli.hosting.statements import misfit
from facecli.inference.providers import Tuning
from facecli.inference.reasons import told
from facecli.inference.runtime import OnnxRuntime
from facecli.kinds import Kind
from facecli.models.store import ModelStore


class Loader:
    """Starts the loading of plugins and keeps what they became; several toolboxes may share one loader.

    device, threads, tuning: where and how the sessions of all plugins run; see inference.runtime.OnnxRuntime.
    """

    def __init__(
        self, registry: Registry, store: ModelStore, *, device: str, threads: int, tuning: Tuning | None = None
    ) -> None:
        self.registry, self.store = registry, store
        self._specs: dict[str, ModelSpec] = {}
        self._loads: dict[tuple[Kind, Hashable, str], Future[Any]] = {}
        self._lock = threading.Lock()
        self.runtime = _runtime(self._specs, store, device=device, threads=threads, tuning=tuning)

    def start(self, plugin: Plugin, parameters: Mapping[str, Any]) -> Future[Any]:
        """Begin to load a plugin with these parameters, unless that has begun before. Returns its loaded object to be.

        The future raises what `plugin.load` raised: a FacecliError as it is, everything else as a PluginError.
        """
        key = (kind_of(plugin), _owner(plugin), json.dumps(json_safe(parameters), sort_keys=True))
        with self._lock:
            future = self._loads.get(key)
            if future is None:
                self._specs |= {spec.id: spec for spec in plugin.models}
                pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="load")
                future = self._loads[key] = pool.submit(self._load, plugin, dict(parameters))
                pool.shutdown(wait=False)
        return future

    def blame(self, plugin: Plugin, what: str, error: BaseException) -> PluginError:
        """Return the error for a failure of a plugin's own code: which plugin, whose it is, and what it raised."""
        entry = self.registry.entry(kind_of(plugin), plugin.name)
        hint = f"run it with {{debug}} and report it to the authors of {entry.distribution}"
        return PluginError(f"{entry.title} {what}: {told(error)}", hint=hint, about="debug")

    def close(self) -> None:
        """Let go of everything that was loaded; memory is freed as soon as nobody else holds it."""
        with self._lock:
            self._loads.clear()
        self.runtime.close()

    def _load(self, plugin: Plugin, parameters: dict[str, Any]) -> Any:
        try:
            loaded = plugin.load(self.runtime, parameters)
        except (FacecliError, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise self.blame(plugin, "can not be loaded", error) from error
        self._check_files(plugin)
        return loaded

    def _check_files(self, plugin: Plugin) -> None:
        """Raise ModelError if a file that a plugin has opened does not take the crops that are stated for it."""
        for spec in plugin.models:
            for name, session in self.runtime.sessions_of(spec.id).items():
                if difference := misfit(spec, session):
                    entry = self.registry.entry(kind_of(plugin), plugin.name)
                    hint = f"report it to the authors of {entry.distribution}"
                    raise ModelError(f"{name} {difference}", hint=hint)


def _owner(plugin: Plugin) -> Hashable:
    """Return the owner of a plugin's loaded object: the plugin's name, or what plugins with a common network share."""
    if isinstance(plugin, AttributePlugin) and plugin.head:
        return plugin.load, repr((plugin.crop, plugin.more_crops))
    return plugin.name


def make_runtime(
    plugins: Sequence[Plugin], store: ModelStore, *, device: str = "cpu", threads: int = 1, tuning: Tuning | None = None
) -> OnnxRuntime:
    """Return a runtime that finds the models of these plugins in the store, and no others."""
    specs = {spec.id: spec for plugin in plugins for spec in plugin.models}
    return _runtime(specs, store, device=device, threads=threads, tuning=tuning)


def _runtime(
    specs: Mapping[str, ModelSpec], store: ModelStore, *, device: str, threads: int, tuning: Tuning | None
) -> OnnxRuntime:
    def locate(model_id: str, file: str | None) -> Path:
        if model_id not in specs:
            raise ModelError(
                f"model {model_id} is not among its plugin's `models`", hint="report it to the plugin's authors"
            )
        return store.path(specs[model_id], file)

    return OnnxRuntime(locate, device=device, threads=threads, tuning=tuning)
