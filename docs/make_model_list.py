"""Writes docs/model-list.md from the catalogue: python docs/make_model_list.py

tests/models/test_catalogue.py makes the page again and compares.
"""

from __future__ import annotations

import sys
from pathlib import Path

from facecli.contract import ModelSpec
from facecli.models import catalogue

PAGE = Path(__file__).with_name("model-list.md")
HEAD = """\
# The models that facecli knows

Made by `docs/make_model_list.py` from the catalogue; do not edit. How to get them is in [models.md](models.md);
`facecli models info NAME` tells more of each.

A licence is what the publisher of the file states for it. It does not speak for the pictures that the model was trained
on.
"""
KINDS = {
    "detector": "Detectors",
    "recognizer": "Recognizers",
    "attribute": "Attributes",
    "weights": "Weights that recipes export",
}


def page() -> str:
    """The whole page."""
    specs = [catalogue.load(model_id) for model_id in catalogue.model_ids()]
    parts = [HEAD]
    for kind, title in KINDS.items():
        rows = [_row(spec) for spec in specs if spec.kind == kind]
        if rows:
            head = "| model | what | MB | licence | commercial use | comes by | trained on |\n|---|---|---|---|---|---|---|"
            parts.append("\n".join([f"## {title}\n", head, *rows, ""]))
    return "\n".join(parts)


def _row(spec: ModelSpec) -> str:
    sizes = [file.size for file in spec.files]
    size = "" if None in sizes else f"{sum(size or 0 for size in sizes) / 1e6:.1f}"
    licence = f"[{spec.licence}]({spec.licence_url})" if spec.licence_url else spec.licence
    allowed = "yes" if spec.commercial_use else "**no**"
    cells = [f"`{spec.id}`", spec.summary, size, licence, allowed, _way(spec), spec.training_data or "not stated"]
    return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"


def _way(spec: ModelSpec) -> str:
    if all(file.path for file in spec.files):
        return "the wheel"
    packed = sorted({archive.name for file in spec.files for archive, _ in file.packed})
    if all(file.urls or file.packed for file in spec.files):
        unpinned = any(file.sha256 is None for file in spec.files)
        where = f" (in {', '.join(packed)})" if packed else " (no hash is published)" if unpinned else ""
        return f"`models pull`{where}"
    return "an export"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    sys.stderr.write(f"wrote {PAGE}\n")
