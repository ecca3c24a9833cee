"""Detectors that a user has added: a file whose outputs one of the families here reads."""

from __future__ import annotations

from collections.abc import Iterable

from facecli.contract import DetectorPlugin, hookimpl
from facecli.errors import ModelError
from facecli.models import catalogue
from facecli.plugins.detectors import retinaface, scrfd, yolov5_face, yolov8_face, yunet

FAMILIES = {module.FAMILY.name: module.FAMILY for module in (scrfd, retinaface, yunet, yolov8_face, yolov5_face)}


@hookimpl
def facecli_detectors(name: str) -> Iterable[DetectorPlugin]:
    """The user's detector of this name."""
    spec = catalogue.load(name)
    family = FAMILIES.get((spec.family or "").partition("/")[0])
    if family is None:
        raise ModelError(f"no detector here is called {spec.family}, the family of {name}", hint="add it again")
    yield family.plugin_of(spec)
