"""The arguments of a plugin's `load`: a runtime with model files and sessions, and the values of the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The name of a parameter -> its value. `load` gets all parameters of the descriptor: those that the user set have the
# type of their default, the others are the defaults.
Parameters = Mapping[str, Any]


class Session(Protocol):
    """A loaded ONNX model, which several threads may run at once."""

    @property
    def input_shapes(self) -> Mapping[str, tuple[int | None, ...]]:
        """The shapes of the inputs: input name -> shape, None for a free axis."""

    def run(self, feeds: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[Any]]:
        """Run the model once: input name -> array in, output name -> array out."""


class Runtime(Protocol):
    """The models of a plugin's descriptor, on the device that the user asked for.

    A plugin names a model by its ModelSpec.id, and a file of it by its ModelFile.name if the model has several files.
    """

    def model_path(self, model_id: str, file: str | None = None) -> Path:
        """Return the local file of a model, whose sha256 was checked. Raises ModelError if it is not installed."""

    def session(self, model_id: str, file: str | None = None, *, threads: int | None = None) -> Session:
        """Return the session of a model file. It is opened once; every later call gets the one session.

        threads: CPU threads of one run, `self.threads` by default. A plugin that makes several runs at once asks for 1.
        Raises ModelError if the model is not installed or damaged, DeviceError if the device does not run it.
        """

    @property
    def threads(self) -> int:
        """The number of CPU threads that a plugin may keep busy at once."""
