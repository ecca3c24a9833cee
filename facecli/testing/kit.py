"""Runs the checks on one plugin and collects what they found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from facecli.contract import AttributePlugin, DetectorPlugin, RecognizerPlugin, Runtime
from facecli.contract.kinds import Kind
from facecli.contract.plugin import PLUGINS, Plugin
from facecli.errors import ContractError, DeviceError, ModelError, PluginError
from facecli.hosting.loader import make_runtime
from facecli.hosting.registry import Registry
from facecli.models.store import ModelStore
from facecli.testing import behaviour, descriptors, silence
from facecli.testing.subjects import Subject, subject_of
from facecli.types import Image


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check found; `detail` says what is wrong, or is empty."""

    name: str
    passed: bool
    detail: str


class ConformanceError(AssertionError):
    """A plugin does not keep the contract; the message has one line per failed check."""


def run_checks(
    plugin: str | Plugin,
    kind: Kind | None = None,
    *,
    picture: Image | None = None,
    runtime: Runtime | None = None,
    tolerance: float = 1e-4,
) -> list[CheckResult]:
    """Run every check that fits the plugin: a descriptor, or the name of an installed one (of this kind).

    picture: a picture with a face; a detector must find it, the other kinds get it as one more crop.
    runtime: instead of the default one, which is the CPU with one thread.
    tolerance: allowed, absolute and relative, between an input alone and in a batch, and between threads.
    Raises PluginError if no such plugin can be had, ModelError or DeviceError if what it needs is not there.
    """
    descriptor, kind = _resolve(plugin, kind)
    results = [_checked("descriptor", descriptors.require_valid, descriptor)]
    if isinstance(plugin, str):
        results.append(_checked("import", silence.require_light_import, kind, plugin))
    if not results[0].passed:
        return results  # the other checks would stumble over the fields that are wrong
    with silence.captured_stdout() as printed:
        subject = subject_of(descriptor, runtime or _cpu(descriptor), picture, tolerance)
        results += _behaviour(subject)
        results.append(_checked("stdout", silence.require_nothing, printed()))
    return results


def assert_conforms(
    plugin: str | Plugin,
    kind: Kind | None = None,
    *,
    picture: Image | None = None,
    runtime: Runtime | None = None,
    tolerance: float = 1e-4,
) -> None:
    """Raise ConformanceError naming every check of `run_checks` that fails."""
    results = run_checks(plugin, kind, picture=picture, runtime=runtime, tolerance=tolerance)
    failed = [f"{result.name}: {result.detail}" for result in results if not result.passed]
    if failed:
        raise ConformanceError("\n".join(failed))


def check_detector(plugin: str | DetectorPlugin, *, picture: Image | None = None) -> None:
    """Raise ConformanceError unless the detector keeps the contract."""
    assert_conforms(plugin, "detectors", picture=picture)


def check_recognizer(plugin: str | RecognizerPlugin, *, picture: Image | None = None) -> None:
    """Raise ConformanceError unless the recognizer keeps the contract."""
    assert_conforms(plugin, "recognizers", picture=picture)


def check_attribute(plugin: str | AttributePlugin, *, picture: Image | None = None) -> None:
    """Raise ConformanceError unless the attribute model keeps the contract."""
    assert_conforms(plugin, "attributes", picture=picture)


def _resolve(plugin: str | Plugin, kind: Kind | None) -> tuple[Plugin, Kind]:
    if not isinstance(plugin, str):
        found = [k for k, expected in PLUGINS.items() if isinstance(plugin, expected) and kind in (None, k)]
        if not found:
            raise PluginError(f"{type(plugin).__name__} is no descriptor of {kind or ', '.join(PLUGINS)}")
        return plugin, found[0]
    registry = Registry()
    kinds = [k for k in PLUGINS if plugin in registry.names(k)] if kind is None else [kind]
    if len(kinds) != 1 or kinds[0] not in PLUGINS:
        known = ", ".join(name for k in PLUGINS for name in registry.names(k))
        raise PluginError(f"{plugin!r} names no plugin, or several, that can be checked", hint=f"installed: {known}")
    return registry.load(kinds[0], plugin, PLUGINS[kinds[0]]), kinds[0]


def _cpu(descriptor: Plugin) -> Runtime:
    return make_runtime((descriptor,), ModelStore(), device="cpu", threads=1)


def _behaviour(subject: Subject) -> list[CheckResult]:
    results = []
    for name, require in behaviour.checks_for(subject).items():
        results.append(_checked(name, require, subject))
        if not results[-1].passed and name in behaviour.NEEDED:
            break  # what follows would only say the same again
    return results


def _checked(name: str, require: Callable[..., None], *arguments: object) -> CheckResult:
    try:
        require(*arguments)
    except (ModelError, DeviceError):
        raise  # says nothing about the plugin: a file or a device is missing
    except ContractError as error:
        return CheckResult(name, passed=False, detail=error.message)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plugin raises is a finding
        first_line = (str(error).splitlines() or [""])[0]
        return CheckResult(name, passed=False, detail=f"{type(error).__name__}: {first_line}".removesuffix(": "))
    return CheckResult(name, passed=True, detail="")
