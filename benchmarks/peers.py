"""facenet-pytorch and dlib, ready to be compared with."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np


def mtcnn(threads: int) -> Any:
    """facenet-pytorch's MTCNN on the CPU, keeping all faces.

    Where torchvision is built for CUDA and torch is not, its operators do not exist: their schemas are declared, which
    lets it be imported, and batched_nms is done by OpenCV's NMS, which is compiled as well and does not slow it down.
    """
    import torch

    torch.set_num_threads(threads)
    try:
        import torchvision  # noqa: F401
    except (ImportError, RuntimeError, OSError):
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _KEPT.append(library)  # its operators live as long as it does
        from facenet_pytorch.models.utils import detect_face

        detect_face.batched_nms = _batched_nms
    from facenet_pytorch import MTCNN

    return MTCNN(keep_all=True, device="cpu")


def dlib_resnet() -> Any:
    """Return dlib's own network with the weights of the package face_recognition_models."""
    import dlib

    return dlib.face_recognition_model_v1(str(dlib_models() / "dlib_face_recognition_resnet_model_v1.dat"))


def dlib_models() -> Path:
    """The folder of dlib's models; the package is not imported, because it needs pkg_resources."""
    spec = find_spec("face_recognition_models")
    if spec is None or spec.origin is None:
        raise SystemExit("this needs the package face_recognition_models")
    return Path(spec.origin).parent / "models"


_KEPT: list[Any] = []


def _batched_nms(boxes: Any, scores: Any, groups: Any, threshold: float) -> Any:
    """As torchvision does it: groups are moved apart, so that one NMS serves all."""
    import torch

    if not len(boxes):
        return torch.empty(0, dtype=torch.int64)
    apart = (boxes + (groups.to(boxes) * (boxes.max() + 1))[:, None]).detach().numpy().astype(np.float64)
    apart[:, 2:] -= apart[:, :2]
    keep = cv2.dnn.NMSBoxes(apart, scores.detach().numpy(), 0.0, threshold)
    return torch.as_tensor(np.asarray(keep), dtype=torch.int64).reshape(-1)
