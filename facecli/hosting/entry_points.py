"""TODO: facecli.hosting.entry_points."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from facecli import __version__

if TYPE_CHECKING:
    import importlib.metadata


Kind = Literal["detectors", "recognizers", "attributes", "recipes", "commands"]
KINDS: tuple[Kind, ...] = ("detectors", "recognizers", "attributes", "recipes", "commands")
OWN_DISTRIBUTION = "facecli"
USER = "the user's models"  # in the place of a distribution: what `facecli models add` has taken in
# The entry-point group that names, by kind of plugin, the module that runs a model which is described as data alone.
DATA_GROUP = "[facecli.described]"


@dataclass(frozen=True, slots=True)
class PluginEntry:
    """An entry point as the metadata tells it; nothing of the plugin has been imported."""

    kind: Kind
    name: str
    module: str
    distribution: str
    version: str

    @property
    def built_in(self) -> bool:
        """Whether it comes with facecli itself."""
        return self.distribution == OWN_DISTRIBUTION

    @property
    def origin(self) -> str:
        """Whose plugin it is, for messages: "distribution version"."""
        return f"{self.distribution} {self.version}".strip()

    @property
    def title(self) -> str:
        """What it is and whose, for messages: "detector 'x' of acme 1.0"."""
        return f"{_singular(self.kind)} {self.name!r} of {self.origin}"


def _singular(kind: Kind) -> str:
    return {"attributes": "attribute model", "recipes": "export recipe"}.get(kind, kind[:-1])


def _entries(distribution: str, version: str, text: str) -> Iterator[PluginEntry]:
    """The plugins in an entry_points.txt: sections of `name = module` lines. Raises ValueError for another line."""
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line.strip("[]").strip()
        elif line and line[0] not in "#;" and section.startswith("facecli."):
            name, equals, module = (part.strip() for part in line.partition("="))
            if not equals:
                raise ValueError(line)
            kind = section.removeprefix("facecli.")
            if kind in KINDS:
                yield PluginEntry(kind, name, module, distribution, version)


def _described(text: str) -> Iterator[tuple[Kind, str]]:
    """Kind of plugin and module, of the group DATA_GROUP of an entry_points.txt."""
    section = ""
    for line in map(str.strip, text.splitlines()):
        section = line if line.startswith("[") else section
        name, equals, module = (part.strip() for part in line.partition("="))
        if equals and section == DATA_GROUP:
            yield from ((kind, module) for kind in KINDS if kind == name)


@cache
def _own_entry_points() -> str:
    """The text of facecli's own entry_points.txt.

    It is looked for where importlib.metadata would find it, because importing that module (email, zipfile and more)
    takes a fifth of the time of `import numpy, cv2, onnxruntime`; where it lies elsewhere, importlib.metadata finds it.
    """
    for folder in sys.path:
        path = Path(folder) / f"{OWN_DISTRIBUTION}-{__version__}.dist-info" / "entry_points.txt"
        if path.is_file():
            return path.read_text("utf-8")
    import importlib.metadata

    return importlib.metadata.distribution(OWN_DISTRIBUTION).read_text("entry_points.txt") or ""


def _entry_points(distribution: importlib.metadata.Distribution) -> str:
    try:
        return distribution.read_text("entry_points.txt") or ""
    except UnicodeDecodeError:  # whoever's it is, the format is UTF-8: not a reason for facecli to stop working
        return ""
