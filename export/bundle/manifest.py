"""The manifest of a bundle: models, crops, preprocessing, labels, operating points, licences, hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.errors import ExportError
from facecli.version import __version__

if TYPE_CHECKING:
    from facecli.contract import ModelSpec

SCHEMA = "facecli.bundle/1"
CASCADE = "mtcnn"  # the one detector whose decoding is in the runners' code; all others have it in their graph
CROP_KEYS = ("width", "height", "template", "margin", "square")  # the fields of a CropSpec that the runners read


@dataclass(frozen=True, slots=True)
class Member:
    """A model of a bundle.

    files: where its files lie now. names: their names in the bundle. parameters: a detector's. embedded: True if its
    preprocessing is in the graph. labels: for an embedded attribute model, the labels of its columns.
    """

    spec: ModelSpec
    files: tuple[Path, ...]
    names: tuple[str, ...]
    parameters: Mapping[str, Any]
    embedded: bool = False
    labels: tuple[str, ...] = ()


def describe(members: Sequence[Member], web: dict[str, str], texts: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the manifest of a detector, a recognizer and attribute models, in this order.

    web: the npm package that runs the models in a browser, its version, and the folder of its files. texts: model id ->
    paths of its licence texts in the bundle.
    """
    detector, recognizer, *attributes = members
    return {
        "schema": SCHEMA,
        "version": __version__,
        "detector": _detector(detector),
        "recognizer": _recognizer(recognizer),
        "attributes": [_attribute(member) for member in attributes],
        "licences": [_licence(member.spec) | {"texts": list(texts[member.spec.id])} for member in members],
        "web": web,
    }


def check(spec: ModelSpec) -> None:
    """Raise ExportError for a model that the runners could not run as facecli does."""
    if spec.kind == "detector":
        return
    if len(spec.files) != 1:
        raise ExportError(f"{spec.id} can not be bundled: it is {len(spec.files)} networks")
    if spec.crop is None or spec.preprocessing is None:
        raise ExportError(f"{spec.id} can not be bundled: its catalogue entry states no crop and preprocessing")
    odd = [f for f in fields(spec.crop) if f.name not in CROP_KEYS and getattr(spec.crop, f.name) != f.default]
    if odd:
        fields_text = ", ".join(f"{f.name} = {getattr(spec.crop, f.name)}" for f in odd)
        raise ExportError(f"{spec.id} can not be bundled: the runners do not cut crops with {fields_text}")
    if spec.kind == "recognizer" and spec.operating_point is None:
        raise ExportError(f"{spec.id} can not be bundled: no threshold is known for it")


def _detector(member: Member) -> dict[str, Any]:
    kind = "graph" if member.embedded else CASCADE
    return {"id": member.spec.id, "kind": kind, "files": _files(member), "parameters": dict(member.parameters)}


def _recognizer(member: Member) -> dict[str, Any]:
    spec = member.spec
    assert spec.operating_point is not None  # check() refuses other recognizers
    # An embedded network scales to length 1 in its graph; that the runner does so again changes nothing.
    point = {key: value for key, value in asdict(spec.operating_point).items() if key != "cohort"}
    more = {"dim": spec.dim, "normalized": spec.normalized, "operating_point": point}
    return _crop_model(member) | more


def _attribute(member: Member) -> dict[str, Any]:
    spec = member.spec
    logits = spec.logits and not member.embedded
    labels = list(member.labels if member.embedded else spec.labels)
    return _crop_model(member) | {"attribute": spec.attribute, "labels": labels, "logits": logits}


def _crop_model(member: Member) -> dict[str, Any]:
    spec = member.spec
    assert spec.crop is not None and spec.preprocessing is not None
    crop = {key: value for key, value in asdict(spec.crop).items() if key in CROP_KEYS}
    preprocessing = None if member.embedded else asdict(spec.preprocessing)
    return {
        "id": spec.id,
        "file": _files(member)[0],
        "crop": crop,
        "preprocessing": preprocessing,
        "preprocessing_version": spec.preprocessing.version,
    }


def _files(member: Member) -> list[dict[str, Any]]:
    return [_file(path, name) for path, name in zip(member.files, member.names, strict=True)]


def _file(path: Path, name: str) -> dict[str, Any]:
    content = path.read_bytes()
    return {"path": f"models/{name}", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _licence(spec: ModelSpec) -> dict[str, Any]:
    keys = ("id", "licence", "licence_url", "commercial_use", "source", "training_data")
    return {key: getattr(spec, key) for key in keys}
