"""Loading ONNX Runtime and the native libraries of a device; where that fails, the reason in one line."""

from __future__ import annotations

import importlib
import io
import os
import sys
import threading
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any

from facecli.errors import DeviceError
from facecli.inference import providers
from facecli.inference.reasons import reason_of

_preparing = threading.Lock()  # of two threads that redirect stdout at once, one would leave it redirected
DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"  # NVIDIA's
# Severity from which on ONNX Runtime writes to stderr: its errors come as exceptions, too, which are told in our words.
FATAL = 4
# Since 1.29 ONNX Runtime records its use in the home folder of every system, and sends the records to its makers
# (github.com/microsoft/onnxruntime, pull request 27379). It reads the variable when it is imported.
TELEMETRY_OFF = "ORT_DISABLE_TELEMETRY"


def import_onnxruntime() -> Any:
    """Return the module onnxruntime. Raises DeviceError with the command to type if no wheel of it works.

    Its telemetry is off, unless the user has set TELEMETRY_OFF to something else. In a program that has imported
    onnxruntime before, its files are there already; it is told to record nothing more.
    """
    decided = TELEMETRY_OFF in os.environ
    os.environ.setdefault(TELEMETRY_OFF, "1")
    try:
        import onnxruntime
    except ImportError as error:
        hint = 'pip install "facecli[cpu]" (or "facecli[gpu]")'
        raise DeviceError(f"ONNX Runtime is not installed ({error})", hint=hint) from error
    if not hasattr(onnxruntime, "InferenceSession"):
        hint = "pip uninstall -y onnxruntime onnxruntime-gpu, then install one of them"
        raise DeviceError("the installed onnxruntime is broken: it has no InferenceSession", hint=hint)
    if not decided and hasattr(onnxruntime, "disable_telemetry_events"):
        onnxruntime.disable_telemetry_events()
    onnxruntime.set_default_logger_severity(FATAL)
    return onnxruntime


def import_tools(name: str) -> Any:
    """Return a module of the package onnxruntime, such as "quantization". Raises as import_onnxruntime does."""
    import_onnxruntime()
    return importlib.import_module(f"onnxruntime.{name}")


def telemetry() -> str:
    """Return in words whether ONNX Runtime reports its use to its makers; import_onnxruntime was called before."""
    chosen = os.environ[TELEMETRY_OFF]
    return "off" if chosen == "1" else f"as {TELEMETRY_OFF}={chosen} says, which you have set"


def obstacle(ort: Any, kind: str) -> str | None:
    """Return why a kind of device can not run, as far as can be known before a session is made; None if it may run.

    Either the installed wheel has no provider for it, or NVIDIA's driver can not be loaded. The libraries of NVIDIA's
    wheels are loaded meanwhile. ort: the module onnxruntime. kind: a name in providers.DEVICES.
    """
    reason = providers.missing(kind, ort.get_available_providers())
    return prepare_cuda(ort) if not reason and providers.uses_cuda(kind) else reason


def prepare_cuda(ort: Any) -> str | None:
    """Load the CUDA libraries of NVIDIA's wheels, once; return the loader's reason if there is no driver to use them.

    Without this they are found only if torch has been imported. Where there is no driver ONNX Runtime is not tried at
    all, because it prints several lines for each library that it misses.
    """
    with _preparing:
        return _prepare_cuda(ort)


@cache
def _prepare_cuda(ort: Any) -> str | None:
    reason = _load_failure(DRIVER)
    if reason is None and hasattr(ort, "preload_dlls"):
        with redirect_stdout(io.StringIO()):  # it prints what it does not find; `failure` finds that out too
            ort.preload_dlls()
    return reason


def failure(ort: Any, kind: str) -> str:
    """Return why a kind of device did not run: an obstacle, else the loader's reason, else a question to the user."""
    provider = providers.DEVICES[kind].provider.removesuffix("ExecutionProvider").lower()
    library = Path(ort.__file__).parent / "capi" / f"libonnxruntime_providers_{provider}.so"
    return (
        obstacle(ort, kind)
        or _load_failure(str(library))
        or "ONNX Runtime fell back to the CPU; are there a driver and a device?"
    )


def _load_failure(library: str) -> str | None:
    """Return the loader's reason why a shared library can not be loaded, None if it can."""
    import ctypes

    try:
        ctypes.CDLL(library)
    except OSError as error:
        return reason_of(error).text
    return None
