"""The licences that travel with a bundle's models."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.models.catalogue import PACKAGE

if TYPE_CHECKING:
    from facecli.contract import ModelSpec

CARDS = PACKAGE / "cards"
TEXTS = Path(__file__).parent / "texts"  # those that read the same whoever grants them, by SPDX id
OWN = "Apache-2.0"  # of the runners and the page
WEB = "onnxruntime-web"
HEAD = """# Licences

The runners and the page are facecli's, under Apache-2.0 ([text](Apache-2.0.txt)). ONNX Runtime for browsers is
Microsoft's, under the MIT licence ([text](onnxruntime-web.txt)). The models have licences of their own:

| model | licence | commercial use | text | source | training data |
|---|---|---|---|---|---|
"""


def write_licences(specs: Sequence[ModelSpec], folder: Path) -> None:
    """LICENCES.md with a row for each model, and every licence text that facecli has."""
    folder.mkdir()
    for name in (OWN, WEB):
        shutil.copyfile(TEXTS / f"{name}.txt", folder / f"{name}.txt")
    rows = [_row(spec, _text(spec, folder)) for spec in specs]
    (folder / "LICENCES.md").write_text(HEAD + "\n".join(rows) + "\n", "utf-8")


def _text(spec: ModelSpec, folder: Path) -> str | None:
    """Copy a model's licence text; its name there, None where facecli has none."""
    card = CARDS / f"LICENSE-{spec.id.replace('/', '-')}"
    if card.is_file():
        shutil.copyfile(card, folder / card.name)
        return card.name
    common = TEXTS / f"{spec.licence}.txt"
    if common.is_file():
        shutil.copyfile(common, folder / common.name)
        return common.name
    return None


def _row(spec: ModelSpec, text: str | None) -> str:
    linked = f"[{text}]({text})" if text else "see its source"
    commercial = "yes" if spec.commercial_use else "**no**"
    cells = (spec.id, spec.licence, commercial, linked, spec.source, spec.training_data or "not stated")
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
