"""What the host hands to a plugin, and what its `load` gives back: a part of facecli.contract, to be imported there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Session(Protocol):
    """A model that is loaded and ready; safe to run from several threads at once."""

    @property
    def input_shapes(self) -> Mapping[str, tuple[int | None, ...]]:
        """Input name -> shape, None for a free axis."""

    def run(self, feeds: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[Any]]:
        """Run once: input name -> array in, output name -> array out."""


class Runtime(Protocol):
    """What the host hands to `load`: verified model files, and sessions on the device the user asked for."""

    def model_path(self, model_id: str, file: str | None = None) -> Path:
        """The verified local file of a model. Raises ModelError if it is not installed."""

    def session(self, model_id: str, file: str | None = None, *, threads: int | None = None) -> Session:
        """The loaded session of a model file (`file` if it has several), made once and shared.

        threads: how many one run may use, where that shall not be `self.threads`: a plugin that makes several runs at
        once asks for 1.
        """

    @property
    def threads(self) -> int:
        """How many threads a plugin may keep busy at once."""


Parameters = Mapping[str, Any]
