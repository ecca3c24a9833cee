"""Running the conformance checks on one plugin and collecting their results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from facecli.contract import AttributePlugin, DetectorPlugin, RecognizerPlugin, Runtime, TrackerPlugin
from facecli.contract.plugin import PLUGINS, Plugin
from facecli.errors import ContractError, DeviceError, ModelError, PluginError
from facecli.hosting.loader import make_runtime
from facecli.hosting.registry import Registry
from facecli.inference.reasons import told
from facecli.kinds import Kind
from facecli.models.store import ModelStore
from facecli.testing import behaviour, descriptors, silence, statements
from facecli.testing.following import TrackerSubject
from facecli.testing.subjects import Subject, subject_of
from facecli.types import Image


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check. detail: what is wrong, "" if it passed."""

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
    """Run every check that fits a plugin: a descriptor, or the name of an installed plugin of this kind.

    kind: may be left out if only one kind of plugin has the name.
    picture: a picture with a face. A detector must find it; the other kinds get it as one more crop.
    runtime: replaces the default, which is the CPU with one thread and the models that are installed.
    tolerance: allowed difference, absolute and relative, between an input alone and in a batch, and between threads.
    Raises PluginError if there is no such plugin, ModelError or DeviceError if its model or device is missing.
    """
    descriptor, kind = _resolve(plugin, kind)
    results = [_result("descriptor", descriptors.require_valid, descriptor)]
    if isinstance(plugin, str):
        results.append(_result("import", silence.require_light_import, kind, plugin))
    results.append(_result("files", statements.require_files, descriptor))
    if not (results[0].passed and results[-1].passed):
        return results  # the other checks rely on the fields and the files
    with silence.captured_stdout() as printed:
        subject: Subject | TrackerSubject
        if isinstance(descriptor, TrackerPlugin):
            subject = TrackerSubject(descriptor, runtime or _cpu(descriptor))
        else:
            subject = subject_of(descriptor, runtime or _cpu(descriptor), picture, tolerance)
        results += _behaviour(subject)
        results.append(_result("stdout", silence.require_nothing, printed()))
    return results


def assert_conforms(
    plugin: str | Plugin,
    kind: Kind | None = None,
    *,
    picture: Image | None = None,
    runtime: Runtime | None = None,
    tolerance: float = 1e-4,
) -> None:
    """Raise ConformanceError with every check of `run_checks` that fails; its arguments are explained there."""
    results = run_checks(plugin, kind, picture=picture, runtime=runtime, tolerance=tolerance)
    failures = [f"{result.name}: {result.detail}" for result in results if not result.passed]
    if failures:
        raise ConformanceError("\n".join(failures))


def check_detector(plugin: str | DetectorPlugin, *, picture: Image | None = None) -> None:
    """Raise ConformanceError unless a detector keeps the contract. picture: one with a face, which it must find."""
    assert_conforms(plugin, "detectors", picture=picture)


def check_recognizer(plugin: str | RecognizerPlugin, *, picture: Image | None = None) -> None:
    """Raise ConformanceError unless a recognizer keeps the contract. picture: becomes one more crop."""
    assert_conforms(plugin, "recognizers", picture=picture)


def check_attribute(plugin: str | AttributePlugin, *, picture: Image | None = None) -> None:
    """Raise ConformanceError unless an attribute model keeps the contract. picture: becomes one more crop."""
    assert_conforms(plugin, "attributes", picture=picture)


def check_tracker(plugin: str | TrackerPlugin) -> None:
    """Raise ConformanceError unless a tracker keeps the contract."""
    assert_conforms(plugin, "trackers")


def _resolve(plugin: str | Plugin, kind: Kind | None) -> tuple[Plugin, Kind]:
    if not isinstance(plugin, str):
        kinds = [k for k, descriptor in PLUGINS.items() if isinstance(plugin, descriptor) and kind in (None, k)]
        if not kinds:
            raise PluginError(f"{type(plugin).__name__} is no descriptor of {kind or ', '.join(PLUGINS)}")
        return plugin, kinds[0]
    registry = Registry()
    kinds = [k for k in PLUGINS if plugin in registry.names(k)] if kind is None else [kind]
    if len(kinds) != 1 or kinds[0] not in PLUGINS:
        installed = ", ".join(name for k in PLUGINS for name in registry.names(k))
        message = f"{plugin!r} names no plugin, or several, that can be checked"
        raise PluginError(message, hint=f"installed: {installed}")
    return registry.load(kinds[0], plugin, PLUGINS[kinds[0]]), kinds[0]


def _cpu(descriptor: Plugin) -> Runtime:
    return make_runtime((descriptor,), ModelStore(), device="cpu", threads=1)


def _behaviour(subject: Subject | TrackerSubject) -> list[CheckResult]:
    results = []
    for name, require in behaviour.checks_for(subject).items():
        results.append(_result(name, require, subject))
        if not results[-1].passed and name in behaviour.NEEDED:
            break
    return results


def _result(name: str, require: Callable[..., None], *arguments: object) -> CheckResult:
    try:
        require(*arguments)
    except (ModelError, DeviceError, KeyboardInterrupt):
        raise  # a file or a device is missing: that is no fault of the plugin
    except ContractError as error:
        return CheckResult(name, passed=False, detail=error.text())
    except BaseException as error:  # noqa: BLE001 - whatever a plugin raises is a finding
        return CheckResult(name, passed=False, detail=told(error))
    return CheckResult(name, passed=True, detail="")
