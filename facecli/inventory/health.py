"""TODO: facecli.inventory.health."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from facecli.system.cores import available_cores

if TYPE_CHECKING:
    from pathlib import Path

    from facecli.inference.profiling import Node
    from facecli.inference.providers import Tuning


Check = tuple[str, bool, str]  # what, whether it is well, what was found


def _survived(part: str, checks: Iterator[Check]) -> Iterator[Check]:
    """The checks of one part; what stops them is one more finding, and the other parts go on."""
    from facecli.errors import FacecliError

    try:
        yield from checks
    except FacecliError as error:
        yield part, False, str(error)
    except Exception as error:  # noqa: BLE001 - whatever is damaged here, it is what doctor is asked to tell
        yield part, False, f"{type(error).__name__}: {error}"


def _packages() -> Iterator[Check]:
    from importlib import metadata

    def version(name: str) -> str | None:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            return None

    runtimes = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino", "onnxruntime-directml")
    wheels = {name: version(name) for name in runtimes}
    present = [f"{name} {found}" for name, found in wheels.items() if found]
    if len(present) > 1:
        both = " ".join(name for name, found in wheels.items() if found)
        cure = f"they overwrite each other: pip uninstall -y {both}, then install one"
        yield "onnxruntime wheels", False, f"{' and '.join(present)}; {cure}"
    else:
        yield "onnxruntime wheels", bool(present), present[0] if present else 'none: pip install "facecli[cpu]"'
    names = ("opencv-python-headless", "opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")
    found = {name: version(name) for name in names}
    several = [f"{name} {number}" for name, number in found.items() if number]
    advice = "; they overwrite each other, keep opencv-python-headless" if len(several) > 1 else ""
    yield "opencv wheels", len(several) == 1, (", ".join(several) or "none") + advice


def _runtime(device: str, tuning: Tuning) -> Iterator[Check]:
    from facecli.cli import context
    from facecli.errors import FacecliError
    from facecli.inference import libraries, providers, session
    from facecli.models import catalogue

    try:
        ort = libraries.import_onnxruntime()
        yield "onnxruntime", True, f"{ort.__version__}, providers {', '.join(ort.get_available_providers())}"
        path = context.open_store().path(catalogue.load("mtcnn"), "mtcnn_pnet.onnx")
        provider = session.open_session(path, device=device, tuning=tuning).provider
        yield f"device {device}", True, f"runs on {provider}"
        if providers.split(device)[0] in ("auto", "cpu"):
            used = provider == providers.CUDA
            yield "cuda", True, "runs" if used else f"not used: {libraries.failure(ort, 'cuda')}"
    except FacecliError as error:
        yield f"device {device}", False, str(error)
    yield "cores", True, str(available_cores())


def _nodes(device: str, tuning: Tuning) -> Iterator[Check]:
    """Where the nodes of the embedded models run."""
    from facecli.inference import profiling
    from facecli.models.entries.shipped import EMBEDDED
    from facecli.models.selftests import embedded

    if device == "auto":  # which is the CPU where nothing else runs
        device = _what_auto_is(EMBEDDED / embedded.tested_files()[0], tuning)
    for file in embedded.tested_files():
        nodes = profiling.record(
            EMBEDDED / file, partial(embedded.largest_difference, file=file), device=device, tuning=tuning
        )
        strays = profiling.strays(nodes, device)
        places = ", ".join(f"{len(own)} on {name}" for name, own in _by_provider(nodes).items())
        told = "".join(f"; on the CPU: {node.operator} {node.name}" for node in strays[:3])
        yield f"nodes of {file}", bool(nodes) and not strays, f"{places or 'none was recorded'}{told}"


def _what_auto_is(path: Path, tuning: Tuning) -> str:
    from facecli.inference import providers, session

    provider = session.open_session(path, device="auto", tuning=tuning).provider
    return next(name for name, device in providers.DEVICES.items() if device.provider == provider)


def _by_provider(nodes: Sequence[Node]) -> dict[str, list[Node]]:
    return {name: [node for node in nodes if node.provider == name] for name in sorted({n.provider for n in nodes})}


def _plugins() -> Iterator[Check]:
    from facecli.cli.inspection import inspector

    plugins = inspector()
    inspections = plugins.inspect_all()
    problems = [inspection.problem for inspection in inspections if inspection.problem]
    for problem in [*problems, *map(str, plugins.registry.unreadable)]:
        yield "plugin", False, problem
    yield "plugins", True, f"{len(inspections) - len(problems)} of {len(inspections)} work"


def _models() -> Iterator[Check]:
    from facecli.cli import context
    from facecli.errors import FacecliError
    from facecli.models import catalogue
    from facecli.models.selftests.asking import verified

    store = context.open_store()
    for model_id in catalogue.model_ids():
        try:
            spec = catalogue.load(model_id)
            store.registration(model_id)  # raises what `verified` would only call damaged
            rows = [row for row in verified(spec, store) if row["state"] != "absent"]
        except FacecliError as error:
            yield f"model {model_id}", False, str(error)
            continue
        for row in rows:
            difference = row["selftest_difference"]
            detail = row["state"] if difference is None else f"{row['state']}, self-test differs by {difference:.1e}"
            yield f"model {row['file']}", row["state"] == "ok", detail
