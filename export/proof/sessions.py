"""Sessions and a runtime that let a plugin run networks which are not installed, for a proof."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facecli.errors import ExportError
from facecli.export.proof.parity import source_network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facecli.contract import Detector, DetectorPlugin, ExportPart, Session


class SourceSession:
    """A session that runs a part's source network. input_shapes: those of its exported file."""

    def __init__(self, part: ExportPart, input_shapes: Mapping[str, tuple[int | None, ...]]) -> None:
        self._part, self._network = part, source_network(part)
        self.input_shapes = input_shapes

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run the source network once: input name -> array in, output name -> array out."""
        outputs = self._network(*(np.ascontiguousarray(feeds[name]) for name in self._part.input_names))
        return dict(zip(self._part.output_names, outputs, strict=True))


class RecordingSession:
    """A session that keeps its inputs, one mapping of input name -> array per run, in `feeds`."""

    def __init__(self, inner: Session) -> None:
        self._inner, self.input_shapes = inner, inner.input_shapes
        self.feeds: list[Mapping[str, NDArray[Any]]] = []

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run once: input name -> array in, output name -> array out."""
        self.feeds.append(dict(feeds))
        return self._inner.run(feeds)


class FixedRuntime:
    """A runtime for plugins that hands out the sessions it was made with, on whatever device they are.

    model: the only model's id. sessions: file name -> session.
    """

    threads = 1

    def __init__(self, model: str, sessions: Mapping[str, Session]) -> None:
        self._model, self._sessions = model, sessions

    def model_path(self, model_id: str, file: str | None = None) -> Path:  # noqa: ARG002 # the contract's
        """Raise ExportError: a session has no path."""
        raise ExportError(f"a detector that wants the file of {model_id} itself can not be proved")

    def session(
        self,
        model_id: str,
        file: str | None = None,
        *,
        threads: int | None = None,  # noqa: ARG002 # the contract's
    ) -> Session:
        """Return the session of a file, or the only one. Raises ExportError for another model or file."""
        name = file if file is not None or len(self._sessions) != 1 else next(iter(self._sessions))
        if model_id != self._model or name is None or name not in self._sessions:
            requested = model_id if file is None else f"{file} of {model_id}"
            raise ExportError(f"the detector runs {requested}, not {', '.join(self._sessions)} of {self._model}")
        return self._sessions[name]


def load_with(
    sessions: Mapping[str, Session], plugin: DetectorPlugin, model: str, changes: Mapping[str, Any] | None = None
) -> Detector:
    """Return a plugin's detector that runs these sessions, by file name, in the place of a model's files.

    It has the plugin's default parameters, but for `changes`; of a plugin with several models, FAMILY/MODEL is chosen.
    """
    own = {"model": model.removeprefix(f"{plugin.name}/")} if "model" in plugin.parameters else {}
    detector: Detector = plugin.load(FixedRuntime(model, sessions), {**plugin.parameters, **own, **(changes or {})})
    return detector
