"""The ONNX Runtime providers, and their options, for the device that a user names.

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
class Device:
    """A kind of device that a user can name, as "cuda" in "cuda:1".

    provider: ONNX Runtime's name of what runs there. unit: the provider's option for the part behind the colon.
    numbered: that part is a number. before_cpu: providers that run what this one can not, ahead of the CPU.
    cache: options that make the provider keep its compiled engines in a folder; "{}" stands for the folder.
    threads: the provider's option for the number of CPU threads. sequential: the provider supports neither memory
    patterns nor parallel execution.
    """

    provider: str
    unit: str | None = None
    numbered: bool = True
    before_cpu: tuple[str, ...] = ()
    cache: Mapping[str, str] = field(default_factory=dict)
    threads: str | None = None
    sequential: bool = False


DEVICES: Mapping[str, Device] = {
    "cpu": Device(CPU),
    "cuda": Device(CUDA, "device_id"),
    "tensorrt": Device(
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
    "openvino": Device(
        "OpenVINOExecutionProvider",
        "device_type",
        numbered=False,
        cache={"cache_dir": "{}"},
        threads="num_of_threads",
    ),
    "coreml": Device("CoreMLExecutionProvider", cache={"ModelCacheDirectory": "{}"}),
    "directml": Device(
        "DmlExecutionProvider",
        "device_id",
        sequential=True,
    ),
    "xnnpack": Device("XnnpackExecutionProvider", threads="intra_op_num_threads"),
}
NAMES = "auto|" + "|".join(f"{name}[:N]" if device.unit else name for name, device in DEVICES.items())


@dataclass(frozen=True, slots=True)
class Tuning:
    """Settings of ONNX Runtime beyond the device and the number of threads.

    provider_options: kind of device -> option -> value, as ONNX Runtime names them. session_options: entries of its
    configuration, such as session.intra_op.allow_spinning -> value. cache: the folder for compiled engines, None for
    none. profile: path and beginning of the name of the file that ONNX Runtime writes a profile into, None for none.
    """

    provider_options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    session_options: Mapping[str, str] = field(default_factory=dict)
    cache: Path | None = None
    profile: Path | None = None


def split(device: str) -> tuple[str, str]:
    """Return kind and unit of a device: ("cuda", "1") for "cuda:1", ("cuda", "") for "cuda".

    Raises DeviceError for a text that names no device.
    """
    kind, colon, unit = device.partition(":")
    if kind == "auto" and not colon:
        return kind, ""
    entry = DEVICES.get(kind)
    if entry is None or (colon and not _is_unit(unit, entry)):
        raise DeviceError(f"unknown device {device!r}", hint=f"use {NAMES.replace('|', ', ')}")
    return kind, unit


def _is_unit(text: str, device: Device) -> bool:
    return device.unit is not None and (text.isdecimal() if device.numbered else text.isidentifier())


def uses_cuda(kind: str) -> bool:
    """Return whether a kind of device needs NVIDIA's driver and libraries: "cuda" and "tensorrt"."""
    return CUDA in (DEVICES[kind].provider, *DEVICES[kind].before_cpu)


def chain(kind: str, unit: str, tuning: Tuning, threads: int = 1) -> list[tuple[str, Options]]:
    """Return the providers for a kind of device with their options, best first; the CPU is always the last.

    unit: the part of the device behind the colon, "" for the first or default one. threads: CPU threads of one run.
    """
    device = DEVICES[kind]
    options: Options = {device.unit: unit or "0"} if device.unit and device.numbered else {}
    if device.unit and unit and not device.numbered:
        options[device.unit] = unit.upper()
    if tuning.cache is not None:
        options |= {name: value.format(tuning.cache) for name, value in device.cache.items()}
    if device.threads:
        options[device.threads] = str(threads)
    kinds = {other.provider: name for name, other in DEVICES.items()}
    providers = {device.provider: options}
    for provider in (*device.before_cpu, CPU):
        providers.setdefault(provider, {"device_id": unit or "0"} if provider == CUDA else {})
    user = tuning.provider_options
    return [(name, {**defaults, **user.get(kinds[name], {})}) for name, defaults in providers.items()]


def check_options(device: str, tuning: Tuning) -> None:
    """Raise UsageError if the tuning has options for a kind of device that `device` does not use."""
    kind, unit = split(device)
    used = chain("cuda" if kind == "auto" else kind, unit, Tuning())
    kinds = [name for name, other in DEVICES.items() if other.provider in dict(used)]
    for name in tuning.provider_options:
        if name not in kinds:
            used_here = f"{{device}} {device} uses {' and '.join(kinds)}"
            hint = used_here if name in DEVICES else f"there are {', '.join(DEVICES)}"
            raise UsageError(f"{name} is given an option and is not in use", hint=hint, about="device")


def missing(kind: str, available: Sequence[str]) -> str | None:
    """Return why the installed onnxruntime can never run a kind of device; None if it has the provider.

    available: the names of the providers that the installed wheel has.
    """
    if DEVICES[kind].provider in available:
        return None
    has = ", ".join(name for name, device in DEVICES.items() if device.provider in available) or "none that is known"
    return f"the installed onnxruntime has no {DEVICES[kind].provider}; it has {has}"
