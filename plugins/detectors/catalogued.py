"""Detectors that a user has added: any file whose outputs have the layout of a family here."""

from __future__ import annotations

from collections.abc import Iterable

from facecli.contract import DetectorPlugin, hookimpl
from facecli.errors import ModelError
from facecli.models import catalogue
from facecli.plugins.detectors import retinaface, scrfd, yolov5_face, yolov8_face, yunet
from facecli.plugins.single_shot.plugin import model_plugin

FAMILIES = {module.FAMILY.name: module.FAMILY for module in (scrfd, retinaface, yunet, yolov8_face, yolov5_face)}


@hookimpl
def facecli_detectors(name: str) -> Iterable[DetectorPlugin]:
    """Yield the user's detector of this name. Raises ModelError if its family is not known here."""
    spec = catalogue.load(name)
    family = FAMILIES.get((spec.family or "").partition("/")[0])
    if family is None:
        raise ModelError(f"no detector here is called {spec.family}, the family of {name}", hint="add it again")
    yield model_plugin(family, spec)
