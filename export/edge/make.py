"""Make an edge file: embed a network's preprocessing, prove the file against facecli's plugin, and then publish it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.contract import AttributePlugin, DetectorPlugin
from facecli.errors import ExportError
from facecli.export.edge.request import EdgeRequest
from facecli.export.publish import output_staging, publish
from facecli.export.weights.source import sha256

if TYPE_CHECKING:
    import onnx

    Proof = Callable[[EdgeRequest, Path], dict[str, Any]]


SCHEMA = "facecli.edge-report/1"
SUFFIX = ".edge.onnx"


@dataclass(frozen=True, slots=True)
class EdgeFile:
    """A published edge file and its report.

    mobile: the same graph in ONNX Runtime's own format, if it was asked for. size: bytes. model: the model's id.
    network_sha256: of the network's own file. input, outputs: names in the graph. proof: the figures of the worst crop
    or picture.
    """

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


def make_edge_file(request: EdgeRequest, folder: Path, *, mobile: bool = False) -> EdgeFile:
    """Write NAME.edge.onnx and its report into a folder. mobile: write NAME.edge.ort too, for mobile builds.

    Raises ExportError, and publishes nothing, if a file disagrees with facecli's plugin; OutputError if the folder can
    not be written to.
    """
    _require_onnx()
    with output_staging(folder) as staged:
        file = _staged_file(request, staged, mobile=mobile)
        # The report first: a model without its proof must not be found.
        publish([file.report, file.path, *([file.mobile] if file.mobile else [])], folder)
    return replace(
        file,
        report=folder / file.report.name,
        path=folder / file.path.name,
        mobile=folder / file.mobile.name if file.mobile else None,
    )


def _require_onnx() -> None:
    from importlib.util import find_spec

    if find_spec("onnx") is None:
        raise ExportError("embedding preprocessing needs onnx", hint='pip install "facecli[export]"')


def _staged_file(request: EdgeRequest, folder: Path, *, mobile: bool) -> EdgeFile:
    """Write, check and prove an edge file and its report in a staging folder."""
    from facecli.export.graph import optimize
    from facecli.export.proof import parity

    model, prove = _graph(request)
    path = folder / f"{_stem(request)}{SUFFIX}"
    path.write_bytes(model.SerializeToString(deterministic=True))
    parity.check(path)
    mobile_path = path.with_suffix(".ort") if mobile else None
    if mobile_path is not None:
        optimize.to_ort(path, mobile_path)
        prove(request, mobile_path)
    file = EdgeFile(
        path=path,
        mobile=mobile_path,
        report=folder / f"{path.stem}.report.json",
        size=path.stat().st_size,
        sha256=sha256(path),
        model=request.spec.id,
        network_sha256=sha256(request.network),
        input=model.graph.input[0].name,
        outputs=tuple(output.name for output in model.graph.output),
        proof=prove(request, path),
    )
    report = {"schema": SCHEMA} | asdict(file)
    report |= {"path": path.name, "report": file.report.name, "mobile": mobile_path and mobile_path.name}
    report["parameters"] = dict(request.parameters)
    file.report.write_text(json.dumps(report, indent=2, allow_nan=False) + "\n", "utf-8")
    return file


def _graph(request: EdgeRequest) -> tuple[onnx.ModelProto, Proof]:
    """Return the graph of an edge file, and the proof for its kind of plugin."""
    from facecli.export.edge import proof
    from facecli.export.edge.crops import with_preprocessing
    from facecli.export.edge.detectors import with_decoding

    network = _read_network(request.network)
    if isinstance(request.plugin, DetectorPlugin):
        return with_decoding(network, _family(request), request.spec, request.parameters), proof.prove_detector
    labels = request.plugin.labels if isinstance(request.plugin, AttributePlugin) else ()
    return with_preprocessing(network, request.spec, labels), proof.prove_crops


def _family(request: EdgeRequest) -> str:
    """Return the built-in detector that reads the outputs; a user's model has another name than its family."""
    return (request.spec.family or request.plugin.name).partition("/")[0]


def _read_network(path: Path) -> onnx.ModelProto:
    import onnx

    try:
        return onnx.load(path)
    except Exception as error:  # protobuf's errors share no base class with onnx's
        raise ExportError(f"{path} can not be read as ONNX: {type(error).__name__}") from error


def _stem(request: EdgeRequest) -> str:
    """Return the network's name without its suffix; a file of the model store is called by its hash, so the spec's."""
    stem = request.network.stem
    return request.spec.files[0].name.removesuffix(".onnx") if len(stem) == 64 else stem
