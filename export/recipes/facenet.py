"""Recipes `facenet-vggface2` and `facenet-casia`: facenet-pytorch's InceptionResnetV1, from its release files."""

from __future__ import annotations

from facecli.contract import ExportRecipe, hookimpl
from facecli.export.recipes.crop_networks import CropNetwork


def _build() -> object:
    from facecli.export.networks.facenet import inception_resnet

    return inception_resnet()


def _network(data: str, file: str) -> CropNetwork:
    return CropNetwork(
        name=f"facenet-{data}",
        summary=f"FaceNet trained on {data}, 512-d embeddings of 160x160 crops, from facenet-pytorch's release",
        build=_build,
        height=160,
        width=160,
        mean=127.5,
        std=128.0,
        output="embeddings",
        task="embedding",
        licence="MIT",
        weights=f"{file} of github.com/timesler/facenet-pytorch/releases/tag/v2.2.9",
        spare=("logits",),
    )


@hookimpl
def facecli_export_recipes() -> list[ExportRecipe]:
    """Return both recipes, one per training data set."""
    names = (("vggface2", "20180402-114759-vggface2.pt"), ("casia", "20180408-102900-casia-webface.pt"))
    return [_network(data, file).recipe() for data, file in names]
