"""The recognizers of this machine as witnesses: none of them may know a face that was covered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from facecli.api.engine import Engine
from facecli.api.selection import Request
from facecli.errors import PluginError

if TYPE_CHECKING:
    from facecli.anonymise.proof import Proof
    from facecli.hosting.toolbox import Toolbox


def witnesses_of(engine: Engine) -> Toolbox:
    """Return all recognizers whose models are here."""
    from facecli.contract import RecognizerPlugin
    from facecli.hosting.identity import models_in_use

    registry, store = engine.loader.registry, engine.loader.store
    names = []
    for name in registry.names("recognizers"):
        try:
            plugin = registry.load("recognizers", name, RecognizerPlugin)
        except PluginError:  # `plugins list` tells of it
            continue
        if all(store.state(spec) == "installed" for spec in models_in_use(plugin, plugin.parameters)):
            names.append(name)
    selection = replace(engine.selection, recognizers=tuple(names), preset=None, flip=False)
    return engine.choosing(selection).tools(Request(embed=True, ensemble=True), strict=False)


def proof_by(witnesses: Toolbox, engine: Engine) -> Proof:
    """Return a proof about one file, in which each witness decides at its own operating point."""
    from facecli.anonymise.proof import Proof
    from facecli.matching.rules import DecisionRequest, rules_for
    from facecli.pipeline.stages import Stages

    return Proof(Stages(witnesses, engine.flow(Request(), "all")), rules_for(witnesses, DecisionRequest()))
