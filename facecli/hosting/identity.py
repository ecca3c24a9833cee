"""Describes plugins as they run: for output, and to tell whether two runs can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from facecli.contract import ModelSpec
from facecli.contract.plugin import Plugin
from facecli.hosting.parameters import json_safe
from facecli.inference.runtime import OnnxRuntime
from facecli.models.store import ModelStore


def describe(plugin: Plugin, parameters: Mapping[str, Any], runtime: OnnxRuntime, store: ModelStore) -> dict[str, Any]:
    """Return plugin, parameters, and the models with their sha256 and the providers that run them, ready for JSON.

    Of a plugin that can work with several models these are the models that it has opened; all of them if none is open.
    """
    used = [spec for spec in plugin.models if runtime.sessions_of(spec.id)] or list(plugin.models)
    return {
        "plugin": plugin.name,
        "parameters": json_safe(parameters),
        "models": [_describe_model(spec, runtime, store) for spec in used],
    }


def models_in_use(plugin: Plugin, parameters: Mapping[str, Any]) -> Sequence[ModelSpec]:
    """Return the models that a plugin runs: of several those that a parameter names, as `scrfd.model=10g` does."""
    names = {f"{plugin.name}/{value}" for value in parameters.values() if isinstance(value, str)}
    return [spec for spec in plugin.models if spec.id in names] or plugin.models


def sha256_of(plugin: Plugin, parameters: Mapping[str, Any], store: ModelStore) -> list[str | None]:
    """Return the sha256 of each file of the models that a plugin runs."""
    specs = models_in_use(plugin, parameters)
    return [store.file(spec, file.name).sha256 for spec in specs for file in spec.files]


def _describe_model(spec: ModelSpec, runtime: OnnxRuntime, store: ModelStore) -> dict[str, Any]:
    files = [store.file(spec, file.name) for file in spec.files]
    providers = {session.provider for session in runtime.sessions_of(spec.id).values()}
    return {
        "id": spec.id,
        "files": [{"name": file.name, "sha256": file.sha256} for file in files],
        "licence": spec.licence,
        "provider": ", ".join(sorted(providers)) or None,
    }
