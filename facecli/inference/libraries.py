"""TODO: facecli.inference.libraries."""

from __future__ import annotations

import io
import re
import sys
import threading
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any

from facecli.errors import DeviceError, first_line
from facecli.inference import providers
from facecli.inference.providers import Tuning

_preparing = threading.Lock()  # two threads that redirect stdout at once would lose it
DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
FATAL = 4
QUIET = 3  # ONNX Runtime's severity "error": its warnings about graphs help nobody who runs a finished model


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


def _first_line(error: BaseException) -> str:
    """What an error says, without the place in ONNX Runtime's own source that some begin with."""
    return re.sub(r"^/\S+\.(cc|h|cpp):\d+ .*\) (?=\S)", "", first_line(error))
