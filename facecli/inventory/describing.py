"""TODO: facecli.inventory.describing."""

from __future__ import annotations

from typing import Any

# Names for crops that many models share: the catalogue's models that have them.
CROPS = {"arcface": "mobilefacenet", "dlib": "dlib-resnet"}


def described(said: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """What the file says, with what the options say instead."""
    from facecli.errors import UsageError
    from facecli.models import catalogue

    entry = dict(said)
    crop = given.pop("crop", None)
    if crop != "bbox" and {"size", "margin", "square"} & set(given):
        raise UsageError("--size, --margin and --square are for --crop bbox", hint="add it")
    if crop:
        if crop == "bbox":
            if "size" not in given:
                raise UsageError("--crop bbox needs a size", hint="add --size WxH")
            width, height = given["size"]
            entry["crop"] = {"width": width, "height": height}
            entry["crop"] |= {key: given[key] for key in ("margin", "square") if key in given}
        else:
            import dataclasses

            like = catalogue.load(CROPS.get(crop, crop)).crop
            if like is None:
                raise UsageError(f"{crop} has no crop", hint="choose another --crop")
            entry["crop"] = dataclasses.asdict(like)
    for key in ("size", "margin", "square"):
        given.pop(key, None)
    how = {key: given.pop(key) for key in ("colour", "mean", "std", "layout") if key in given}
    if how:
        entry["preprocessing"] = {**_table(entry.get("preprocessing")), **how}
    point = {key: given.pop(key) for key in ("metric", "threshold") if key in given}
    if point:  # what was measured belongs to the file's own point
        old = {
            key: value for key, value in _table(entry.get("operating_point")).items() if key in ("metric", "threshold")
        }
        entry["operating_point"] = {**old, **point, "source": "given by the user"}
    return entry | given


def _table(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}


def fill(entry: dict[str, Any]) -> None:
    """Say what nobody has said, where nothing is guessed by it."""
    entry.setdefault("summary", f"{entry['id']}, added by the user")
    for text in ("licence", "source"):
        entry.setdefault(text, "not stated")
    entry.setdefault("commercial_use", False)
