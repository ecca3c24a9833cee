"""The proof that an edge file gives what facecli's own plugin gives for the same pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facecli.contract import AttributePlugin, CropSpec, DetectorPlugin, RecognizerPlugin, Session
from facecli.crops import cutting
from facecli.errors import ExportError, first_line
from facecli.export.edge.crops import INPUT
from facecli.export.proof.bars import BARS
from facecli.export.proof.detection import Bench, compare
from facecli.inference.session import open_session
from facecli.types import Detections, FloatArray, Image, UInt8Array

if TYPE_CHECKING:
    from facecli.export.edge.wanted import Wanted

OTHER_SIZES = (0.7, 1.5)  # of the model's crop: a larger and a smaller one, to be resized in the graph
# At the crop's own size, and where it is resized: when it enlarges, OpenCV's INTER_AREA takes a neighbouring column
# where rounding puts a pixel's edge on the wrong side of a whole number (105 to 150 px: one column in 150).
COSINE = {True: 0.99999, False: 0.999}
# Of boxes: ONNX's Resize and OpenCV's differ by one level in some pixels, and RetinaFace's boxes move for less.
FACES = replace(BARS["fp32"], iou=0.97, landmarks=1.0)
DIFFERENCE = {True: 1e-4, False: 0.05}  # of a probability; of a number, as a part of it


def of_crops(wanted: Wanted, path: Path) -> dict[str, Any]:
    """Compare on real faces, cut in the model's size and in others. Raises ExportError."""
    plugin, spec = wanted.plugin, wanted.spec
    assert isinstance(plugin, (RecognizerPlugin, AttributePlugin)) and spec.crop is not None
    run = _runner(plugin, _bench(wanted), wanted)
    session = open_session(path)
    figures: dict[str, Any] = {"data": wanted.samples.data}
    for name, scales in (("own_size", (1.0,)), ("resized", OTHER_SIZES)):
        crops = [crop for scale in scales for crop in wanted.samples.crops(_scaled(spec.crop, scale))]
        if not crops:
            raise ExportError(f"{path.name}: no faces were found to prove it on", hint="put more pictures there")
        judged = []
        for crop in crops:
            want = run(cutting.whole(Image(crop, "a crop"), spec.crop))[0]
            (got,) = _answer(path, session, crop)
            judged.append(_judge(path.name, plugin, got, want, own=name == "own_size"))
        cosines, differences = zip(*judged, strict=True)
        figures[name] = {"crops": len(crops), "cosine": min(cosines), "max_difference": max(differences)}
    return figures


def of_detector(wanted: Wanted, path: Path) -> dict[str, Any]:
    """Compare the faces found in real pictures. Raises ExportError."""
    plugin = wanted.plugin
    assert isinstance(plugin, DetectorPlugin)
    detector = plugin.load(_bench(wanted), wanted.parameters)
    session = open_session(path)
    count, least, farthest = 0, 1.0, 0.0
    pictures = wanted.samples.pictures()
    for image in pictures:
        (want,) = detector.detect([image])
        boxes, scores, landmarks = _answer(path, session, image.pixels)
        iou, shift = compare(path.name, Detections(boxes, scores, landmarks), want, image.source, FACES)
        count, least, farthest = count + len(want), min(least, iou), max(farthest, shift or 0.0)
    if not count:
        raise ExportError(f"{plugin.name} finds no face in the {wanted.samples.data}: nothing was proved")
    return {"data": wanted.samples.data, "pictures": len(pictures), "faces": count, "iou": least, "landmarks": farthest}


def _answer(path: Path, session: Session, pixels: UInt8Array) -> list[FloatArray]:
    try:
        return list(session.run({INPUT: np.ascontiguousarray(pixels)}).values())
    except Exception as error:  # ONNX Runtime's errors share no base class
        raise ExportError(f"{path.name} does not run on {pixels.shape} pixels: {first_line(error)}") from error


def _runner(
    plugin: RecognizerPlugin | AttributePlugin, bench: Bench, wanted: Wanted
) -> Callable[[UInt8Array], FloatArray]:
    if isinstance(plugin, RecognizerPlugin):
        return plugin.load(bench, wanted.parameters).embed
    return plugin.load(bench, wanted.parameters).classify


def _bench(wanted: Wanted) -> Bench:
    session: Session = open_session(wanted.network)
    return Bench(wanted.spec.id, {wanted.spec.files[0].name: session})


def _scaled(spec: CropSpec, scale: float) -> CropSpec:
    """The same view of a face in a crop of another size."""
    width, height = round(spec.width * scale), round(spec.height * scale)
    if spec.template is None:
        return replace(spec, width=width, height=height)
    across, down = width / spec.width, height / spec.height
    a, b, c, d, e = ((x * across, y * down) for x, y in spec.template)
    return replace(spec, width=width, height=height, template=(a, b, c, d, e))


def _judge(name: str, plugin: Any, got: FloatArray, want: FloatArray, *, own: bool) -> tuple[float, float]:
    """Cosine and largest difference of an output and the plugin's; ExportError where they are too far apart."""
    if got.shape != want.shape or got.dtype != want.dtype:
        raise ExportError(f"{name} gives {got.shape} {got.dtype}, {plugin.name} {want.shape} {want.dtype}")
    difference = float(np.abs(got.astype(np.float64) - want).max())
    lengths = float(np.linalg.norm(got.astype(np.float64)) * np.linalg.norm(want.astype(np.float64)))
    cosine = float(got.astype(np.float64) @ want / lengths) if lengths else 1.0
    if isinstance(plugin, RecognizerPlugin):
        if not cosine >= COSINE[own]:
            raise ExportError(f"{name}: the cosine with {plugin.name}'s embedding is {cosine:.6f}, not {COSINE[own]}")
    elif not difference <= DIFFERENCE[own] * max(1.0, float(np.abs(want).max())):
        raise ExportError(f"{name} is {difference:.3g} from {plugin.name}, the tolerance is {DIFFERENCE[own]:g}")
    return cosine, difference
