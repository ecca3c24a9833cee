"""The licences that travel with a bundle's models."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.models.catalogue import PACKAGE

if TYPE_CHECKING:
    from facecli.contract import ModelSpec

CARDS = PACKAGE / "cards"
TEXTS = Path(__file__).parent / "texts"  # by SPDX id
NAMED = ("MIT",)  # licences whose text begins with who grants them; the others read the same for all
PROJECT = re.compile(r"github\.com/[\w.-]+/[\w-]+(?:\.[\w-]+)*")
OWN = "Apache-2.0"  # of the runners and the page
WEB = "onnxruntime-web"
HEAD = """# Licences

The runners and the page are facecli's, under Apache-2.0 ([text](Apache-2.0.txt)). ONNX Runtime for browsers is
Microsoft's, under the MIT licence ([text](onnxruntime-web.txt)). The models have licences of their own:

| model | licence | commercial use | text | source | training data |
|---|---|---|---|---|---|
"""


def write_licences(specs: Sequence[ModelSpec], folder: Path) -> dict[str, list[str]]:
    """LICENCES.md with a row for each model, and their texts; model id -> its texts, as FOLDER/NAME."""
    folder.mkdir()
    for name in (OWN, WEB):
        shutil.copyfile(TEXTS / f"{name}.txt", folder / f"{name}.txt")
    texts = {spec.id: _texts(spec, folder) for spec in specs}
    rows = [_row(spec, texts[spec.id]) for spec in specs]
    (folder / "LICENCES.md").write_text(HEAD + "\n".join(rows) + "\n", "utf-8")
    return {model: [f"{folder.name}/{name}" for name in names] for model, names in texts.items()}


def _texts(spec: ModelSpec, folder: Path) -> list[str]:
    """Write a model's licence texts: its publisher's own, and that of the licence where the first is not it."""
    card, common = CARDS / f"LICENSE-{spec.id.replace('/', '-')}", TEXTS / f"{spec.licence}.txt"
    names = []
    if card.is_file():
        shutil.copyfile(card, folder / card.name)
        names.append(card.name)
    if spec.licence in NAMED and not names:
        name = f"{spec.licence}-{spec.id.replace('/', '-')}.txt"
        (folder / name).write_text(common.read_text("utf-8").format(copyright=_copyright(spec)), "utf-8")
        names.append(name)
    elif spec.licence not in NAMED and common.is_file():
        shutil.copyfile(common, folder / common.name)
        names.append(common.name)
    return names


def _copyright(spec: ModelSpec) -> str:
    """The lines of all projects that the model is from, or that they are not known."""
    known = tomllib.loads((TEXTS / "holders.toml").read_text("utf-8"))
    projects = dict.fromkeys(PROJECT.findall(spec.source))
    lines = [known[project] for project in projects if project in known]
    return (
        "\n".join(lines) or f"Copyright (c) its authors; facecli does not know the line that they wrote: {spec.source}"
    )


def _row(spec: ModelSpec, texts: Sequence[str]) -> str:
    elsewhere = f"see {spec.licence_url}" if spec.licence_url else "see its source"
    linked = ", ".join(f"[{text}]({text})" for text in texts) or elsewhere
    commercial = "yes" if spec.commercial_use else "**no**"
    cells = (spec.id, spec.licence, commercial, linked, spec.source, spec.training_data or "not stated")
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
