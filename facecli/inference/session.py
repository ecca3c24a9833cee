"""Loading an ONNX file on the device that the user asked for, and running it. Another device than that is an error."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.errors import DeviceError, ModelError
from facecli.inference import libraries, providers
from facecli.inference.providers import Tuning
from facecli.inference.reasons import reason_of

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime
    from numpy.typing import NDArray


ALLOW_SPINNING = "session.intra_op.allow_spinning"
SPIN_DURATION = "session.intra_op.spin_duration_us"
SPIN_DURATION_SINCE = (1, 26)  # the first ONNX Runtime that has the entry: its binary has the name, 1.25's has not
SPIN_MICROSECONDS = "30"
MOST_NUMBERS = 2**27  # of one input: a batch of 40 pictures of 1024 px; 0.5 GB
VERIFY = "run `facecli models verify`"  # a hint


class OnnxSession:
    """A loaded ONNX model, which several threads may run at once.

    provider: the one that really runs it. input_shapes: input name -> shape, None for a free axis. input_types: input
    name -> type of its numbers, such as "float" or "uint8". seconds: spent inside ONNX Runtime, added up over all runs
    and threads. runs: how many there were. longest: seconds after which a run is stopped, None for a model that is
    known to end.
    """

    longest: float | None = None

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
        self.input_types: Mapping[str, str] = {
            entry.name: entry.type.removeprefix("tensor(").rstrip(")") for entry in inner.get_inputs()
        }

    @property
    def metadata(self) -> dict[str, str]:
        """The file's metadata by key, as its maker wrote it."""
        return dict(self._inner.get_modelmeta().custom_metadata_map)

    @property
    def axes(self) -> tuple[dict[str, tuple[int | str | None, ...]], dict[str, tuple[int | str | None, ...]]]:
        """Inputs and outputs: name -> the length of each axis, the name of a free axis, or None if it has no name."""
        inputs, outputs = (
            {entry.name: tuple(entry.shape) for entry in entries}
            for entries in (self._inner.get_inputs(), self._inner.get_outputs())
        )
        return inputs, outputs

    def run(self, feeds: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[Any]]:
        """Run the model once: input name -> array in, output name -> array out.

        Raises ModelError for a run that takes longer than `longest`.
        """
        start = time.perf_counter()
        outputs = self._run(dict(feeds)) if self.longest is None else self._run_within(self.longest, dict(feeds))
        with self._lock:
            self.seconds += time.perf_counter() - start
            self.runs += 1
        return dict(zip(self._outputs, outputs, strict=True))

    def _run(self, feeds: dict[str, NDArray[np.generic]], options: Any = None) -> Sequence[Any]:
        outputs: Sequence[Any] = self._inner.run(self._outputs, feeds, options)
        return outputs

    def _run_within(self, seconds: float, feeds: dict[str, NDArray[np.generic]]) -> Sequence[Any]:
        """Run the model, and stop it between two of its operators once the seconds are over."""
        options = libraries.import_onnxruntime().RunOptions()
        late = threading.Timer(seconds, setattr, (options, "terminate", True))
        late.daemon = True
        late.start()
        try:
            return self._run(feeds, options)
        except Exception as error:
            if options.terminate:
                message = f"the model was not done after {seconds:g} s"
                raise ModelError(message, hint="has it a loop without end?") from error
            raise
        finally:
            late.cancel()

    def end_profile(self) -> Path:
        """Stop profiling and return the file that holds the profile; the session was opened with Tuning.profile."""
        return Path(self._inner.end_profiling())


