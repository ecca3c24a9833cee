"""Statements about a model that stand in several places: a plugin's descriptor, its ModelSpec, the file itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from facecli.contract import AttributePlugin, ModelSpec, RecognizerPlugin
from facecli.contract.plugin import Plugin

if TYPE_CHECKING:
    from facecli.contract import Session

Shape = tuple[int | None, ...]


def contradictions(plugin: Plugin) -> Iterator[str]:
    """Yield where the models of a descriptor say another thing than the descriptor. A fact left out says nothing.

    Detectors share no facts with their models.
    """
    for spec in plugin.models:
        if isinstance(plugin, RecognizerPlugin):
            yield from _recognizer(plugin, spec, alone=len(plugin.models) == 1)
        elif isinstance(plugin, AttributePlugin):
            yield from _attribute(plugin, spec)


def input_shape(spec: ModelSpec, count: int | None = None) -> Shape | None:
    """Return the shape of the input that a model's crop and preprocessing make of `count` crops, None if not stated."""
    if spec.crop is None or spec.preprocessing is None:
        return None
    channels = 1 if spec.preprocessing.colour == "grey" else 3
    sides = (spec.crop.height, spec.crop.width)
    return (count, channels, *sides) if spec.preprocessing.layout == "NCHW" else (count, *sides, channels)


def misfit(spec: ModelSpec, session: Session) -> str | None:
    """Return how the only input of a model's file differs from the crop and preprocessing that are stated, or None.

    A file with several inputs, and a model whose crop or preprocessing is not stated, can not be judged.
    """
    stated, shapes = input_shape(spec), list(session.input_shapes.values())
    if stated is None or len(shapes) != 1 or agree(shapes[0], stated):
        return None
    return f"takes {shown(shapes[0])}, its description makes {shown(stated)}"


def agree(shape: Shape, other: Shape) -> bool:
    """Return whether two shapes can be one; None, a free axis, agrees with any length."""
    return len(shape) == len(other) and all(None in (a, b) or a == b for a, b in zip(shape, other, strict=True))


def _recognizer(plugin: RecognizerPlugin, spec: ModelSpec, *, alone: bool) -> Iterator[str]:
    if spec.crop not in (None, plugin.crop):
        yield f"model {spec.id} states another crop than the recognizer"
    if alone and spec.dim not in (None, plugin.dim):  # several models may be joined to one embedding
        yield f"model {spec.id} states dim={spec.dim}, the recognizer {plugin.dim}"
    if alone and spec.normalized and not plugin.normalized:
        yield f"model {spec.id} states normalized=True, the recognizer False"


def _attribute(plugin: AttributePlugin, spec: ModelSpec) -> Iterator[str]:
    if spec.crop not in (None, plugin.crop, *plugin.more_crops):
        yield f"model {spec.id} states another crop than the attribute model"
    if spec.attribute not in (None, plugin.attribute):
        yield f"model {spec.id} states the attribute {spec.attribute}, the plugin {plugin.attribute}"
    if spec.labels and set(spec.labels) != set(plugin.labels):
        yield f"model {spec.id} states other labels than the plugin"


def shown(shape: Shape) -> str:
    """Return a shape in words, N for a free axis."""
    return f"({', '.join('N' if length is None else str(length) for length in shape)})"
