"""A question about every picture of a job as plain values, which travel to workers and can be compared with another."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from facecli.api.faces import Faces
from facecli.api.selection import Request
from facecli.contract import RecognizerPlugin
from facecli.contract.plugin import Plugin
from facecli.hosting.identity import models_in_use, sha256_of
from facecli.hosting.loader import Loader
from facecli.hosting.parameters import json_safe
from facecli.hosting.registry import Registry
from facecli.hosting.toolbox import Toolbox
from facecli.models.store import ModelStore
from facecli.pipeline.flow import Flow

# Settings of Faces that change no row: where and how much at once.
_NO_MATTER = ("device", "tuning", "timeout", "batch_size", "detector", "recognizer", "parameters")


@dataclass(frozen=True, slots=True)
class Query:
    """A question about each face of each picture.

    command: such as "embed". settings: keyword arguments of Faces. request: with names of attributes resolved. face:
    the choice among a picture's faces. need_face: a picture without a face is a failure. jobs: batches that a worker
    has at work at once. folder: that relative names start from. third_party, offline: of plugins and models.
    """

    command: str
    settings: Mapping[str, Any]
    request: Request
    face: str = "all"
    need_face: bool = False
    jobs: int = 1
    folder: str = ""
    third_party: bool = True
    offline: bool | None = None

    def open(self, threads: int) -> Faces:
        """Return the Faces of a worker, in the folder that names start from; nothing is loaded yet."""
        if self.folder:
            with suppress(OSError):  # another machine need not have it; a relative name is then not found
                os.chdir(self.folder)
        registry, store = Registry(third_party=self.third_party), ModelStore(offline=self.offline)
        return Faces(**self.settings, threads=threads, jobs=self.jobs, registry=registry, store=store)

    def flow(self, faces: Faces) -> Flow:
        """Return the settings of the river."""
        return faces.engine.flow(self.request, self.face, need_face=self.need_face)

    def identity(self) -> dict[str, Any]:
        """Return all that decides what a row says, ready for JSON; no model is loaded for it.

        Raises PluginError and UsageError for what does not fit, ModelError for a model that is not installed here.
        """
        registry, store = Registry(third_party=self.third_party), ModelStore(offline=self.offline)
        faces = Faces(**self.settings, registry=registry, store=store)
        choice = faces.engine.selection.choice(self.request, registry, strict=True)
        tools = Toolbox(choice, _IdleLoader(registry, store, device="cpu", threads=1))
        self.request.check(tools)
        for plugin in tools.plugins:
            for spec in models_in_use(plugin, tools.parameters(plugin)):
                for file in spec.files:
                    store.path(spec, file.name)
        return {
            "command": self.command,
            "detector": _described(tools, store, tools.detector_plugin),
            "recognizer": _described(tools, store, tools.recognizer_plugin),
            "attributes": {plugin.name: _described(tools, store, plugin) for plugin in tools.attribute_plugins},
            "measures": list(self.request.measures),
            "face": self.face,
            "need_face": self.need_face,
            **{name: json_safe(value) for name, value in self.settings.items() if name not in _NO_MATTER},
        }


class _IdleLoader(Loader):
    """Loads nothing: a Toolbox on it knows what descriptors tell."""

    def start(self, plugin: Plugin, parameters: Mapping[str, Any]) -> Future[Any]:  # noqa: ARG002
        """Return what never comes."""
        return Future()


def _described(tools: Toolbox, store: ModelStore, plugin: Plugin | None) -> dict[str, Any] | None:
    if plugin is None:
        return None
    parameters = tools.parameters(plugin)
    described: dict[str, Any] = {
        "plugin": plugin.name,
        "parameters": json_safe(parameters),
        "sha256": sha256_of(plugin, parameters, store),
        **tools.changed_crop(plugin),
    }
    if isinstance(plugin, RecognizerPlugin):
        described["preprocessing_version"] = plugin.preprocessing_version
    return described
