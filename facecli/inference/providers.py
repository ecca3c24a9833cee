"""From the device that a user names to the ONNX Runtime providers that shall run there, and their options.

Facts about providers and the names of their options: onnxruntime.ai/docs/execution-providers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from facecli.errors import DeviceError, UsageError

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
Options = dict[str, str]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of device. unit: the option that takes what stands behind the colon.

    before_cpu: providers that take what this one leaves, ahead of the CPU. cache: options that make it keep its
    compiled engines in a folder, "{}" being that folder. threads: the option that takes the number of CPU threads.
    sequential: it runs neither with memory patterns nor with parallel execution.
    """

    provider: str
    unit: str | None = None
    numbered: bool = True
    before_cpu: tuple[str, ...] = ()
    cache: Mapping[str, str] = field(default_factory=dict)
    threads: str | None = None
    sequential: bool = False


KINDS: Mapping[str, Kind] = {
    "cpu": Kind(CPU),
    "cuda": Kind(CUDA, "device_id"),
    "tensorrt": Kind(
        "TensorrtExecutionProvider",
        "device_id",
        before_cpu=(CUDA,),
        cache={
            "trt_engine_cache_enable": "1",
            "trt_engine_cache_path": "{}",
            "trt_timing_cache_enable": "1",
            "trt_timing_cache_path": "{}",
        },
    ),
    "openvino": Kind(
        "OpenVINOExecutionProvider",
        "device_type",
        numbered=False,
        cache={"cache_dir": "{}"},
        threads="num_of_threads",
    ),
    "coreml": Kind("CoreMLExecutionProvider", cache={"ModelCacheDirectory": "{}"}),
    "directml": Kind(
        "DmlExecutionProvider",
        "device_id",
        sequential=True,
    ),
    "xnnpack": Kind("XnnpackExecutionProvider", threads="intra_op_num_threads"),
}
NAMES = "auto|" + "|".join(f"{name}[:N]" if kind.unit else name for name, kind in KINDS.items())


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a user may set of ONNX Runtime beyond device and threads.

    provider_options: device kind -> option -> value, as ONNX Runtime names them. session_options: configuration
    entries such as session.intra_op.allow_spinning -> value. cache: the folder for compiled engines, None for none.
    profile: the beginning of the name of a file that ONNX Runtime writes what it did into.
    """

    provider_options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    session_options: Mapping[str, str] = field(default_factory=dict)
    cache: Path | None = None
    profile: Path | None = None


def split(device: str) -> tuple[str, str]:
    """("cuda", "1") from "cuda:1"; the unit is "" where none is named. Raises DeviceError for what is no device."""
    kind, colon, unit = device.partition(":")
    known = KINDS.get(kind)
    if kind == "auto" and not colon:
        return kind, ""
    fits = known and (not colon or (known.unit and (unit.isdecimal() if known.numbered else unit.isidentifier())))
    if not fits:
        raise DeviceError(f"unknown device {device!r}", hint=f"use {NAMES.replace('|', ', ')}")
    return kind, unit


def chain(kind: str, unit: str, tuning: Tuning, threads: int = 1) -> list[tuple[str, Options]]:
    """The providers to ask for, best first, each with its options; the CPU is always the last."""
    wanted = KINDS[kind]
    options: Options = {wanted.unit: unit or "0"} if wanted.unit and wanted.numbered else {}
    if wanted.unit and unit and not wanted.numbered:
        options[wanted.unit] = unit.upper()
    if tuning.cache is not None:
        options |= {name: value.format(tuning.cache) for name, value in wanted.cache.items()}
    if wanted.threads:
        options[wanted.threads] = str(threads)
    names = {entry.provider: name for name, entry in KINDS.items()}
    providers = {wanted.provider: options}
    for provider in (*wanted.before_cpu, CPU):
        providers.setdefault(provider, {"device_id": unit or "0"} if provider == CUDA else {})
    return [(name, {**own, **tuning.provider_options.get(names[name], {})}) for name, own in providers.items()]


def check_options(device: str, tuning: Tuning) -> None:
    """Raise UsageError for options of a kind of device that `device` does not use."""
    kind, unit = split(device)
    used = chain("cuda" if kind == "auto" else kind, unit, Tuning())
    names = [name for name, entry in KINDS.items() if entry.provider in dict(used)]
    for name in tuning.provider_options:
        if name not in names:
            hint = f"--device {device} uses {' and '.join(names)}" if name in KINDS else f"there are {', '.join(KINDS)}"
            raise UsageError(f"{name} is given an option and is not in use", hint=hint)


def missing(kind: str, available: Sequence[str]) -> str | None:
    """Why the installed onnxruntime can not run a kind of device at all; None if it can."""
    if KINDS[kind].provider in available:
        return None
    has = ", ".join(name for name, entry in KINDS.items() if entry.provider in available) or "none that is known"
    return f"the installed onnxruntime has no {KINDS[kind].provider}; it has {has}"
