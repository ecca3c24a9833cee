"""TODO: facecli.inference.session."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.errors import DeviceError, ModelError
from facecli.inference import providers
from facecli.inference.libraries import QUIET, _first_line, failure, import_onnxruntime, prepare_cuda
from facecli.inference.providers import Tuning

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime
    from numpy.typing import NDArray


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
