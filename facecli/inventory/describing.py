"""The description of a user's model: the user's statements before those of the file's metadata, and mild defaults."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from facecli.errors import UsageError

# Crops that many models share -> a model of the catalogue that has the crop.
CROPS = {"arcface": "mobilefacenet", "dlib": "dlib-resnet"}
# Fields of an entry that a model of each kind can not do without.
NEEDS = {"recognizer": ("crop", "dim"), "attribute": ("crop", "attribute"), "detector": ("family",)}
ARTICLES = {"recognizer": "a", "attribute": "an", "detector": "a"}
FLAGS = ("square", "normalized", "logits")  # fields of a description that state something if they are True
# Fields of a description that become parts of a ModelSpec's crop, preprocessing and operating point.
PARTS = ("crop", "size", "margin", "square", "colour", "mean", "std", "layout", "metric", "threshold")


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """A user's statements about a model. A field that is None, empty or False states nothing.

    kind: detector, recognizer or attribute. family: of a detector, the detector whose outputs its file has. crop:
    "bbox", a name of CROPS, or a model that has the crop. size: (width, height) of a bbox crop, px. margin, square: of
    a bbox crop, as in CropSpec. colour, mean, std, layout: as in Preprocessing. dim, normalized: of the embeddings.
    metric, threshold: the operating point. attribute, labels, logits, and the rest: as in ModelSpec.
    """

    kind: str | None = None
    family: str | None = None
    crop: str | None = None
    size: tuple[int, int] | None = None
    margin: float | None = None
    square: bool = False
    colour: str | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    layout: str | None = None
    dim: int | None = None
    normalized: bool = False
    metric: str | None = None
    threshold: float | None = None
    attribute: str | None = None
    labels: tuple[str, ...] = ()
    logits: bool = False
    summary: str | None = None
    licence: str | None = None
    commercial_use: bool | None = None
    source: str | None = None

    @property
    def statements(self) -> dict[str, Any]:
        """The fields that state something, with their values."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        unset = {flag for flag in FLAGS if not values[flag]}
        return {name: value for name, value in values.items() if not (value is None or value == () or name in unset)}


def merged(metadata: Mapping[str, Any], description: ModelDescription) -> dict[str, Any]:
    """Return a catalogue entry: the facts of a file's metadata, replaced by the user's statements.

    Raises UsageError for statements about the crop that do not go together, and for the crop of no model.
    """
    entry, statements = dict(metadata), description.statements
    if crop := _crop(description):
        entry["crop"] = crop
    preprocessing = {key: statements[key] for key in ("colour", "mean", "std", "layout") if key in statements}
    if preprocessing:
        entry["preprocessing"] = {**_table(entry.get("preprocessing")), **preprocessing}
    point = {key: statements[key] for key in ("metric", "threshold") if key in statements}
    if point:  # the rates of the file's own point were measured with another threshold
        stated = _table(entry.get("operating_point"))
        kept = {key: stated[key] for key in ("metric", "threshold") if key in stated}
        entry["operating_point"] = {**kept, **point, "source": "given by the user"}
    return entry | {key: value for key, value in statements.items() if key not in PARTS}


def require_complete(entry: Mapping[str, Any]) -> None:
    """Raise UsageError that names every setting which an entry still lacks, all at once.

    Of an entry without a kind, what each kind would need is named.
    """
    needed, about = lacking(entry)
    if needed:
        raise UsageError(f"too little is known of {entry['id']}", hint=f"add {needed}", about=about)


def lacking(entry: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return the settings that an entry still lacks, as a hint names them, and their names; "" if it lacks none."""
    kinds = [entry["kind"]] if entry.get("kind") else NEEDS
    of_kinds = {kind: _absent({**entry, "kind": kind}) for kind in kinds}
    shared = [name for name in next(iter(of_kinds.values())) if all(name in names for names in of_kinds.values())]
    first = [*([] if entry.get("kind") else ["kind"]), *shared]
    own = {kind: rest for kind, names in of_kinds.items() if (rest := [name for name in names if name not in shared])}
    parts = [_listed(first)] if first else []
    parts += [f"for {ARTICLES[kind]} {kind} {_listed(names)}" for kind, names in own.items()]
    return "; ".join(parts), (*first, *(name for names in own.values() for name in names))


def _listed(settings: Iterable[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in settings)


def _absent(entry: Mapping[str, Any]) -> list[str]:
    """Return the settings without which a model of the entry's kind can not run."""
    preprocessing, point = _table(entry.get("preprocessing")), _table(entry.get("operating_point"))
    kind = entry["kind"]
    absent = [name for name in NEEDS.get(kind, ()) if not entry.get(name)]
    absent += [name for name in ("colour", "mean", "std") if name not in preprocessing]
    if kind == "recognizer":
        absent += [name for name in ("metric", "threshold") if name not in point]
    return absent


def fill(entry: dict[str, Any]) -> None:
    """Fill in defaults that claim nothing: a summary from the id, "not stated" for licence and source."""
    entry.setdefault("summary", f"{entry['id']}, added by the user")
    for text in ("licence", "source"):
        entry.setdefault(text, "not stated")
    entry.setdefault("commercial_use", False)


def _crop(description: ModelDescription) -> dict[str, Any] | None:
    """Return the fields of the CropSpec that a description states, None if it states none."""
    from facecli.models import catalogue

    of_bbox = {key: value for key, value in description.statements.items() if key in ("size", "margin", "square")}
    crop = description.crop
    if crop != "bbox" and of_bbox:
        message = "{size}, {margin} and {square} are for {crop} bbox"
        raise UsageError(message, hint="add it", about=("size", "margin", "square", "crop"))
    if not crop:
        return None
    if crop == "bbox":
        if description.size is None:
            raise UsageError("{crop} bbox needs a size", hint="add {size} WxH", about=("crop", "size"))
        width, height = description.size
        return {"width": width, "height": height} | {key: of_bbox[key] for key in of_bbox if key != "size"}
    known = CROPS.get(crop, crop)
    spec = catalogue.load(known).crop if known in catalogue.model_ids() else None
    if spec is None:
        of_size = re.fullmatch(r"\d+x\d+", crop)
        hint = (
            f"a size is {{crop}} bbox {{size}} {crop}" if of_size else f"it is {', '.join(CROPS)}, bbox or such a model"
        )
        raise UsageError(f"{{crop}} {crop} is no model that faces are cut for", hint=hint, about=("crop", "size"))
    return dataclasses.asdict(spec)


def _table(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}
