"""A runtime that remembers which sessions a plugin has opened, and the numbers that it fed to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.contract import Runtime, Session

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class RecordingSession:
    """A session that keeps the arrays of its inputs in `fed` while that is a list."""

    def __init__(self, inner: Session) -> None:
        self._inner = inner
        self.fed: list[NDArray[Any]] | None = None

    @property
    def input_shapes(self) -> Mapping[str, tuple[int | None, ...]]:
        """The shapes of the inputs: input name -> shape, None for a free axis."""
        return self._inner.input_shapes

    def run(self, feeds: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[Any]]:
        """Run the model once: input name -> array in, output name -> array out."""
        if self.fed is not None:
            self.fed += [array.copy() for array in feeds.values()]
        return self._inner.run(feeds)


class RecordingRuntime:
    """A runtime that hands out the sessions of another one, and keeps them by model in `sessions`."""

    def __init__(self, inner: Runtime) -> None:
        self._inner = inner
        self.sessions: dict[str, list[RecordingSession]] = {}

    @property
    def threads(self) -> int:
        """The number of CPU threads that a plugin may keep busy at once."""
        return self._inner.threads

    def model_path(self, model_id: str, file: str | None = None) -> Path:
        """Return the local file of a model. What is done with it is not recorded."""
        return self._inner.model_path(model_id, file)

    def session(self, model_id: str, file: str | None = None, *, threads: int | None = None) -> RecordingSession:
        """Return the session of a model file."""
        session = RecordingSession(self._inner.session(model_id, file, threads=threads))
        self.sessions.setdefault(model_id, []).append(session)
        return session

    @contextmanager
    def recording(self) -> Iterator[Mapping[str, list[NDArray[Any]]]]:
        """Yield a mapping that has, after the block, model -> the arrays that were fed to it meanwhile."""
        fed: dict[str, list[NDArray[Any]]] = {}
        for sessions in self.sessions.values():
            for session in sessions:
                session.fed = []
        yield fed
        for model_id, sessions in self.sessions.items():
            fed[model_id] = [array for session in sessions for array in session.fed or ()]
            for session in sessions:
                session.fed = None
