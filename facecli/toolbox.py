"""The plugins that a command works with: found, checked against each other, and loaded in the background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from facecli.contract import (
    AttributeClassifier,
    AttributePlugin,
    Detector,
    DetectorPlugin,
    ModelSpec,
    Recognizer,
    RecognizerPlugin,
)
from facecli.errors import FacecliError, ModelError, PluginError, UsageError
from facecli.models.store import ModelStore
from facecli.registry import Registry
from facecli.runtime import OnnxRuntime

Plugin = DetectorPlugin | RecognizerPlugin | AttributePlugin


@dataclass(frozen=True, slots=True)
class Choice:
    """Which plugins to use, by name, and parameters that differ from a plugin's defaults; None leaves a stage out."""

    detector: str | None = None
    recognizer: str | None = None
    attributes: tuple[str, ...] = ()
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class Toolbox:
    """Descriptors at once, loaded plugins as soon as their threads have them.

    Raises PluginError for a name that is not there or a pair that does not fit, UsageError for a parameter that the
    plugin does not have; a model that is missing is told when the plugin is first used.
    """

    def __init__(self, choice: Choice, registry: Registry, store: ModelStore, *, device: str, threads: int) -> None:
        self.registry, self.store = registry, store
        self.detector_plugin = _load(registry, "detectors", choice.detector, DetectorPlugin)
        self.recognizer_plugin = _load(registry, "recognizers", choice.recognizer, RecognizerPlugin)
        loaded = [registry.load("attributes", name, AttributePlugin) for name in choice.attributes]
        self.attribute_plugins = tuple(loaded)
        self._check_fit()
        self.runtime = make_runtime(self.plugins, store, device=device, threads=threads)
        self._loading: dict[str, Future[Any]] = {}
        # The detector is needed first, but the recognizer takes longest to load: all start now.
        pool = ThreadPoolExecutor(max_workers=max(len(self.plugins), 1), thread_name_prefix="load")
        for plugin in self.plugins:
            parameters = _parameters(plugin, choice.parameters.get(plugin.name, {}))
            self._loading[plugin.name] = pool.submit(_guarded_load, plugin, self.runtime, parameters)
        pool.shutdown(wait=False)

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """All descriptors, in the order of the stages."""
        some = (self.detector_plugin, self.recognizer_plugin, *self.attribute_plugins)
        return tuple(plugin for plugin in some if plugin is not None)

    @cached_property
    def detector(self) -> Detector:
        """The loaded detector."""
        assert self.detector_plugin is not None
        detector: Detector = self._loading[self.detector_plugin.name].result()
        return detector

    @cached_property
    def recognizer(self) -> Recognizer:
        """The loaded recognizer."""
        assert self.recognizer_plugin is not None
        recognizer: Recognizer = self._loading[self.recognizer_plugin.name].result()
        return recognizer

    @cached_property
    def classifiers(self) -> tuple[AttributeClassifier, ...]:
        """The loaded attribute models, in the order of attribute_plugins."""
        return tuple(self._loading[plugin.name].result() for plugin in self.attribute_plugins)

    def wait(self) -> None:
        """Return when everything is loaded; raise what a load raised."""
        for future in self._loading.values():
            future.result()

    def describe(self, plugin: Plugin) -> dict[str, Any]:
        """Plugin, models with sha256 and the provider that really runs, for output; waits for its load."""
        self._loading[plugin.name].result()
        return {"plugin": plugin.name, "models": [self._describe_model(spec) for spec in plugin.models]}

    def _describe_model(self, spec: ModelSpec) -> dict[str, Any]:
        files = [self.store.file(spec, file.name) for file in spec.files]
        sessions = self.runtime.sessions.items()
        providers = {s.provider for name, s in sessions if name == spec.id or name.startswith(f"{spec.id}/")}
        return {
            "id": spec.id,
            "files": [{"name": file.name, "sha256": file.sha256} for file in files],
            "licence": spec.licence,
            "provider": ", ".join(sorted(providers)) or None,
        }

    def _check_fit(self) -> None:
        detector = self.detector_plugin
        if detector is None or detector.landmarks:
            return
        for user in (self.recognizer_plugin, *self.attribute_plugins):
            if user is not None and user.crop.template is not None:
                message = f"{user.name} aligns faces by landmarks, which {detector.name} does not give"
                raise PluginError(message, hint="choose another --detector, such as mtcnn")


def make_runtime(plugins: Sequence[Plugin], store: ModelStore, *, device: str = "cpu", threads: int = 1) -> OnnxRuntime:
    """A runtime that knows the models of these plugins."""
    specs = {spec.id: spec for plugin in plugins for spec in plugin.models}

    def locate(model_id: str, file: str | None) -> Path:
        if model_id not in specs:
            raise ModelError(
                f"model {model_id} is not among its plugin's `models`", hint="report it to the plugin's authors"
            )
        return store.path(specs[model_id], file)

    return OnnxRuntime(locate, device=device, threads=threads)


def _load(registry: Registry, kind: Any, name: str | None, descriptor: type[Any]) -> Any:
    return None if name is None else registry.load(kind, name, descriptor)


def _parameters(plugin: Plugin, given: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(given) - set(plugin.parameters))
    if unknown:
        known = ", ".join(plugin.parameters) or "none"
        raise UsageError(f"{plugin.name} has no parameter {', '.join(unknown)}", hint=f"it has {known}")
    return {**plugin.parameters, **given}


def _guarded_load(plugin: Plugin, runtime: OnnxRuntime, parameters: dict[str, Any]) -> Any:
    try:
        return plugin.load(runtime, parameters)
    except FacecliError:
        raise
    except Exception as error:
        raise PluginError(f"{plugin.name} can not be loaded: {type(error).__name__}: {error}") from error
