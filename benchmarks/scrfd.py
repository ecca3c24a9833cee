"""Our scrfd beside the package insightface: the same ONNX files, one process, the same OpenCV, in turns.

Same boxes and landmarks from the detector alone; time from a decoded picture to the embeddings of all its faces, with
SCRFD-500M and MobileFaceNet: insightface's FaceAnalysis.get against our detector, crops and recognizer.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import common
import cv2
import numpy as np
from insightface.app import FaceAnalysis
from insightface.model_zoo.scrfd import SCRFD

from facecli.crops import cutting
from facecli.geometry import overlap
from facecli.hosting.choice import Choice
from facecli.hosting.loader import Loader
from facecli.hosting.registry import Registry
from facecli.hosting.toolbox import Toolbox
from facecli.models.store import ModelStore
from facecli.pictures import codec
from facecli.types import Image, Limits

MODELS = {"500m": "scrfd_500m_kps.onnx", "2.5g": "scrfd_2.5g_kps.onnx"}
THRESHOLD = 0.5  # insightface's own


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument(
        "--pictures", type=Path, default=common.SHARED / "data" / "wider_dev.zip", help="folder or zip"
    )
    options.add_argument("--timed", type=Path, nargs="*", help="pictures to time; default: a group and a portrait")
    options.add_argument("--no-boxes", action="store_true", help="time alone")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--rounds", type=int, default=15)
    given = options.parse_args()
    cv2.setNumThreads(given.threads)
    figures = []
    if not given.no_boxes:
        with common.folder(given.pictures) as root:
            pictures = [read(path) for path in sorted(root.rglob("*.jpg"))]
        for name, file in MODELS.items():
            figures += compared(name, common.SHARED / "models" / file, pictures)
    timed = given.timed or default_pictures()
    figures += [own for path in timed for own in raced(read(path), given.threads, given.rounds)]
    common.tell(figures, as_json=given.json)


def compared(name: str, path: Path, pictures: list[Image]) -> list[common.Figure]:
    """The boxes and landmarks of both on every picture."""
    theirs = SCRFD(str(path))
    theirs.prepare(0, input_size=(640, 640), det_thresh=THRESHOLD)
    ours = tools(name, 2).detector
    least, most, faces, unmatched = 1.0, 0.0, 0, 0
    for picture in pictures:
        boxes, points = theirs.detect(np.ascontiguousarray(picture.pixels[..., ::-1]))
        found = ours.detect([picture])[0]
        assert found.landmarks is not None
        faces += len(boxes)
        if len(boxes) != len(found):
            unmatched += abs(len(boxes) - len(found))
            continue
        if len(boxes):
            shared = overlap(boxes[:, :4].astype(np.float32), found.bboxes)
            match = shared.argmax(1)
            least = min(least, float(shared.max(1).min()))
            most = max(most, float(np.abs(points - found.landmarks[match]).max()))
    return [
        common.figure(f"scrfd {name}: least IoU with insightface, {faces} faces", least, "{:.6f}", least=0.99),
        common.figure(f"scrfd {name}: landmarks, px from insightface's", most, "{:.5f}", most=1.0),
        common.figure(f"scrfd {name}: faces that one has and the other has not", unmatched, "{:.0f}", most=0),
    ]


def raced(picture: Image, threads: int, rounds: int) -> list[common.Figure]:
    """Time of both for one picture, from its pixels to the embeddings."""
    pixels = np.ascontiguousarray(picture.pixels[..., ::-1])
    both = tools("500m", threads, "mobilefacenet")
    with tempfile.TemporaryDirectory() as folder:
        for file in (MODELS["500m"], "mobilefacenet.onnx"):
            shutil.copy(common.SHARED / "models" / file, folder)
        theirs = FaceAnalysis(folder, providers=["CPUExecutionProvider"])
        theirs.prepare(0, det_size=(640, 640), det_thresh=THRESHOLD)
        faces = len(theirs.get(pixels))
        actions: dict[str, Callable[[], object]] = {
            "theirs": lambda: theirs.get(pixels),
            "ours": lambda: through(both, picture),
        }
        seconds = common.medians(common.interleaved(actions, rounds, rest=common.REST, ahead=1))
    place = f"{picture.source} {picture.width}x{picture.height}, {faces} faces"
    assert len(through(both, picture)) == faces
    ratio = seconds["ours"] / seconds["theirs"]
    return [
        common.figure(f"insightface, ms: {place}", seconds["theirs"] * 1e3),
        common.figure("facecli, ms", seconds["ours"] * 1e3),
        common.figure("facecli / insightface", ratio, "{:.2f}", most=0.7),
    ]


def through(own: Toolbox, picture: Image) -> Any:
    """The embeddings of a picture's faces."""
    assert own.recognizer_plugin is not None
    (found,) = own.detector.detect([picture])
    return own.recognizer.embed(cutting.cut(picture, found, own.recognizer_plugin.crop))


def tools(model: str, threads: int, recognizer: str | None = None) -> Toolbox:
    """Our plugins; one look at the picture, as insightface takes with a file of fixed size."""
    parameters = {"scrfd": {"model": model, "multi_scale": "never", "score_threshold": THRESHOLD}}
    choice = Choice("scrfd", recognizer, (), parameters)
    own = Toolbox(choice, Loader(Registry(third_party=False), ModelStore(), device="cpu", threads=threads))
    own.wait()
    return own


def read(path: Path) -> Image:
    """A picture file."""
    return codec.decode(path.read_bytes(), path.name, Limits())


def default_pictures() -> list[Path]:
    """A group of six, 1280x886, that comes with insightface, and our portrait of 512x512."""
    import insightface

    group = Path(insightface.__file__).parent / "data" / "images" / "t1.jpg"
    return [group, Path(__file__).resolve().parents[1] / "examples" / "collins.jpg"]


if __name__ == "__main__":
    main()