def open_session(
    path: Path, *, device: str = "cpu", threads: int = 1, tuning: Tuning | None = None, name: str | None = None
) -> OnnxSession:
    """Load an ONNX file on a device. threads: CPU threads of one run. name: of the file, for messages.

    device: "cpu", "cuda:1" or another of providers.NAMES; "auto" is CUDA if it runs, else the CPU.
    Raises DeviceError if the device does not really run, ModelError if the file is no usable model.
    """
    kind, unit = providers.split(device)
    ort, tuning = libraries.import_onnxruntime(), tuning or Tuning()
    if kind == "auto":
        return _open_automatically(ort, path, threads, tuning, name)
    chain = providers.chain(kind, unit, tuning, threads)
    reason = libraries.obstacle(ort, kind)
    if reason:
        raise _device_error(kind, reason)
    try:
        session = OnnxSession(_create(ort, path, _options(ort, kind, threads, tuning), chain))
    except Exception as error:
        found = reason_of(error)
        if kind == "cpu" or not _loads_on_cpu(ort, path):
            hint = found.hint or VERIFY
            raise ModelError(f"{name or path.name} can not be loaded: {found.text}", hint=hint) from error
        raise _device_error(kind, found.text) from error
    if session.provider != chain[0][0]:
        raise _device_error(kind, libraries.failure(ort, kind))
    _check_inputs(session, name or path.name)
    return session


def _check_inputs(session: OnnxSession, name: str) -> None:
    """Raise ModelError for a file whose fixed axes ask for more memory than any model of faces needs."""
    for shape in session.input_shapes.values():
        if math.prod(length or 1 for length in shape) > MOST_NUMBERS:
            sides = " x ".join("N" if length is None else str(length) for length in shape)
            message = f"{name} takes {sides} numbers at once, which is more than {MOST_NUMBERS}"
            raise ModelError(message, hint="export it with a free batch axis, or a smaller one")


def _open_automatically(ort: Any, path: Path, threads: int, tuning: Tuning, name: str | None) -> OnnxSession:
    if providers.CUDA in ort.get_available_providers():
        try:
            return open_session(path, device="cuda", threads=threads, tuning=tuning, name=name)
        except DeviceError:
            pass
    return open_session(path, device="cpu", threads=threads, tuning=tuning, name=name)


def _loads_on_cpu(ort: Any, path: Path) -> bool:
    """Return whether a file loads on the CPU, so that a failure elsewhere is the device's and not the file's."""
    try:
        _create(ort, path, _options(ort, "cpu", 1, Tuning()), [(providers.CPU, {})])
    except Exception:  # noqa: BLE001 - whatever is wrong with the file
        return False
    return True


def _options(ort: Any, kind: str, threads: int, tuning: Tuning) -> Any:
    options = ort.SessionOptions()
    # A provider with threads of its own does the work, and ONNX Runtime's would only stand in their way.
    options.intra_op_num_threads = 1 if providers.DEVICES[kind].threads else threads
    options.log_severity_level = libraries.FATAL
    if providers.DEVICES[kind].sequential:
        options.enable_mem_pattern = False
    for name, value in {**_spinning(ort.__version__, tuning.session_options), **tuning.session_options}.items():
        options.add_session_config_entry(name, value)
    if tuning.profile is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(tuning.profile)
    return options


def _spinning(version: str, user: Mapping[str, str]) -> dict[str, str]:
    """Return the entries that set for how long an idle thread looks for work before it sleeps.

    A short while spares threads most naps between two operators. ONNX Runtime's own default is so long that it takes
    the cores from everybody else: docs/benchmarks.md has the figures. user: the session options that the user set.
    """
    if ALLOW_SPINNING in user:
        return {}
    if tuple(int(number) for number in re.findall(r"\d+", version)[:2]) < SPIN_DURATION_SINCE:
        return {ALLOW_SPINNING: "0"}
    return {ALLOW_SPINNING: "1", SPIN_DURATION: SPIN_MICROSECONDS}


def _create(ort: Any, path: Path, options: Any, chain: Sequence[tuple[str, Mapping[str, str]]]) -> Any:
    """Return an InferenceSession that never changes its provider: ONNX Runtime's fallback goes to the CPU silently."""
    inner = ort.InferenceSession(str(path), options, providers=list(chain), enable_fallback=0)
    inner.disable_fallback()
    return inner


def _device_error(kind: str, reason: str) -> DeviceError:
    hint = "use {device} cpu, see `facecli doctor`"
    return DeviceError(f"{kind} does not run here: {reason}", hint=hint, about="device")
