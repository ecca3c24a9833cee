"""The licence texts that travel with a bundle's models, and the table of them."""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.models.entries.shipped import PACKAGE

if TYPE_CHECKING:
    from facecli.contract import ModelSpec

CARDS = PACKAGE / "cards"
TEXTS = Path(__file__).parent / "texts"  # by SPDX id
# A model's licence may be any text from a file of a stranger: paths are made of these names alone.
STANDARD = ("Apache-2.0", "CC0-1.0", "GPL-3.0")  # texts that do not name the licensor
NAMED = "MIT"  # its text begins with the licensor's copyright line
PROJECT = re.compile(r"github\.com/[\w.-]+/[\w-]+(?:\.[\w-]+)*")
OWN = "Apache-2.0"  # the licence of the runners and the page
WEB = "onnxruntime-web"
HEAD = """# Licences

The runners and the page are facecli's, under Apache-2.0 ([text](Apache-2.0.txt)). ONNX Runtime for browsers is
Microsoft's, under the MIT licence ([text](onnxruntime-web.txt)). The models have licences of their own:

| model | licence | commercial use | text | source | training data |
|---|---|---|---|---|---|
"""


def write_licences(specs: Sequence[ModelSpec], folder: Path) -> dict[str, list[str]]:
    """Write LICENCES.md with a row for each model, and the texts; return model id -> its texts, as FOLDER/NAME."""
    folder.mkdir()
    for name in (OWN, WEB):
        shutil.copyfile(TEXTS / f"{name}.txt", folder / f"{name}.txt")
    texts = {spec.id: _texts(spec, folder) for spec in specs}
    rows = [_row(spec, texts[spec.id]) for spec in specs]
    (folder / "LICENCES.md").write_text(HEAD + "\n".join(rows) + "\n", "utf-8")
    return {model: [f"{folder.name}/{name}" for name in names] for model, names in texts.items()}


def _texts(spec: ModelSpec, folder: Path) -> list[str]:
    """Write a model's licence texts and return their names: its publisher's own file, and the licence's standard text.

    The text of MIT is written only if there is no file of the publisher's, which would be that text already.
    """
    name = spec.id.replace("/", "-")
    card = CARDS / f"LICENSE-{name}"
    names = []
    if card.is_file():
        shutil.copyfile(card, folder / card.name)
        names.append(card.name)
    if spec.licence in STANDARD:
        names.append(f"{spec.licence}.txt")
        shutil.copyfile(TEXTS / names[-1], folder / names[-1])
    elif spec.licence == NAMED and not names:
        names.append(f"{NAMED}-{name}.txt")
        text = (TEXTS / f"{NAMED}.txt").read_text("utf-8").format(copyright=_copyright(spec))
        (folder / names[-1]).write_text(text, "utf-8")
    return names


def _copyright(spec: ModelSpec) -> str:
    """Return the copyright lines of the projects in a model's source, or a line that says that they are not known."""
    holders = tomllib.loads((TEXTS / "holders.toml").read_text("utf-8"))
    projects = dict.fromkeys(PROJECT.findall(spec.source))
    lines = [holders[project] for project in projects if project in holders]
    return (
        "\n".join(lines) or f"Copyright (c) its authors; facecli does not know the line that they wrote: {spec.source}"
    )


def _row(spec: ModelSpec, texts: Sequence[str]) -> str:
    """Return a model's row of the table in Markdown."""
    elsewhere = f"see {spec.licence_url}" if spec.licence_url else "see its source"
    linked = ", ".join(f"[{text}]({text})" for text in texts) or elsewhere
    commercial = "yes" if spec.commercial_use else "**no**"
    cells = (spec.id, spec.licence, commercial, linked, spec.source, spec.training_data or "not stated")
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
