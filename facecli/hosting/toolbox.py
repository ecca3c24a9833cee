"""The plugins that a command works with: found, checked against each other, and loaded in the background."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from facecli.contract import (
    AttributeClassifier,
    AttributePlugin,
    CropsClassifier,
    CropSpec,
    Detector,
    DetectorPlugin,
    ModelSpec,
    Recognizer,
    RecognizerPlugin,
)
from facecli.contract.kinds import Kind
from facecli.contract.plugin import Plugin
from facecli.contract.record_keys import RECORD_KEYS
from facecli.errors import FacecliError, ModelError, PluginError
from facecli.hosting.choice import Choice, load_recognizer
from facecli.hosting.parameters import effective, json_safe
from facecli.hosting.registry import Registry
from facecli.inference.providers import Tuning
from facecli.inference.runtime import OnnxRuntime
from facecli.inference.session import OnnxSession
from facecli.models.store import ModelStore


class Toolbox:
    """Descriptors at once, loaded plugins as soon as their threads have them.

    Raises PluginError for a name that is not there or a pair that does not fit, UsageError for a parameter that no
    chosen plugin has or a value that does not fit it; a model that is missing is told when the plugin is first used.
    """

    def __init__(
        self,
        choice: Choice,
        registry: Registry,
        store: ModelStore,
        *,
        device: str,
        threads: int,
        tuning: Tuning | None = None,
    ) -> None:
        self.registry, self.store = registry, store
        detector = choice.detector
        self.detector_plugin = None if detector is None else registry.load("detectors", detector, DetectorPlugin)
        names = [name for name in (choice.recognizer, *choice.ensemble) if name is not None]
        self._crops = choice.crops
        self.recognizer_plugins = tuple(load_recognizer(registry, name, choice.crops) for name in names)
        self.recognizer_plugin = self.recognizer_plugins[0] if choice.recognizer is not None else None
        loaded = [registry.load("attributes", name, AttributePlugin) for name in choice.attributes]
        self.attribute_plugins = tuple(loaded)
        self._check_fit()
        self._check_names()
        # All that can be wrong with the choice is told before the first thread starts.
        self._parameters = effective(self.plugins, choice.parameters)
        self.runtime = make_runtime(self.plugins, store, device=device, threads=threads, tuning=tuning)
        self._loading: dict[int, Future[Any]] = {}  # by id(): plugins of two kinds may have one name
        # The detector is needed first, but the recognizer takes longest to load: all start now.
        pool = ThreadPoolExecutor(max_workers=max(len(self.plugins), 1), thread_name_prefix="load")
        for plugin in self.plugins:
            self._loading[id(plugin)] = pool.submit(self._load, plugin)
        pool.shutdown(wait=False)

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """All descriptors, in the order of the stages."""
        some = (self.detector_plugin, *self.recognizer_plugins, *self.attribute_plugins)
        return tuple(plugin for plugin in some if plugin is not None)

    @cached_property
    def detector(self) -> Detector:
        """The loaded detector."""
        assert self.detector_plugin is not None
        detector: Detector = self._loading[id(self.detector_plugin)].result()
        return detector

    @cached_property
    def recognizer(self) -> Recognizer:
        """The loaded recognizer."""
        assert self.recognizer_plugin is not None
        recognizer: Recognizer = self._loading[id(self.recognizer_plugin)].result()
        return recognizer

    @cached_property
    def recognizers(self) -> tuple[Recognizer, ...]:
        """All loaded recognizers, in the order of recognizer_plugins."""
        return tuple(self._loading[id(plugin)].result() for plugin in self.recognizer_plugins)

    @cached_property
    def classifiers(self) -> tuple[AttributeClassifier | CropsClassifier, ...]:
        """The loaded attribute models, in the order of attribute_plugins."""
        return tuple(self._loading[id(plugin)].result() for plugin in self.attribute_plugins)

    def recropped(self, plugin: Plugin) -> dict[str, Any]:
        """The crop that a recognizer gets instead of its own, for output and to tell embeddings apart; else nothing."""
        if isinstance(plugin, RecognizerPlugin) and plugin.name in self._crops:
            return {"crop": asdict(plugin.crop)}
        return {}

    def wait(self) -> None:
        """Return when everything is loaded; raise what a load raised."""
        for future in self._loading.values():
            future.result()

    def parameters(self, plugin: Plugin) -> dict[str, Any]:
        """The parameters that a chosen plugin runs with: its defaults, and what was given instead."""
        return dict(self._parameters[id(plugin)])

    def describe(self, plugin: Plugin) -> dict[str, Any]:
        """Plugin, parameters, models with sha256 and the provider that really runs, for output; waits for its load."""
        self._loading[id(plugin)].result()
        return {
            "plugin": plugin.name,
            "parameters": json_safe(self.parameters(plugin)),
            "models": [self._describe_model(spec) for spec in self._used(plugin)],
        } | self.recropped(plugin)

    def identity(self, recognizer: RecognizerPlugin) -> dict[str, Any]:
        """What must be the same for a threshold to hold: the recognizer as it runs, its files, and the detector's."""
        detector = self.detector_plugin
        return {
            "recognizer": recognizer.name,
            "models": self._sha256(recognizer),
            "preprocessing_version": recognizer.preprocessing_version,
            "parameters": json_safe(self.parameters(recognizer)),
            "detector": detector and detector.name,
            "detector_models": detector and self._sha256(detector),
            # Texts choose what runs, such as one of several models; numbers, such as the smallest face, do not.
            "detector_parameters": {k: v for k, v in self.parameters(detector).items() if isinstance(v, str)}
            if detector
            else {},
        } | self.recropped(recognizer)

    def blame(self, plugin: Plugin, what: str, error: BaseException) -> PluginError:
        """The error that tells of a chosen plugin's own failure: which one, whose it is, and what it raised."""
        entry = self.registry.entry(_kind(plugin), plugin.name)
        reason = f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0]}".removesuffix(": ")
        hint = f"run it with --debug and report it to the authors of {entry.distribution}"
        return PluginError(f"{entry.title} {what}: {reason}", hint=hint)

    def _load(self, plugin: Plugin) -> Any:
        try:
            return plugin.load(self.runtime, self.parameters(plugin))
        except FacecliError:
            raise
        except (Exception, SystemExit) as error:
            raise self.blame(plugin, "can not be loaded", error) from error

    def _sha256(self, plugin: Plugin) -> list[str | None]:
        """The files of the models that it runs: of several, those that a parameter names, as `scrfd.model=10g` does."""
        names = {f"{plugin.name}/{value}" for value in self.parameters(plugin).values() if isinstance(value, str)}
        specs = [spec for spec in plugin.models if spec.id in names] or plugin.models
        return [self.store.file(spec, file.name).sha256 for spec in specs for file in spec.files]

    def _used(self, plugin: Plugin) -> list[ModelSpec]:
        """The models that a plugin which can work with several has opened; all of them where it has opened none."""
        return [spec for spec in plugin.models if self._sessions(spec)] or list(plugin.models)

    def _sessions(self, spec: ModelSpec) -> list[OnnxSession]:
        names = self.runtime.sessions.items()
        return [session for name, session in names if name == spec.id or name.startswith(f"{spec.id}/")]

    def _describe_model(self, spec: ModelSpec) -> dict[str, Any]:
        files = [self.store.file(spec, file.name) for file in spec.files]
        providers = {session.provider for session in self._sessions(spec)}
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
        users: tuple[RecognizerPlugin | AttributePlugin, ...] = (*self.recognizer_plugins, *self.attribute_plugins)
        for user in users:
            if any(spec.template is not None for spec in _specs(user)):
                message = f"{user.name} aligns faces by landmarks, which {detector.name} does not give"
                raise PluginError(message, hint="choose another --detector, such as mtcnn")

    def _check_names(self) -> None:
        attributes = [plugin.attribute for plugin in self.attribute_plugins]
        for plugin in self.attribute_plugins:
            hidden = {plugin.attribute} & {*RECORD_KEYS} | {*plugin.labels} & {*RECORD_KEYS, *attributes}
            if hidden:
                message = f"an attribute or a label of {plugin.name} can not be called {min(hidden)!r}"
                raise PluginError(message, hint="report it to the plugin's authors")


def make_runtime(
    plugins: Sequence[Plugin],
    store: ModelStore,
    *,
    device: str = "cpu",
    threads: int = 1,
    tuning: Tuning | None = None,
) -> OnnxRuntime:
    """A runtime that knows the models of these plugins."""
    specs = {spec.id: spec for plugin in plugins for spec in plugin.models}

    def locate(model_id: str, file: str | None) -> Path:
        if model_id not in specs:
            raise ModelError(
                f"model {model_id} is not among its plugin's `models`", hint="report it to the plugin's authors"
            )
        return store.path(specs[model_id], file)

    return OnnxRuntime(locate, device=device, threads=threads, tuning=tuning)


def _specs(plugin: RecognizerPlugin | AttributePlugin) -> tuple[CropSpec, ...]:
    return (plugin.crop, *plugin.more_crops) if isinstance(plugin, AttributePlugin) else (plugin.crop,)


def _kind(plugin: Plugin) -> Kind:
    if isinstance(plugin, DetectorPlugin):
        return "detectors"
    return "recognizers" if isinstance(plugin, RecognizerPlugin) else "attributes"
