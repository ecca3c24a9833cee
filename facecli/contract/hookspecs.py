"""The hooks that a plugin module may implement, one per entry-point group.

name: the entry point that is asked for. A module that has many may give that one alone; one that has few leaves the
argument out and gives them all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import click

    from facecli.contract.attribute import AttributePlugin
    from facecli.contract.detector import DetectorPlugin
    from facecli.contract.recipe import ExportRecipe
    from facecli.contract.recognizer import RecognizerPlugin

hookspec = pluggy.HookspecMarker("facecli")


@hookspec
def facecli_detectors(name: str) -> Iterable[DetectorPlugin]:  # type: ignore[empty-body]
    """Detectors; the entry point in group `facecli.detectors` has the detector's name."""


@hookspec
def facecli_recognizers(name: str) -> Iterable[RecognizerPlugin]:  # type: ignore[empty-body]
    """Recognizers; the entry point in group `facecli.recognizers` has the recognizer's name."""


@hookspec
def facecli_attributes(name: str) -> Iterable[AttributePlugin]:  # type: ignore[empty-body]
    """Attribute models; the entry point in group `facecli.attributes` has the model's name, such as `emotion/x`."""


@hookspec
def facecli_export_recipes(name: str) -> Iterable[ExportRecipe]:  # type: ignore[empty-body]
    """Export recipes; the entry point in group `facecli.recipes` has the recipe's name."""


@hookspec
def facecli_commands(group: click.Group) -> None:
    """Add a command to the `facecli` group; the entry point in group `facecli.commands` has the command's name."""
