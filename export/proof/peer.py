"""The proof that a detector with its exported file finds the faces that another program finds with the source file.

A detector with the source networks in its hands says nothing about its own decoding; the publisher's program does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from facecli.errors import ExportError
from facecli.export.proof.sessions import load_with
from facecli.geometry import overlap
from facecli.types import Image, UInt8Array

if TYPE_CHECKING:
    from facecli.contract import DetectorPeer, DetectorPlugin, ExportPart
    from facecli.types import Detections


@dataclass(frozen=True, slots=True)
class PeerProof:
    """The distance of a detector's faces from those of another program.

    name: the program's. sizes: px, the longer sides of the pictures. pictures, faces: their numbers, of all sizes.
    boxes, landmarks: the largest shift of a box's side and of a landmark's x or y, in px of those pictures.
    """

    name: str
    sizes: tuple[int, ...]
    pictures: int
    faces: int
    boxes: float
    landmarks: float


def prove_peer(
    peer: DetectorPeer,
    plugin: DetectorPlugin,
    model: str,
    network: tuple[ExportPart, Path],
    pictures: Sequence[Image],
) -> PeerProof:
    """Compare the faces of a detector and of another program, in each picture at each of the peer's sizes.

    network: the model's only network with its exported file. Raises ExportError if the faces differ, or if there is
    none to compare.
    """
    from facecli.inference.session import open_session

    part, path = network
    session = open_session(path, device="cpu")
    compared = []
    for size in peer.sizes:
        detector = load_with({part.file: session}, plugin, model, {**peer.parameters, "size": size})
        for picture in (_resized(picture, size) for picture in pictures):
            (found,) = detector.detect([picture])
            compared.append(_shifts(peer, found, peer.detect(part.source, picture), f"{picture.source} at {size} px"))
    count, boxes, landmarks = zip(*compared, strict=True)
    if not sum(count):
        raise ExportError(f"{peer.name} finds no face to compare")
    return PeerProof(peer.name, peer.sizes, len(compared), sum(count), max(boxes), max(landmarks))


def _resized(picture: Image, size: int) -> Image:
    """Return a picture whose longer side has `size` px."""
    import cv2

    scale = size / max(picture.height, picture.width)
    sides = round(picture.width * scale), round(picture.height * scale)
    pixels: UInt8Array = cv2.resize(picture.pixels, sides).astype(np.uint8)
    return Image(pixels, picture.source)


def _shifts(peer: DetectorPeer, found: Detections, expected: Detections, picture: str) -> tuple[int, float, float]:
    """Return the number of faces, and the largest shift of boxes and landmarks.

    picture: its name, for messages. Raises ExportError beyond the peer's tolerance.
    """
    if len(found) != len(expected):
        raise ExportError(f"{len(found)} faces are found in {picture}, by {peer.name} {len(expected)}")
    if not len(found):
        return 0, 0.0, 0.0
    partner = overlap(expected.bboxes, found.bboxes).argmax(1)
    boxes = float(np.abs(found.bboxes[partner] - expected.bboxes).max())
    assert found.landmarks is not None and expected.landmarks is not None
    landmarks = float(np.abs(found.landmarks[partner] - expected.landmarks).max())
    if not max(boxes, landmarks) <= peer.tolerance:
        shift = f"{max(boxes, landmarks):.3g} px, the tolerance is {peer.tolerance:g} px"
        raise ExportError(f"a face in {picture} is not where {peer.name} finds it: {shift}")
    return len(found), boxes, landmarks
