"""Recipes `arcface-iresnet18`, `-34`, `-50` and `-100`: insightface's arcface_torch states."""

from __future__ import annotations

from functools import partial
from typing import Any

from facecli.contract import ExportRecipe, hookimpl
from facecli.export.recipes.crop_networks import CropNetwork


def _build(depth: int) -> Any:
    from facecli.export.networks.iresnet import DEPTHS, IResNet

    return IResNet(DEPTHS[depth])


def _network(depth: int) -> CropNetwork:
    return CropNetwork(
        name=f"arcface-iresnet{depth}",
        summary=f"ArcFace's IResNet-{depth}, 512-d embeddings of 112x112 crops, from an arcface_torch state",
        build=partial(_build, depth),
        height=112,
        width=112,
        mean=127.5,
        std=127.5,
        output="embeddings",
        task="embedding",
        licence="InsightFace non-commercial research",
        weights="backbone.pth of insightface's arcface_torch",
        tolerance=1e-4,
    )


@hookimpl
def facecli_export_recipes() -> list[ExportRecipe]:
    """Return one recipe per depth of the network."""
    return [_network(depth).recipe() for depth in (18, 34, 50, 100)]
