"""The checks that a plugin writes nothing to stdout, and imports nothing heavy before its `load` is called."""

from __future__ import annotations

import contextlib
import ctypes
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator

from facecli.errors import ContractError
from facecli.kinds import Kind

HEAVY = ("onnxruntime", "torch", "cv2", "tensorflow")

# The module is imported once without the registry, which would send what is printed to stderr.
_PROBE = """
import importlib, sys
from facecli.hosting.registry import Registry
kind, name, *heavy = sys.argv[1:]
registry = Registry()
entry = registry.entry(kind, name)
importlib.import_module(entry.module)
registry.load_entry(entry)
print("\\nheavy:", *(module for module in heavy if module in sys.modules))
"""


@contextlib.contextmanager
def captured_stdout() -> Iterator[Callable[[], str]]:
    """Catch what Python and native code write to stdout. Yields a function that returns the text so far."""
    text = io.StringIO()
    with tempfile.TemporaryFile() as stream:

        def printed() -> str:
            _flush_native()
            stream.seek(0)
            return text.getvalue() + stream.read().decode("utf-8", "replace")

        sys.stdout.flush()
        original = os.dup(1)
        os.dup2(stream.fileno(), 1)
        try:
            with contextlib.redirect_stdout(text):
                yield printed
        finally:
            _flush_native()
            os.dup2(original, 1)
            os.close(original)


def _flush_native() -> None:
    """Write out the buffer of C code, which would otherwise be written after stdout is given back."""
    with contextlib.suppress(OSError, TypeError, AttributeError):  # on systems without a C library of that name
        ctypes.CDLL(None).fflush(None)


def require_nothing(printed: str) -> None:
    """Raise ContractError if a text is not blank. printed: what was written to stdout while the plugin ran."""
    if printed.strip():
        raise ContractError(f"stdout is for data alone, the plugin wrote {printed.strip().splitlines()[0]!r}")


def require_light_import(kind: Kind, name: str) -> None:
    """Raise ContractError if importing a plugin's module and calling its hook prints, or imports a module of HEAVY.

    Runs in a process of its own, because this one may have imported such modules before.
    """
    command = [sys.executable, "-P", "-c", _PROBE, kind, name, *HEAVY]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    probe = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own probe
    if probe.returncode:
        raise ContractError((probe.stderr.strip().splitlines() or ["it ends the process"])[-1])
    printed, _, heavy = probe.stdout.rpartition("\nheavy:")
    if heavy.strip():
        raise ContractError(f"imports {', '.join(heavy.split())} before load is called")
    require_nothing(printed)
