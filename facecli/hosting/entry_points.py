"""The entry points of installed distributions that belong to facecli, read as text: no plugin is imported for it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.kinds import KINDS, NOUNS, Kind
from facecli.version import __version__

if TYPE_CHECKING:
    import importlib.metadata

OWN_DISTRIBUTION = "facecli"
USER_MODELS = "the user's models"  # stands for the distribution of a model that `facecli models add` took in
# Names, for each kind of plugin, the module of ours that runs a model which is described by data alone.
DESCRIBED_GROUP = "facecli.described"
FILE = "entry_points.txt"


@dataclass(frozen=True, slots=True)
class PluginEntry:
    """One plugin as its distribution's metadata describes it; nothing of the plugin has been imported.

    module: the module that has the hook. distribution: the package's name, or USER_MODELS. version: "" for the latter.
    """

    kind: Kind
    name: str
    module: str
    distribution: str
    version: str

    @property
    def built_in(self) -> bool:
        """True for a plugin that comes with facecli itself."""
        return self.distribution == OWN_DISTRIBUTION

    @property
    def origin(self) -> str:
        """The plugin's distribution in messages: "acme 1.0"."""
        return f"{self.distribution} {self.version}".strip()

    @property
    def title(self) -> str:
        """The plugin in messages: "detector 'x' of acme 1.0"."""
        return f"{NOUNS[self.kind]} {self.name!r} of {self.origin}"


def plugin_entries(text: str, distribution: str, version: str) -> Iterator[PluginEntry]:
    """Yield the plugins of an entry_points.txt. Raises ValueError for a line of ours that is no `name = module`."""
    for group, name, module in _lines(text):
        kind = group.removeprefix("facecli.")
        if kind in KINDS:
            yield PluginEntry(kind, name, module, distribution, version)


def described_modules(text: str) -> dict[Kind, str]:
    """Return the lines of DESCRIBED_GROUP in an entry_points.txt, as kind of plugin -> module."""
    named = {name: module for group, name, module in _lines(text) if group == DESCRIBED_GROUP}
    return {kind: named[kind] for kind in KINDS if kind in named}


def _lines(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield (group, name, module) for each line in the groups `facecli.*` of an entry_points.txt.

    Raises ValueError for a line that has no equals sign. Lines of other groups are not looked at.
    """
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            group = line.strip("[]").strip()
        elif line and line[0] not in "#;" and group.startswith("facecli."):
            name, equals, module = (part.strip() for part in line.partition("="))
            if not equals:
                raise ValueError(line)
            yield group, name, module


@cache
def own_text() -> str:
    """Return the text of facecli's own entry_points.txt.

    The file is looked for where importlib.metadata would find it, because importing that module (email, zipfile and
    more) takes a fifth of the time of `import numpy, cv2, onnxruntime`. Where it lies elsewhere, that module finds it.
    """
    for folder in sys.path:
        path = Path(folder) / f"{OWN_DISTRIBUTION}-{__version__}.dist-info" / FILE
        if path.is_file():
            return path.read_text("utf-8")
    import importlib.metadata

    return importlib.metadata.distribution(OWN_DISTRIBUTION).read_text(FILE) or ""


def text_of(distribution: importlib.metadata.Distribution) -> str:
    """Return the text of a distribution's entry_points.txt, "" if it has none.

    Also "" for bytes that are not UTF-8, the format's encoding: another package's damage does not stop facecli.
    """
    try:
        return distribution.read_text(FILE) or ""
    except UnicodeDecodeError:
        return ""
