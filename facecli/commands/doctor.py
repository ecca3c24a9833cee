"""`facecli doctor`: would it run here, on what, and if not, why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from facecli.commands import _options as options

Check = tuple[str, bool, str]  # what, whether it is well, what was found


@click.command()
@click.option(
    "--device", default="auto", envvar="FACECLI_DEVICE", metavar="auto|cpu|cuda[:N]", help="The device that must run."
)
@options.output_options
def command(device: str, **kwargs: Any) -> int:
    """Check whether it would run here, and on what.

    ONNX Runtime, device, plugins, and each model by its hash and self-test. Exits with 4 if something is not well.
    """
    from facecli import records
    from facecli.commands import _work

    sink = _work.open_output(options.Settings(**kwargs))
    with sink.opened():
        parts = {
            "packages": _packages(),
            "runtime": _runtime(device),
            "plugins": _plugins(),
            "models": _models(),
        }
        checks = [check for part, found in parts.items() for check in _survived(part, found)]
    rows = [{"check": what, "ok": ok, "found": found} for what, ok, found in checks]
    sink.document(records.header("doctor", healthy=all(ok for _, ok, _ in checks), checks=rows), rows)
    return 0 if all(ok for _, ok, _ in checks) else 4


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

    wheels = {name: version(name) for name in ("onnxruntime", "onnxruntime-gpu")}
    present = [f"{name} {found}" for name, found in wheels.items() if found]
    if len(present) > 1:
        cure = "they overwrite each other: pip uninstall -y onnxruntime onnxruntime-gpu, then install one"
        yield "onnxruntime wheels", False, f"{' and '.join(present)}; {cure}"
    else:
        yield "onnxruntime wheels", bool(present), present[0] if present else 'none: pip install "facecli[cpu]"'
    names = ("opencv-python-headless", "opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")
    found = {name: version(name) for name in names}
    several = [f"{name} {number}" for name, number in found.items() if number]
    advice = "; they overwrite each other, keep opencv-python-headless" if len(several) > 1 else ""
    yield "opencv wheels", len(several) == 1, (", ".join(several) or "none") + advice


def _runtime(device: str) -> Iterator[Check]:
    from facecli import runtime
    from facecli.commands import _work
    from facecli.errors import FacecliError
    from facecli.models import catalogue

    try:
        ort = runtime.import_onnxruntime()
        yield "onnxruntime", True, f"{ort.__version__}, providers {', '.join(ort.get_available_providers())}"
        path = _work.open_store().path(catalogue.load("mtcnn"), "mtcnn_pnet.onnx")
        provider = runtime.open_session(path, device=device).provider
        yield f"device {device}", True, f"runs on {provider}"
        if not device.startswith("cuda"):
            yield "cuda", True, "runs" if provider.startswith("CUDA") else f"not used: {runtime.cuda_failure(ort)}"
    except FacecliError as error:
        yield f"device {device}", False, str(error)
    yield "cores", True, str(runtime.available_cores())


def _plugins() -> Iterator[Check]:
    from facecli.commands import _work
    from facecli.commands.plugins import find_problem
    from facecli.registry import KINDS

    registry = _work.registry()
    entries = [entry for kind in KINDS for entry in registry.entries(kind)]
    problems = [problem for entry in entries if (problem := find_problem(registry, entry))]
    broken = len(problems)
    problems += [str(error) for error in registry.unreadable]
    for problem in problems:
        yield "plugin", False, problem
    yield "plugins", True, f"{len(entries) - broken} of {len(entries)} work"


def _models() -> Iterator[Check]:
    from facecli.commands import _work
    from facecli.commands.models_verify import verified
    from facecli.errors import FacecliError
    from facecli.models import catalogue

    store = _work.open_store()
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
