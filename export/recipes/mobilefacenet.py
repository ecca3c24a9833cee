"""Recipes `mobilefacenet` and `mobilefacenet-112x96`: two published MobileFaceNets."""

from __future__ import annotations

from typing import Any

from facecli.contract import ExportRecipe, hookimpl
from facecli.export.recipes.crop_networks import CropNetwork


def _foamliu() -> Any:
    from facecli.export.networks.mobilefacenet import MobileFaceNet

    return MobileFaceNet()


def _xiaoccer() -> Any:
    from facecli.export.networks.mobilefacenet import MobileFaceNet96

    return MobileFaceNet96()


# The tolerance is 1e-4, because embeddings have lengths around 10: rounding errors are that much larger, too.
NETWORKS = (
    CropNetwork(
        name="mobilefacenet",
        summary="foamliu's MobileFaceNet, 128-d embeddings of 112x112 crops",
        build=_foamliu,
        height=112,
        width=112,
        mean=(123.675, 116.28, 103.53),
        std=(58.395, 57.12, 57.375),
        output="embeddings",
        task="embedding",
        licence="Apache-2.0",
        weights="weights/mobilefacenet.pt of github.com/foamliu/MobileFaceNet",
        tolerance=1e-4,
    ),
    CropNetwork(
        name="mobilefacenet-112x96",
        summary="Xiaoccer's MobileFaceNet, 128-d embeddings of crops 112 high and 96 wide",
        build=_xiaoccer,
        height=112,
        width=96,
        mean=127.5,
        std=128.0,
        output="embeddings",
        task="embedding",
        licence="none stated",
        weights="model/best/068.ckpt of github.com/Xiaoccer/MobileFaceNet_Pytorch",
        tolerance=1e-4,
    ),
)


@hookimpl
def facecli_export_recipes() -> list[ExportRecipe]:
    """Return both recipes."""
    return [network.recipe() for network in NETWORKS]
