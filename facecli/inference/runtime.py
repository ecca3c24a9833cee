"""ONNX Runtime: the only module that imports it. What the user asks for is what runs, or it is an error."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from facecli.inference.providers import Tuning
from facecli.inference.session import OnnxSession, open_session


class OnnxRuntime:
    """Sessions for plugins: each made once, on the device asked for, from files that the store vouches for.

    locate: (model id, file name or None) -> verified path.
    """

    def __init__(
        self,
        locate: Callable[[str, str | None], Path],
        *,
        device: str = "auto",
        threads: int = 1,
        tuning: Tuning | None = None,
    ) -> None:
        self._locate = locate
        self.tuning = tuning
        self.device = device
        self.threads = threads
        self._sessions: dict[tuple[str, str | None], Future[OnnxSession]] = {}
        self._lock = threading.Lock()

    def model_path(self, model_id: str, file: str | None = None) -> Path:
        """The verified local file of a model. Raises ModelError if it is not installed."""
        return self._locate(model_id, file)

    def session(self, model_id: str, file: str | None = None, *, threads: int | None = None) -> OnnxSession:
        """The session of a model file, made by the first caller (with its `threads`, or the runtime's) for all."""
        key = (model_id, file)
        with self._lock:
            future = self._sessions.get(key)
            mine = future is None
            if future is None:
                future = self._sessions[key] = Future()
        if mine:
            try:
                path = self._locate(model_id, file)
                future.set_result(self._open(path, threads or self.threads))
            except BaseException as error:  # noqa: BLE001 - whoever waits for this session must learn of it
                future.set_exception(error)
        return future.result()

    def _open(self, path: Path, threads: int) -> OnnxSession:
        return open_session(path, device=self.device, threads=threads, tuning=self.tuning)

    @property
    def sessions(self) -> dict[str, OnnxSession]:
        """The sessions made so far, by "model id" or "model id/file name"."""
        done = {key: f for key, f in self._sessions.items() if f.done() and f.exception() is None}
        return {"/".join(filter(None, key)): future.result() for key, future in done.items()}
