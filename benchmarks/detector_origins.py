"""Our detectors beside the code that their users come from, on the same pixels, in turns.

yunet: OpenCV's FaceDetectorYN. yolov8-face and yolov5-face: the forward pass alone of OpenCV's DNN module, which runs
these files in the repositories that they are from. retinaface: the forward pass alone of its network in PyTorch. haar:
OpenCV's detectMultiScale3 with level weights, as deepface calls it. scrfd.py and mtcnn.py are for the other two.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path

import common
import cv2
import numpy as np
from detectors import loaded, shrunk

from facecli.contract import Detector
from facecli.types import Image

MODELS = common.SHARED / "models"


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--pictures", type=int, default=6)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--only", nargs="*", help="these detectors")
    given = options.parse_args()
    cv2.setNumThreads(given.threads)
    figures = []
    with common.folder(common.SHARED / "data" / "wider_dev.zip") as root:
        pictures = [squared(shrunk(path)) for path in sorted(root.rglob("*.jpg"))[::7]][: given.pictures]
    for name, theirs in origins(given.threads).items():
        if given.only and name not in given.only:
            continue
        figures += compared(name, loaded(name, given.threads).detector, theirs, pictures, given.rounds)
    common.tell(figures, as_json=given.json)


def compared(
    name: str, own: Detector, theirs: Callable[[np.ndarray], object], pictures: list[Image], rounds: int
) -> list[common.Figure]:
    """Time of both on every picture."""
    ratios, ours = [], []
    for picture in pictures:
        turns: dict[str, Callable[[], object]] = {
            "ours": partial(own.detect, [picture]),
            "theirs": partial(theirs, picture.pixels),
        }
        medians = common.medians(common.interleaved(turns, rounds))
        ratios.append(medians["ours"] / medians["theirs"])
        ours.append(medians["ours"] * 1e3)
    return [
        common.figure(f"{name}: ms of a picture of 640x640", statistics.median(ours), "{:.1f}"),
        common.figure(f"{name}: ours / theirs", statistics.median(ratios), "{:.2f}", most=1.0),
    ]


def origins(threads: int) -> dict[str, Callable[[np.ndarray], object]]:
    """What each is compared with: a function of (640, 640, 3) RGB pixels."""
    found: dict[str, Callable[[np.ndarray], object]] = {}
    opencv = cv2.FaceDetectorYN.create(str(MODELS / "yunet_n_640_640.onnx"), "", (640, 640), 0.7, 0.3, 5000)
    found["yunet"] = lambda pixels: opencv.detect(np.ascontiguousarray(pixels[..., ::-1]))
    cascade = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"))
    found["haar"] = lambda pixels: cascade.detectMultiScale3(pixels, 1.1, 5, minSize=(30, 30), outputRejectLevels=True)
    for name, file in (("yolov8-face", "yolov8-lite-t.onnx"), ("yolov5-face", "yolov5n-0.5.onnx")):
        found[name] = in_opencv(MODELS / file)
    try:
        found["retinaface"] = in_torch(threads)
    except ImportError:
        print("torch is not installed: retinaface is left out")
    return found


def in_opencv(path: Path) -> Callable[[np.ndarray], object]:
    """OpenCV's forward pass."""
    network = cv2.dnn.readNet(str(path))
    names = network.getUnconnectedOutLayersNames()

    def run(pixels: np.ndarray) -> object:
        network.setInput(cv2.dnn.blobFromImage(pixels, 1 / 255))
        return network.forward(names)

    return run


def in_torch(threads: int) -> Callable[[np.ndarray], object]:
    """PyTorch's forward pass."""
    import torch

    from facecli.export.networks.retinaface import RetinaFace

    torch.set_num_threads(threads)
    network = RetinaFace().eval()
    network.load_state_dict(torch.load(MODELS / "retinaface_mobilenet0.25.pth", map_location="cpu", weights_only=True))

    def run(pixels: np.ndarray) -> object:
        with torch.inference_mode():
            return network(torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], np.float32)))

    return run


def squared(picture: Image) -> Image:
    """The picture on a black square of 640 px."""
    pixels = np.zeros((640, 640, 3), np.uint8)
    pixels[: picture.height, : picture.width] = picture.pixels
    return Image(pixels, picture.source)


if __name__ == "__main__":
    main()
