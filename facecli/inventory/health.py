"""The health of an installation: packages, ONNX Runtime, the device, plugins, and every model by hash and self-test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from facecli.errors import FacecliError, Wording, keyword
from facecli.system.cores import available_cores

if TYPE_CHECKING:
    from pathlib import Path

    from facecli.hosting.problems import Inspector
    from facecli.inference.profiling import Node
    from facecli.inference.providers import Tuning
    from facecli.models.store import ModelStore

RUNTIME_WHEELS = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-directml")
OPENCV_WHEELS = ("opencv-python-headless", "opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")
MOST_STRAYS = 3  # that a finding names


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a health report: its subject, whether that is well, and the finding."""

    subject: str
    ok: bool
    finding: str | FacecliError

    def text(self, wording: Wording = keyword) -> str:
        """Return the finding in words. wording: gives the spelling of a setting's name."""
        return self.finding.text(wording) if isinstance(self.finding, FacecliError) else self.finding


@dataclass(frozen=True, slots=True)
class Examination:
    """A health check of this installation.

    inspector: tries out the plugins. store: where the models are. device, tuning: the device that is tried, and the
    options that it is tried with.
    """

    inspector: Inspector
    store: ModelStore
    device: str
    tuning: Tuning

    def run(self, *, strict: bool = False) -> list[Check]:
        """Run all checks. A part that can not be checked is one more finding, and the other parts go on.

        strict: also profile a run of each embedded model, and name the nodes that ran on the CPU.
        """
        parts = {"packages": packages(), "runtime": self.runtime(), "films": films()}
        if strict:
            parts["nodes"] = self.nodes()
        parts |= {"plugins": self.plugins(), "models": self.models()}
        return [check for part, checks in parts.items() for check in _guarded(part, checks)]

    def runtime(self) -> Iterator[Check]:
        """Load ONNX Runtime, and open a session of an embedded model on the device."""
        from facecli.inference import libraries, providers, session
        from facecli.models import catalogue

        try:
            ort = libraries.import_onnxruntime()
            yield Check("onnxruntime", True, f"{ort.__version__}, providers {', '.join(ort.get_available_providers())}")
            yield Check("telemetry", True, libraries.telemetry())
            path = self.store.path(catalogue.load("mtcnn"), "mtcnn_pnet.onnx")
            provider = session.open_session(path, device=self.device, tuning=self.tuning).provider
            yield Check(f"device {self.device}", True, f"runs on {provider}")
            if providers.split(self.device)[0] in ("auto", "cpu"):
                used = provider == providers.CUDA
                yield Check("cuda", True, "runs" if used else f"not used: {libraries.failure(ort, 'cuda')}")
        except FacecliError as error:
            yield Check(f"device {self.device}", False, error)
        yield Check("cores", True, str(available_cores()))

    def nodes(self) -> Iterator[Check]:
        """Profile a run of each embedded model: which provider ran its nodes, and which strayed to the CPU."""
        from facecli.inference import profiling
        from facecli.models.disk.work import work_folder
        from facecli.models.entries.shipped import EMBEDDED
        from facecli.models.selftests import embedded

        files = embedded.tested_files()
        # On a machine that has nothing else, "auto" is the CPU, and no node strays.
        device = self._automatic_device(EMBEDDED / files[0]) if self.device == "auto" else self.device
        with work_folder(self.store.layout) as folder:
            for file in files:
                run = partial(embedded.largest_difference, file=file)
                nodes = profiling.record(EMBEDDED / file, run, folder, device=device, tuning=self.tuning)
                strays = profiling.strays(nodes, device)
                places = ", ".join(f"{count} on {provider}" for provider, count in _counts(nodes).items())
                names = "".join(f"; on the CPU: {node.operator} {node.name}" for node in strays[:MOST_STRAYS])
                yield Check(f"nodes of {file}", bool(nodes) and not strays, f"{places or 'none was recorded'}{names}")

    def _automatic_device(self, path: Path) -> str:
        """Return the device that "auto" stands for here, by a session of the model file `path`."""
        from facecli.inference import providers, session

        provider = session.open_session(path, device="auto", tuning=self.tuning).provider
        return next(name for name, device in providers.DEVICES.items() if device.provider == provider)

    def plugins(self) -> Iterator[Check]:
        """Try out every plugin, ours and third parties'."""
        inspections = self.inspector.inspect_all()
        problems = [inspection.problem for inspection in inspections if inspection.problem]
        yield from (Check("plugin", False, problem) for problem in problems)
        yield from (Check("plugin", False, error) for error in self.inspector.registry.unreadable)
        yield Check("plugins", True, f"{len(inspections) - len(problems)} of {len(inspections)} work")

    def models(self) -> Iterator[Check]:
        """Hash every installed file of every model, and run its self-test."""
        from facecli.models import catalogue
        from facecli.models.selftests.asking import verify

        for model_id in catalogue.model_ids():
            try:
                spec = catalogue.load(model_id)
                self.store.registration(model_id)  # raises, with the reason, for what `verify` only calls damaged
                files = [file for file in verify(self.store, spec) if file.state != "absent"]
            except FacecliError as error:
                yield Check(f"model {model_id}", False, error)
                continue
            for file in files:
                answer = "" if file.difference is None else f", self-test differs by {file.difference:.1e}"
                yield Check(f"model {file.name}", file.state == "ok", f"{file.state}{answer}")


def packages() -> Iterator[Check]:
    """Look for wheels of ONNX Runtime and of OpenCV: one of each, because two overwrite each other's files."""
    runtimes = _versions(RUNTIME_WHEELS)
    present = [f"{name} {version}" for name, version in runtimes.items()]
    if len(present) > 1:
        cure = f"they overwrite each other: pip uninstall -y {' '.join(runtimes)}, then install one"
        yield Check("onnxruntime wheels", False, f"{' and '.join(present)}; {cure}")
    else:
        finding = present[0] if present else 'none: pip install "facecli[cpu]"'
        yield Check("onnxruntime wheels", bool(present), finding)
    opencvs = [f"{name} {version}" for name, version in _versions(OPENCV_WHEELS).items()]
    advice = "; they overwrite each other, keep opencv-python-headless" if len(opencvs) > 1 else ""
    yield Check("opencv wheels", len(opencvs) == 1, (", ".join(opencvs) or "none") + advice)


def films() -> Iterator[Check]:
    """Look for PyAV, which reads films, and for what it can write. It is well, too, where nobody has installed it."""
    from facecli.film import library, writing

    try:
        finding = f"{library.versions()}, writes {', '.join(writing.codecs()) or 'nothing'}"
    except library.FilmLibraryError as error:
        finding = f"not read: {error.message}; {error.hint}"
    yield Check("films", True, finding)


def _versions(names: Sequence[str]) -> dict[str, str]:
    """Return the versions of those distributions that are installed."""
    from importlib import metadata

    versions = {}
    for name in names:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _counts(nodes: Sequence[Node]) -> dict[str, int]:
    """Return the number of nodes by provider, in alphabetical order."""
    providers = [node.provider for node in nodes]
    return {provider: providers.count(provider) for provider in sorted(set(providers))}


def _guarded(part: str, checks: Iterator[Check]) -> Iterator[Check]:
    """Yield the checks of one part; an error that ends them becomes the last one."""
    try:
        yield from checks
    except FacecliError as error:
        yield Check(part, False, error)
    except Exception as error:  # noqa: BLE001 - whatever is damaged here is what the report is for
        yield Check(part, False, f"{type(error).__name__}: {error}")
