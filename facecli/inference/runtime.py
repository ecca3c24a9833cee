"""The runtime that the host hands to plugins: verified model files, and one shared session for each of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from facecli.inference.providers import Tuning
from facecli.inference.session import OnnxSession, open_session


class OnnxRuntime:
    """Sessions on the device that the user asked for; implements facecli.contract.Runtime.

    locate: (model id, file name, or None for a model's only file) -> the path of the file, whose hash was checked.
    Raises ModelError if the file is missing. threads: CPU threads that a plugin may keep busy at once.
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
        """Return the verified local file of a model. Raises ModelError if it is not installed."""
        return self._locate(model_id, file)

    def session(self, model_id: str, file: str | None = None, *, threads: int | None = None) -> OnnxSession:
        """Return the session of a model file. The first caller opens it, other threads wait and share it.

        threads: CPU threads of one run, `self.threads` by default; the first caller's number holds.
        Raises ModelError or DeviceError, to every caller, if the session can not be opened.
        """
        key = (model_id, file)
        with self._lock:
            future = self._sessions.get(key)
            first = future is None
            if future is None:
                future = self._sessions[key] = Future()
        if first:
            try:
                path = self._locate(model_id, file)
                session = open_session(
                    path,
                    device=self.device,
                    threads=threads or self.threads,
                    tuning=self.tuning,
                    name=file or f"model {model_id}",
                )
                future.set_result(session)
            except BaseException as error:  # noqa: BLE001 - every thread that waits for this session must get it
                future.set_exception(error)
        return future.result()

    def close(self) -> None:
        """Let go of all sessions; the next one that is asked for is made anew."""
        with self._lock:
            self._sessions.clear()

    def sessions_of(self, model_id: str) -> dict[str, OnnxSession]:
        """Return the sessions of a model that are open, by file name, or by the model's id for its only file."""
        opened = {key: f for key, f in self._sessions.items() if f.done() and f.exception() is None}
        return {file or model_id: future.result() for (own, file), future in opened.items() if own == model_id}

    @property
    def sessions(self) -> dict[str, OnnxSession]:
        """The sessions that are open, by "model id" or "model id/file name"."""
        opened = {key: f for key, f in self._sessions.items() if f.done() and f.exception() is None}
        return {"/".join(filter(None, key)): future.result() for key, future in opened.items()}
