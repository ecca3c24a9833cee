"""Making an edge file beside a network's own: embed, prove against facecli's plugin, and only then publish."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.contract import AttributePlugin, DetectorPlugin
from facecli.errors import ExportError, OutputError
from facecli.export.edge.wanted import Wanted
from facecli.export.publish import publish, staging
from facecli.export.weights.source import sha256

if TYPE_CHECKING:
    import onnx


SCHEMA = "facecli.edge-report/1"
SUFFIX = ".edge.onnx"


@dataclass(frozen=True, slots=True)
class EdgeFile:
    """A published file and its proof: the figures of the worst crop or picture. mobile: the same graph as .ort."""

    path: Path
    report: Path
    mobile: Path | None
    size: int
    sha256: str
    model: str
    network_sha256: str
    input: str
    outputs: tuple[str, ...]
    proof: dict[str, Any]


def make(wanted: Wanted, folder: Path, *, mobile: bool = False) -> EdgeFile:
    """Write NAME.edge.onnx and its report into a folder; for mobile builds, NAME.edge.ort too.

    Raises ExportError, and publishes nothing, if a file disagrees with facecli's plugin.
    """
    _require_onnx()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with staging(folder) as temporary:
            made = _make(wanted, temporary, mobile=mobile)
            # The report first: a model without its proof must not be found.
            paths = [made.report, made.path, *([made.mobile] if made.mobile else [])]
            publish([(path, folder / path.name) for path in paths])
            report, path, *also = (folder / path.name for path in paths)
            return replace(made, report=report, path=path, mobile=also[0] if also else None)
    except OSError as error:
        raise OutputError(f"can not write to {folder}: {error.strerror}") from error


def _require_onnx() -> None:
    from importlib.util import find_spec

    if find_spec("onnx") is None:
        raise ExportError("embedding preprocessing needs onnx", hint='pip install "facecli[export]"')


def _make(wanted: Wanted, folder: Path, *, mobile: bool) -> EdgeFile:
    from facecli.export.edge import proof
    from facecli.export.graph import optimize
    from facecli.export.proof import parity

    network = _loaded(wanted.network)
    model, prove = _graph(wanted, network, proof)
    path = folder / f"{_stem(wanted)}{SUFFIX}"
    path.write_bytes(model.SerializeToString(deterministic=True))
    parity.check(path)
    also = path.with_suffix(".ort") if mobile else None
    if also is not None:
        optimize.to_ort(path, also)
        prove(wanted, also)
    made = EdgeFile(
        path=path,
        mobile=also,
        report=folder / f"{path.stem}.report.json",
        size=path.stat().st_size,
        sha256=sha256(path),
        model=wanted.spec.id,
        network_sha256=sha256(wanted.network),
        input=model.graph.input[0].name,
        outputs=tuple(output.name for output in model.graph.output),
        proof=prove(wanted, path),
    )
    told = (
        {"schema": SCHEMA}
        | asdict(made)
        | {"path": path.name, "report": made.report.name, "mobile": also and also.name}
    )
    told["parameters"] = dict(wanted.parameters)
    made.report.write_text(json.dumps(told, indent=2, allow_nan=False) + "\n", "utf-8")
    return made


def _graph(
    wanted: Wanted, network: onnx.ModelProto, proof: Any
) -> tuple[onnx.ModelProto, Callable[[Wanted, Path], dict[str, Any]]]:
    from facecli.export.edge.crops import with_preprocessing
    from facecli.export.edge.detectors import with_decoding

    if isinstance(wanted.plugin, DetectorPlugin):
        return with_decoding(network, _family(wanted), wanted.spec, wanted.parameters), proof.of_detector
    labels = wanted.plugin.labels if isinstance(wanted.plugin, AttributePlugin) else ()
    return with_preprocessing(network, wanted.spec, labels), proof.of_crops


def _family(wanted: Wanted) -> str:
    """The detector plugin that reads the outputs: of a user's file another than the plugin of its name."""
    return (wanted.spec.family or wanted.plugin.name).partition("/")[0]


def _loaded(path: Path) -> onnx.ModelProto:
    import onnx

    try:
        return onnx.load(path)
    except Exception as error:  # protobuf's errors share no base class with onnx's
        raise ExportError(f"{path} can not be read as ONNX: {type(error).__name__}") from error


def _stem(wanted: Wanted) -> str:
    """The name as the catalogue or the export gave it; a file of the store is called by its hash."""
    stem = wanted.network.stem
    return wanted.spec.files[0].name.removesuffix(".onnx") if len(stem) == 64 else stem
