"""The plugins of one choice: checked against each other at once, loaded in the background."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import cached_property
from typing import Any

from facecli.contract import (
    AttributeClassifier,
    AttributePlugin,
    CropsClassifier,
    CropSpec,
    Detector,
    DetectorPlugin,
    HeadsClassifier,
    ModelSpec,
    Recognizer,
    RecognizerPlugin,
    Tracker,
    TrackerPlugin,
)
from facecli.contract.plugin import Plugin
from facecli.contract.record_keys import RECORD_KEYS
from facecli.errors import AbsentModelError, AlignmentWarning, PluginError
from facecli.hosting import identity, parameters
from facecli.hosting.choice import Choice, load_recognizer
from facecli.hosting.loader import Loader
from facecli.hosting.parameters import json_safe


class Toolbox:
    """The descriptors of the chosen plugins, and the loaded plugins as soon as the loader has them.

    Raises PluginError for a name that no plugin has or plugins that do not fit each other, UsageError for a parameter
    that no chosen plugin has or a value of another type. All of that is raised before the first thread starts; a model
    that is missing is raised when its plugin is first used.
    """

    def __init__(self, choice: Choice, loader: Loader) -> None:
        self.loader, self.store, registry = loader, loader.store, loader.registry
        detector = choice.detector
        self.detector_plugin = None if detector is None else registry.load("detectors", detector, DetectorPlugin)
        names = [name for name in (choice.recognizer, *choice.further_recognizers) if name is not None]
        self._crops = choice.crops
        self.recognizer_plugins = tuple(load_recognizer(registry, name, choice.crops) for name in names)
        self.recognizer_plugin = self.recognizer_plugins[0] if choice.recognizer is not None else None
        self.attribute_plugins = tuple(registry.load("attributes", name, AttributePlugin) for name in choice.attributes)
        tracker = choice.tracker
        self.tracker_plugin = None if tracker is None else registry.load("trackers", tracker, TrackerPlugin)
        self._boxed = self._boxed_users()
        self._check_names()
        self._parameters = parameters.effective(self.plugins, choice.parameters)
        # The detector is needed first, but the recognizer takes longest to load: all start now. Keys are id(), because
        # plugins of two kinds may have one name.
        self._loading = {id(plugin): loader.start(plugin, self._parameters[id(plugin)]) for plugin in self.plugins}

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """All descriptors, in the order of the stages."""
        stages = (self.detector_plugin, self.tracker_plugin, *self.recognizer_plugins, *self.attribute_plugins)
        return tuple(plugin for plugin in stages if plugin is not None)

    @cached_property
    def detector(self) -> Detector:
        """The loaded detector."""
        assert self.detector_plugin is not None
        detector: Detector = self._loaded(self.detector_plugin)
        return detector

    @cached_property
    def make_tracker(self) -> Callable[[], Tracker]:
        """The function that makes a new tracker for a film, from the loaded tracker plugin."""
        assert self.tracker_plugin is not None
        make: Callable[[], Tracker] = self._loading[id(self.tracker_plugin)].result()
        return make

    @cached_property
    def recognizers(self) -> tuple[Recognizer, ...]:
        """The loaded recognizers, in the order of recognizer_plugins."""
        return tuple(map(self._loaded, self.recognizer_plugins))

    @cached_property
    def recognizer(self) -> Recognizer:
        """The first of the loaded recognizers."""
        return self.recognizers[0]

    @cached_property
    def classifiers(self) -> tuple[AttributeClassifier | CropsClassifier | HeadsClassifier, ...]:
        """The loaded attribute models, in the order of attribute_plugins."""
        return tuple(map(self._loaded, self.attribute_plugins))

    def wait(self) -> None:
        """Return when everything is loaded; raise what a load raised."""
        for plugin in self.plugins:
            self._loaded(plugin)

    def parameters(self, plugin: Plugin) -> dict[str, Any]:
        """Return the parameters that a chosen plugin runs with: its defaults, and the values that replace them."""
        return dict(self._parameters[id(plugin)])

    def changed_crop(self, plugin: Plugin) -> Mapping[str, Any]:
        """Return {"crop": fields} if a plugin gets other crops than its own, else nothing; ready for JSON.

        Of aligned crops that a detector without landmarks leaves to the boxes, "aligned_by" is "bbox".
        """
        if isinstance(plugin, (RecognizerPlugin, AttributePlugin)) and plugin.name in self._boxed:
            return {"crop": {**asdict(plugin.crop), "aligned_by": "bbox"}}
        if isinstance(plugin, RecognizerPlugin) and plugin.name in self._crops:
            return {"crop": asdict(plugin.crop)}
        return {}

    def describe(self, plugin: Plugin) -> dict[str, Any]:
        """Return how a chosen plugin runs, ready for JSON; wait until it is loaded.

        Plugin, parameters, models with sha256 and provider; of a recognizer its preprocessing_version, too.
        """
        self._loaded(plugin)
        description = identity.describe(plugin, self.parameters(plugin), self.loader.runtime, self.store)
        version = (
            {"preprocessing_version": plugin.preprocessing_version} if isinstance(plugin, RecognizerPlugin) else {}
        )
        return {**description, **self.changed_crop(plugin), **version}

    def identity(self, recognizer: RecognizerPlugin) -> dict[str, Any]:
        """Return all that must be equal for a threshold to hold: recognizer and detector as they run, and their files.

        Of the detector's parameters only texts count: a text chooses what runs, such as one of several models; a
        number, such as the smallest face, does not.
        """
        detector = self.detector_plugin
        return {
            "recognizer": recognizer.name,
            "models": self._sha256_of(recognizer),
            "preprocessing_version": recognizer.preprocessing_version,
            "parameters": json_safe(self.parameters(recognizer)),
            "detector": detector and detector.name,
            "detector_models": detector and self._sha256_of(detector),
            "detector_parameters": {k: v for k, v in self.parameters(detector).items() if isinstance(v, str)}
            if detector
            else {},
            **self.changed_crop(recognizer),
        }

    def blame(self, plugin: Plugin, failure: str, error: BaseException) -> PluginError:
        """Return the error for a failure of a chosen plugin's own code; see Loader.blame."""
        return self.loader.blame(plugin, failure, error)

    def _loaded(self, plugin: Plugin) -> Any:
        """Return what a plugin has become; wait for it. Raises what its load raised, and names all absent models."""
        try:
            return self._loading[id(plugin)].result()
        except AbsentModelError as error:
            absent: dict[str, ModelSpec] = {}
            for other in self.plugins:
                if isinstance(self._loading[id(other)].exception(), AbsentModelError):
                    specs = identity.models_in_use(other, self.parameters(other))
                    absent |= {spec.id: spec for spec in specs if self.store.state(spec) != "installed"}
            if len(absent) < 2:
                raise
            from facecli.hosting.neighbours import all_absent

            raise all_absent([*absent.values()]) from error

    def _sha256_of(self, plugin: Plugin) -> list[str | None]:
        return identity.sha256_of(plugin, self.parameters(plugin), self.store)

    def _boxed_users(self) -> tuple[str, ...]:
        """Return the names of the plugins whose crops are aligned by landmarks that the detector does not give."""
        detector = self.detector_plugin
        if detector is None or detector.landmarks:
            return ()
        users: tuple[RecognizerPlugin | AttributePlugin, ...] = (*self.recognizer_plugins, *self.attribute_plugins)
        boxed = tuple(user.name for user in users if any(spec.template is not None for spec in _crops_of(user)))
        if boxed:
            message = f"{detector.name} gives no landmarks: faces for {', '.join(boxed)} are aligned by their boxes"
            warnings.warn(f"{message}, for which the stated accuracy does not hold", AlignmentWarning, stacklevel=3)
        return boxed

    def _check_names(self) -> None:
        attributes = [plugin.attribute for plugin in self.attribute_plugins]
        for plugin in self.attribute_plugins:
            hidden = {plugin.attribute} & {*RECORD_KEYS} | {*plugin.labels} & {*RECORD_KEYS, *attributes}
            if hidden:
                message = f"an attribute or a label of {plugin.name} can not be called {min(hidden)!r}"
                raise PluginError(message, hint="report it to the plugin's authors")


def _crops_of(plugin: RecognizerPlugin | AttributePlugin) -> tuple[CropSpec, ...]:
    return (plugin.crop, *plugin.more_crops) if isinstance(plugin, AttributePlugin) else (plugin.crop,)
