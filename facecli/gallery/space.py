"""The space of a gallery's embeddings: all that must be equal for two of them to be compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from facecli.errors import UsageError


@dataclass(frozen=True, slots=True)
class Space:
    """The recognizer and detector that embeddings come from.

    identity: as `Toolbox.identity` returns it: names, sha256 of the models' files, preprocessing version, parameters.
    dim: the length of an embedding.
    """

    identity: Mapping[str, Any]
    dim: int

    @property
    def text(self) -> str:
        """The identity as JSON, the same for equal identities."""
        return json.dumps(self.identity, sort_keys=True, ensure_ascii=False)

    @property
    def fingerprint(self) -> str:
        """The sha256, in hexadecimal, of identity and dim."""
        return hashlib.sha256(f"{self.text}\n{self.dim}".encode()).hexdigest()

    @property
    def recognizer(self) -> str:
        """The name of the recognizer's plugin."""
        return str(self.identity["recognizer"])

    @property
    def detector(self) -> str | None:
        """The name of the detector's plugin; None where pictures are crops already."""
        name = self.identity["detector"]
        return None if name is None else str(name)

    def check(self, other: Space) -> None:
        """Raise UsageError if embeddings of another space can not be compared with this one's, the gallery's."""
        if other.fingerprint == self.fingerprint:
            return
        different = [key for key, value in self.identity.items() if other.identity.get(key) != value]
        ours, theirs = (f"{space.recognizer} after {space.detector or 'no detector'}" for space in (self, other))
        what = "" if ours != theirs else f" ({', '.join(different) or 'dim'} differ)"
        message = f"the gallery holds embeddings of {ours}, which can not be compared with those of {theirs}{what}"
        hint = "leave out {recognizer} and {detector}, or see `facecli gallery migrate`"
        raise UsageError(message, hint=hint, about=("recognizer", "detector"))
