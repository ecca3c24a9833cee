"""ONNX Runtime: the only module that imports it. What the user asks for is what runs, or it is an error."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.errors import DeviceError, ModelError

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime
    from numpy.typing import NDArray

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
QUIET = 3  # ONNX Runtime's severity "error": its warnings about graphs help nobody who runs a finished model


class OnnxSession:
    """A loaded ONNX model; runs from several threads at once and counts the seconds spent inside ONNX Runtime."""

    def __init__(self, inner: onnxruntime.InferenceSession) -> None:
        self._inner = inner
        self._outputs = [output.name for output in inner.get_outputs()]
        self._lock = threading.Lock()
        self.seconds = 0.0
        self.runs = 0
        self.provider: str = inner.get_providers()[0]
        self.input_shapes: Mapping[str, tuple[int | None, ...]] = {
            entry.name: tuple(n if isinstance(n, int) else None for n in entry.shape) for entry in inner.get_inputs()
        }

    def run(self, feeds: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[Any]]:
        """Run once: input name -> array in, output name -> array out."""
        start = time.perf_counter()
        outputs = self._inner.run(self._outputs, dict(feeds))
        with self._lock:
            self.seconds += time.perf_counter() - start
            self.runs += 1
        return dict(zip(self._outputs, outputs, strict=True))


def open_session(path: Path, *, device: str = "cpu", threads: int = 1) -> OnnxSession:
    """Load an ONNX file on `device` ("auto", "cpu", "cuda", "cuda:N"); threads: intra-op threads on the CPU.

    Raises DeviceError if the device does not really run, ModelError if the file is no usable model.
    """
    ort = import_onnxruntime()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = QUIET
    # Spinning threads gain nothing measurable here, and cost dearly where the cores are shared with others.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    inner = None
    wanted = _providers(ort, device)
    if len(wanted) > 1:  # CUDA first
        try:
            inner = _create(ort, path, options, wanted)
        except Exception as error:
            if device != "auto":
                raise _cuda_error(_first_line(error)) from error
    try:
        inner = inner or _create(ort, path, options, [PROVIDERS["cpu"]])
    except Exception as error:
        raise ModelError(
            f"{path.name} can not be loaded: {_first_line(error)}", hint="run `facecli models verify`"
        ) from error
    session = OnnxSession(inner)
    if device.startswith("cuda") and session.provider != PROVIDERS["cuda"]:
        raise _cuda_error(cuda_failure(ort))
    return session


def _create(ort: Any, path: Path, options: Any, providers: list[Any]) -> Any:
    """A session that never changes its provider: ONNX Runtime's own fallback goes to the CPU and says so in prints."""
    inner = ort.InferenceSession(str(path), options, providers=providers, enable_fallback=0)
    inner.disable_fallback()
    return inner


def _cuda_error(reason: str) -> DeviceError:
    return DeviceError(f"CUDA does not run here: {reason}", hint="use --device cpu, see `facecli doctor`")


def import_onnxruntime() -> Any:
    """The module onnxruntime. Raises DeviceError saying which line to type if no wheel of it is installed."""
    try:
        import onnxruntime
    except ImportError as error:
        line = 'pip install "facecli[cpu]" (or "facecli[gpu]")'
        raise DeviceError(f"ONNX Runtime is not installed ({error})", hint=line) from error
    if not hasattr(onnxruntime, "InferenceSession"):
        line = "pip uninstall -y onnxruntime onnxruntime-gpu, then install one of them"
        raise DeviceError("the installed onnxruntime is broken: it has no InferenceSession", hint=line)
    return onnxruntime


def _providers(ort: Any, device: str) -> list[Any]:
    kind, _, index = device.partition(":")
    if kind not in ("auto", *PROVIDERS) or (index and (kind != "cuda" or not index.isdecimal())):
        raise DeviceError(f"unknown device {device!r}", hint="use auto, cpu, cuda or cuda:N")
    available = ort.get_available_providers()
    cuda = [(PROVIDERS["cuda"], {"device_id": int(index or 0)}), PROVIDERS["cpu"]]
    if kind == "cuda":
        if PROVIDERS["cuda"] not in available:
            raise _cuda_error(cuda_failure(ort))
        _preload_cuda(ort)
        return cuda
    if kind == "auto" and PROVIDERS["cuda"] in available:
        _preload_cuda(ort)
        return cuda
    return [PROVIDERS["cpu"]]


def _preload_cuda(ort: Any) -> None:
    """Load the CUDA libraries that NVIDIA's wheels carry; without it only `import torch` makes them found."""
    if hasattr(ort, "preload_dlls"):
        ort.preload_dlls()


def cuda_failure(ort: Any) -> str:
    """Why CUDA does not run: the installed wheel lacks it, or the loader's own reason."""
    if PROVIDERS["cuda"] not in ort.get_available_providers():
        return "the installed onnxruntime has no CUDA provider (it is the CPU wheel)"
    import ctypes

    library = Path(ort.__file__).parent / "capi" / "libonnxruntime_providers_cuda.so"
    try:
        ctypes.CDLL(str(library))
    except OSError as error:
        return _first_line(error)
    return "ONNX Runtime fell back to the CPU; is there an NVIDIA driver and a GPU?"


class OnnxRuntime:
    """Sessions for plugins: each made once, on the device asked for, from files that the store vouches for.

    locate: (model id, file name or None) -> verified path.
    """

    def __init__(self, locate: Callable[[str, str | None], Path], *, device: str = "auto", threads: int = 1) -> None:
        self._locate = locate
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
                future.set_result(open_session(path, device=self.device, threads=threads or self.threads))
            except BaseException as error:  # noqa: BLE001 - whoever waits for this session must learn of it
                future.set_exception(error)
        return future.result()

    @property
    def sessions(self) -> dict[str, OnnxSession]:
        """The sessions made so far, by "model id" or "model id/file name"."""
        done = {key: f for key, f in self._sessions.items() if f.done() and f.exception() is None}
        return {"/".join(filter(None, key)): future.result() for key, future in done.items()}


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def available_cores() -> int:
    """The cores that this process may use: its affinity, cut by a container's CPU quota (cgroup v2)."""
    import os

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return cores
    return cores if quota == "max" else max(1, min(cores, int(quota) // int(period)))
