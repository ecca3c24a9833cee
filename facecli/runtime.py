"""ONNX Runtime: the only module that imports it. What the user asks for is what runs, or it is an error."""

from __future__ import annotations

import io
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli import providers
from facecli.errors import DeviceError, ModelError, first_line
from facecli.providers import Tuning

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime
    from numpy.typing import NDArray

_preparing = threading.Lock()  # two threads that redirect stdout at once would lose it
DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
FATAL = 4
QUIET = 3  # ONNX Runtime's severity "error": its warnings about graphs help nobody who runs a finished model
ALLOW_SPINNING = "session.intra_op.allow_spinning"
SPIN_DURATION = "session.intra_op.spin_duration_us"
SPIN_DURATION_SINCE = (1, 26)  # the first ONNX Runtime that knows it: its binary has the name, 1.25's has not
SPIN_MICROSECONDS = "30"


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

    @property
    def metadata(self) -> dict[str, str]:
        """What the file says of itself, by key; whoever made it wrote this."""
        return dict(self._inner.get_modelmeta().custom_metadata_map)

    def run(self, feeds: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[Any]]:
        """Run once: input name -> array in, output name -> array out."""
        start = time.perf_counter()
        outputs = self._inner.run(self._outputs, dict(feeds))
        with self._lock:
            self.seconds += time.perf_counter() - start
            self.runs += 1
        return dict(zip(self._outputs, outputs, strict=True))

    def end_profile(self) -> Path:
        """Write what was recorded so far, and no more from here on; the session was opened with Tuning.profile."""
        return Path(self._inner.end_profiling())


def open_session(path: Path, *, device: str = "cpu", threads: int = 1, tuning: Tuning | None = None) -> OnnxSession:
    """Load an ONNX file on `device` ("auto", "cpu", "cuda:N", ...: providers.NAMES); threads: those of one run.

    Raises DeviceError if the device does not really run, ModelError if the file is no usable model.
    """
    kind, unit = providers.split(device)
    ort, tuning = import_onnxruntime(), tuning or Tuning()
    if kind == "auto":
        return _first_that_runs(ort, path, threads, tuning)
    chain = providers.chain(kind, unit, tuning, threads)
    reason = providers.missing(kind, ort.get_available_providers())
    if not reason and providers.CUDA in dict(chain):
        reason = prepare_cuda(ort)
    if reason:
        raise _device_error(kind, reason)
    try:
        session = OnnxSession(_create(ort, path, _options(ort, kind, threads, tuning), chain))
    except Exception as error:
        if kind == "cpu" or not _loads_on_cpu(ort, path):
            hint = "run `facecli models verify`"
            raise ModelError(f"{path.name} can not be loaded: {_first_line(error)}", hint=hint) from error
        raise _device_error(kind, _first_line(error)) from error
    if session.provider != chain[0][0]:
        raise _device_error(kind, failure(ort, kind))
    return session


def _first_that_runs(ort: Any, path: Path, threads: int, tuning: Tuning) -> OnnxSession:
    """CUDA where it runs, else the CPU."""
    if providers.CUDA in ort.get_available_providers():
        try:
            return open_session(path, device="cuda", threads=threads, tuning=tuning)
        except DeviceError:
            pass
    return open_session(path, device="cpu", threads=threads, tuning=tuning)


def _loads_on_cpu(ort: Any, path: Path) -> bool:
    """Whether it is the device, and not the file, that fails."""
    try:
        _create(ort, path, _options(ort, "cpu", 1, Tuning()), [(providers.CPU, {})])
    except Exception:  # noqa: BLE001 - whatever is wrong with the file
        return False
    return True


def _options(ort: Any, kind: str, threads: int, tuning: Tuning) -> Any:
    options = ort.SessionOptions()
    # A provider with threads of its own does the work: ONNX Runtime's would only stand in their way.
    options.intra_op_num_threads = 1 if providers.KINDS[kind].threads else threads
    options.log_severity_level = QUIET
    if providers.KINDS[kind].sequential:
        options.enable_mem_pattern = False
    for name, value in {**_spinning(ort.__version__, tuning.session_options), **tuning.session_options}.items():
        options.add_session_config_entry(name, value)
    if tuning.profile is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(tuning.profile)
    return options


def _spinning(version: str, chosen: Mapping[str, str]) -> dict[str, str]:
    """How long threads that have no work look for some before they sleep, where the user has not chosen.

    A while spares them most naps between two operators; ONNX Runtime's own is so long that it takes the cores from
    everybody else. docs/benchmarks.md has the figures.
    """
    if ALLOW_SPINNING in chosen:
        return {}
    if tuple(int(number) for number in re.findall(r"\d+", version)[:2]) < SPIN_DURATION_SINCE:
        return {ALLOW_SPINNING: "0"}
    return {ALLOW_SPINNING: "1", SPIN_DURATION: SPIN_MICROSECONDS}


def _create(ort: Any, path: Path, options: Any, chain: Sequence[tuple[str, Mapping[str, str]]]) -> Any:
    """A session that never changes its provider: ONNX Runtime's own fallback goes to the CPU and says so in prints."""
    inner = ort.InferenceSession(str(path), options, providers=list(chain), enable_fallback=0)
    inner.disable_fallback()
    return inner


def _device_error(kind: str, reason: str) -> DeviceError:
    return DeviceError(f"{kind} does not run here: {reason}", hint="use --device cpu, see `facecli doctor`")


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
    onnxruntime.set_default_logger_severity(QUIET)
    return onnxruntime


def prepare_cuda(ort: Any) -> str | None:
    """Load the CUDA libraries of NVIDIA's wheels, once; the loader's reason if there is no driver to use them with.

    Without this only `import torch` makes them found. Where no driver is, ONNX Runtime is not even asked: each library
    that it misses it tells in several lines.
    """
    with _preparing:
        return _prepare_cuda(ort)


@cache
def _prepare_cuda(ort: Any) -> str | None:
    reason = _loading(DRIVER)
    if reason is None and hasattr(ort, "preload_dlls"):
        with redirect_stdout(io.StringIO()):  # it prints what it does not find; `failure` finds that out too
            ort.preload_dlls()
        ort.set_default_logger_severity(FATAL)
    return reason


def _loading(library: str) -> str | None:
    """The loader's reason why a shared library can not be loaded, None if it can."""
    import ctypes

    try:
        ctypes.CDLL(library)
    except OSError as error:
        return _first_line(error)
    return None


def failure(ort: Any, kind: str) -> str:
    """Why a kind of device does not run: the installed wheel lacks it, or the loader's own reason."""
    wanted = providers.KINDS[kind].provider
    reason = providers.missing(kind, ort.get_available_providers())
    if not reason and providers.CUDA in dict(providers.chain(kind, "", Tuning())):
        reason = prepare_cuda(ort)
    part = wanted.removesuffix("ExecutionProvider").lower()
    reason = reason or _loading(str(Path(ort.__file__).parent / "capi" / f"libonnxruntime_providers_{part}.so"))
    return (
        reason
        or "ONNX Runtime fell back to the CPU; are there a driver and a device? (what it says itself is on stderr)"
    )


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


def _first_line(error: BaseException) -> str:
    """What an error says, without the place in ONNX Runtime's own source that some begin with."""
    return re.sub(r"^/\S+\.(cc|h|cpp):\d+ .*\) (?=\S)", "", first_line(error))
