"""Recipes `minifasnet-v2` and `minifasnet-v1se`: the anti-spoofing networks of Silent-Face-Anti-Spoofing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from facecli.contract import ExportRecipe, hookimpl
from facecli.export.recipes.crop_networks import CropNetwork


def _v2() -> Any:
    from facecli.export.networks import minifasnet

    return minifasnet.MiniFASNet(minifasnet.V2)


def _v1se() -> Any:
    from facecli.export.networks import minifasnet

    return minifasnet.MiniFASNet(minifasnet.V1SE)


def _summed(network: Any) -> Any:
    from facecli.export.networks.prelu import summed

    return summed(network)


def _network(version: str, build: Callable[[], Any], file: str) -> CropNetwork:
    return CropNetwork(
        name=f"minifasnet-{version.lower()}",
        summary=f"MiniFASNet {version}, logits of three classes (1 is a real face) of 80x80 crops",
        build=build,
        height=80,
        width=80,
        mean=0.0,
        std=1.0,
        output="logits",
        task="classification",
        licence="Apache-2.0",
        weights=f"resources/anti_spoof_models/{file} of github.com/minivision-ai/Silent-Face-Anti-Spoofing",
        tolerance=1e-4,
        exported=_summed,
    )


NETWORKS = (
    _network("V2", _v2, "2.7_80x80_MiniFASNetV2.pth"),
    _network("V1SE", _v1se, "4_0_0_80x80_MiniFASNetV1SE.pth"),
)


@hookimpl
def facecli_export_recipes() -> list[ExportRecipe]:
    """Return both recipes."""
    return [network.recipe() for network in NETWORKS]
