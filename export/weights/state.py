"""Read PyTorch states from checkpoint files, and load them into networks whose names and shapes they must fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.errors import ExportError, first_line

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

# Names under which trainers put the state beside epoch, optimizer and the like; the first that is there counts.
WRAPPERS = ("state_dict", "model_state_dict", "net_state_dict", "model", "net", "network", "weights", "params")
# DataParallel and torch.compile put these before every name.
PREFIXES = ("module.", "_orig_mod.")
COUNTER = ".num_batches_tracked"  # of a batch normalization; only training reads it, and old states lack it
NAMES_SHOWN = 3  # in a message


@dataclass(frozen=True, slots=True)
class State:
    """The tensors of a checkpoint by name. notes: the changes made to get at them, for the report."""

    tensors: Mapping[str, Tensor]
    notes: tuple[str, ...] = ()


def read_state(path: Path) -> State:
    """Return the state in a .safetensors file or in a file of torch.save, unwrapped and without `module.` prefixes.

    Only tensors are ever unpickled. Raises ExportError if the file is no such state, or a pickle that needs code.
    """
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    tensors, notes = _unwrapped(content, path)
    for prefix in PREFIXES:
        if all(name.startswith(prefix) for name in tensors):
            tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
            notes = (*notes, f"dropped the prefix {prefix!r} of every name")
    return State(tensors, notes)


def load_state(module: Module, path: Path, *, spare: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Load a checkpoint, whose names and shapes must be exactly the module's; return notes on the changes made to it.

    spare: top-level names in the file that the module does not have and that may be left out. Raises ExportError.
    """
    import torch

    state = read_state(path)
    omitted = [name for name in state.tensors if name.partition(".")[0] in spare]
    tensors = {name: tensor for name, tensor in state.tensors.items() if name not in omitted}
    expected = module.state_dict()
    problem = _mismatch(tensors, expected)
    if problem:
        raise ExportError(f"{path} is no state of this network: {problem}")
    counters = {name: tensor for name, tensor in expected.items() if name.endswith(COUNTER)}
    with torch.no_grad():
        module.load_state_dict(counters | tensors)
    return (*state.notes, *((f"left out {', '.join(omitted)}",) if omitted else ()))


def _mismatch(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str:
    """Return the differences of a state from a module's, as counts and first names; empty if the state fits."""
    missing = [name for name in expected if name not in tensors and not name.endswith(COUNTER)]
    unexpected = [name for name in tensors if name not in expected]
    reshaped = [
        f"{name} is {_size(tensor)} not {_size(expected[name])}"
        for name, tensor in tensors.items()
        if name in expected and tensor.shape != expected[name].shape
    ]
    problems = {"missing": missing, "unexpected": unexpected, "of another shape": reshaped}
    return "; ".join(f"{len(names)} {kind} ({_first(names)})" for kind, names in problems.items() if names)


def _first(names: list[str]) -> str:
    return ", ".join(names[:NAMES_SHOWN]) + (", ..." if len(names) > NAMES_SHOWN else "")


def _size(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a number"


def _read_torch(path: Path) -> Any:
    import pickle

    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "Unsupported global" in str(error) or "unsupported GLOBAL" in str(error):
            advice = "save model.state_dict() alone, or as .safetensors"
            raise ExportError(f"{path} is a pickle that would run code, it was not opened", hint=advice) from error
        raise ExportError(f"{path} is no state of this network: it is no PyTorch file") from error
    except OSError as error:
        raise ExportError(f"{path} can not be read: {error.strerror or error}") from error
    except Exception as error:  # torch fails in a dozen ways on a file that it did not write
        what = f"{type(error).__name__} {first_line(error)}"
        raise ExportError(f"{path} is no state of this network: {what}") from error


def _read_safetensors(path: Path) -> Any:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ImportError as error:
        raise ExportError("reading .safetensors needs safetensors", hint='pip install "facecli[export]"') from error
    try:
        return load_file(path)
    except OSError as error:
        raise ExportError(f"{path} can not be read: {error.strerror or error}") from error
    except SafetensorError as error:
        raise ExportError(f"{path} is no safetensors file: {error}") from error


def _unwrapped(content: Any, path: Path) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Return the state in a checkpoint's content, and notes on the changes. Raises ExportError if there is none."""
    if _is_state(content):
        return dict(content), ()
    if isinstance(content, Mapping):
        for name in WRAPPERS:
            if _is_state(content.get(name)):
                return dict(content[name]), (f"took the state from {name!r}",)
    names = ", ".join(WRAPPERS)
    raise ExportError(f"{path} holds no state, neither itself nor under one of {names}")


def _is_state(content: Any) -> bool:
    import torch

    named = isinstance(content, Mapping) and len(content) > 0
    return named and all(isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in content.items())
