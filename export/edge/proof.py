"""The proof that an edge file gives what facecli's own plugin gives for the same pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from facecli.contract import AttributeClassifier, AttributePlugin, CropSpec, DetectorPlugin, RecognizerPlugin, Session
from facecli.crops import cutting
from facecli.errors import ExportError
from facecli.export.edge.crops import INPUT
from facecli.export.edge.request import EdgeRequest
from facecli.export.proof.detection import compare_faces
from facecli.export.proof.sessions import FixedRuntime
from facecli.export.proof.tolerances import TOLERANCES, is_of_integers
from facecli.inference.reasons import told
from facecli.inference.session import open_session
from facecli.types import Detections, FloatArray, Image, UInt8Array

OTHER_SIZES = (0.7, 1.5)  # factors on the model's crop: a smaller and a larger crop, which the graph must resize
# Least cosine of an embedding, by whether the crop has the model's own size. Elsewhere the graph resizes it: when
# OpenCV's INTER_AREA enlarges, it takes a neighbouring column where rounding puts a pixel's edge on the wrong side of a
# whole number (105 to 150 px: one column in 150). A network of integers makes more of such a column: one level of a
# pixel here and there is another one of its own 256 (sface: 0.9973).
COSINE = {True: 0.99999, False: 0.999}
COSINE_INT8 = {True: 0.99999, False: 0.99}
# Largest difference of a probability, or of another number as a part of it, by whether the crop has the model's size.
DIFFERENCE = {True: 1e-4, False: 0.05}
# ONNX's Resize and OpenCV's differ by one level in some pixels, and RetinaFace's boxes move for less.
FACES = replace(TOLERANCES["fp32"], iou=0.97, landmarks=1.0)


def prove_crops(request: EdgeRequest, path: Path) -> dict[str, Any]:
    """Compare a recognizer's or attribute model's edge file with its plugin, on crops of the model's size and others.

    Returns the worst figures. Raises ExportError if one is beyond its tolerance, or if there are no crops.
    """
    plugin, spec = request.plugin, request.spec
    assert isinstance(plugin, (RecognizerPlugin, AttributePlugin)) and spec.crop is not None
    run = _runner(plugin, request)
    session = open_session(path)
    cosine = COSINE_INT8 if is_of_integers(session) else COSINE
    figures: dict[str, Any] = {"data": request.samples.data}
    for name, scales in (("own_size", (1.0,)), ("resized", OTHER_SIZES)):
        crops = [crop for scale in scales for crop in request.samples.crops(_scaled(spec.crop, scale))]
        if not crops:
            raise ExportError(f"{path.name}: no faces were found to prove it on", hint="put more pictures there")
        compared = []
        for crop in crops:
            expected = run(cutting.whole(Image(crop, "a crop"), spec.crop))[0]
            (output,) = _outputs(path, session, crop)
            own_size = name == "own_size"
            compared.append(_compare(path.name, plugin, output, expected, (cosine[own_size], DIFFERENCE[own_size])))
        cosines, differences = zip(*compared, strict=True)
        figures[name] = {"crops": len(crops), "cosine": min(cosines), "max_difference": max(differences)}
    return figures


def prove_detector(request: EdgeRequest, path: Path) -> dict[str, Any]:
    """Compare the faces that a detector's edge file finds in real pictures with its plugin's.

    Returns the worst figures. Raises ExportError if one is beyond its tolerance, or if no picture has a face.
    """
    plugin = request.plugin
    assert isinstance(plugin, DetectorPlugin)
    detector = plugin.load(_runtime(request), request.parameters)
    session = open_session(path)
    count, least, farthest = 0, 1.0, 0.0
    pictures = request.samples.pictures()
    for image in pictures:
        (expected,) = detector.detect([image])
        boxes, scores, landmarks = _outputs(path, session, image.pixels)
        iou, shift = compare_faces(path.name, image.source, Detections(boxes, scores, landmarks), expected, FACES)
        count, least, farthest = count + len(expected), min(least, iou), max(farthest, shift or 0.0)
    if not count:
        raise ExportError(f"{plugin.name} finds no face in the {request.samples.data}: nothing was proved")
    return {
        "data": request.samples.data,
        "pictures": len(pictures),
        "faces": count,
        "iou": least,
        "landmarks": farthest,
    }


def _outputs(path: Path, session: Session, pixels: UInt8Array) -> list[FloatArray]:
    try:
        return list(session.run({INPUT: np.ascontiguousarray(pixels)}).values())
    except Exception as error:  # ONNX Runtime's errors share no base class
        raise ExportError(f"{path.name} does not run on {pixels.shape} pixels: {told(error)}") from error


def _runner(plugin: RecognizerPlugin | AttributePlugin, request: EdgeRequest) -> Callable[[UInt8Array], FloatArray]:
    """Return the plugin's own function: crops (N, H, W, 3) uint8 RGB -> one row per crop."""
    if isinstance(plugin, RecognizerPlugin):
        return plugin.load(_runtime(request), request.parameters).embed
    classifier = cast(AttributeClassifier, plugin.load(_runtime(request), request.parameters))
    return classifier.classify


def _runtime(request: EdgeRequest) -> FixedRuntime:
    session: Session = open_session(request.network)
    return FixedRuntime(request.spec.id, {request.spec.files[0].name: session})


def _scaled(spec: CropSpec, scale: float) -> CropSpec:
    """Return the CropSpec of the same view of a face in `scale` times as many pixels per side."""
    width, height = round(spec.width * scale), round(spec.height * scale)
    if spec.template is None:
        return replace(spec, width=width, height=height)
    across, down = width / spec.width, height / spec.height
    a, b, c, d, e = ((x * across, y * down) for x, y in spec.template)
    return replace(spec, width=width, height=height, template=(a, b, c, d, e))


def _compare(
    name: str, plugin: Any, output: FloatArray, expected: FloatArray, limits: tuple[float, float]
) -> tuple[float, float]:
    """Return the cosine and the largest difference of an output and the plugin's.

    limits: the least cosine of an embedding, and the largest difference of another answer as a part of it. Raises
    ExportError beyond the limit.
    """
    if output.shape != expected.shape or output.dtype != expected.dtype:
        raise ExportError(
            f"{name} gives {output.shape} {output.dtype}, {plugin.name} {expected.shape} {expected.dtype}"
        )
    difference = float(np.abs(output.astype(np.float64) - expected).max())
    lengths = float(np.linalg.norm(output.astype(np.float64)) * np.linalg.norm(expected.astype(np.float64)))
    cosine = float(output.astype(np.float64) @ expected / lengths) if lengths else 1.0
    least, most = limits
    if isinstance(plugin, RecognizerPlugin):
        if not cosine >= least:
            raise ExportError(f"{name}: the cosine with {plugin.name}'s embedding is {cosine:.6f}, not {least}")
    elif not difference <= most * max(1.0, float(np.abs(expected).max())):
        raise ExportError(f"{name} is {difference:.3g} from {plugin.name}, the tolerance is {most:g}")
    return cosine, difference
