"""The defaults of other face projects and of facecli 0.1, for their users: plugins, metric, threshold, crops, face."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facecli.contract import Metric  # for types alone: every start of the command line imports this module


@dataclass(frozen=True, slots=True)
class Preset:
    """The defaults of one project, in facecli's names.

    metric: the distance that `verify` compares by. face: the choice of a face in a picture, as in faces.choice.choose.
    thresholds: recognizer -> metric -> threshold; only for recognizers whose project publishes a threshold. For the
    others that of the weights' publisher is used, or else the catalogue's. source: who states the thresholds.
    parameters: plugin's name -> parameters that differ from its defaults. crops: recognizer -> fields of its CropSpec
    that the project sets otherwise. attributes: the attribute models that `analyze` runs.
    """

    detector: str
    recognizer: str
    metric: Metric
    face: str
    source: str = ""
    thresholds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    crops: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    attributes: tuple[str, ...] = ()


def _row(cosine: float, euclidean: float, euclidean_l2: float, angular: float) -> dict[str, float]:
    """Return a row of a table of thresholds, in the order of deepface's: metric -> threshold."""
    return {"cosine": cosine, "euclidean": euclidean, "euclidean_l2": euclidean_l2, "angular": angular}


# How deepface cuts a face for vgg-face and the other networks that come with it.
_DEEPFACE_CROP = {"template": None, "resample": "linear", "fit": "pad", "upright": True}

PRESETS: Mapping[str, Preset] = {
    # What facecli did until 0.1, its thresholds in other metrics and its only attribute included.
    "facecli-0.1": Preset(
        detector="mtcnn",
        recognizer="dlib-resnet",
        metric="euclidean",
        face="largest",
        source="dlib's face_recognition example and the package face_recognition",
        thresholds={"dlib-resnet": _row(0.0873, 0.6, 0.4179, 0.1340)},
        attributes=("emotion/facecli-resnet",),
    ),
    # DeepFace.verify(a, b) and DeepFace.analyze(a) of deepface 0.0.103. The closest pair of faces decides.
    "deepface": Preset(
        detector="haar",
        recognizer="vgg-face",
        metric="cosine",
        face="all",
        source="deepface 0.0.103's table of thresholds",
        # config/threshold.py, as it is: its columns for cosine and L2 contradict each other for some models.
        thresholds={
            "vgg-face": _row(0.68, 1.17, 1.17, 0.39),
            "facenet128": _row(0.40, 10, 0.80, 0.33),
            "facenet512": _row(0.30, 23.56, 1.04, 0.35),
            "openface": _row(0.10, 0.55, 0.55, 0.11),
            "deepface": _row(0.23, 64, 0.64, 0.12),
            "deepid": _row(0.015, 45, 0.17, 0.04),
            "dlib-resnet": _row(0.07, 0.6, 0.4, 0.12),
            "sface-float32": _row(0.593, 10.734, 1.055, 0.36),
            "arcface-w600k-r50": _row(0.55, 0.6, 1.1, 0.45),  # deepface's "Buffalo_L"
        },
        parameters={"haar": {"min_neighbors": 10, "min_size": 1, "border": 0.5, "eyes": True}},
        # deepface cuts for every model alike, also for those that were trained on faces aligned by landmarks.
        crops=dict.fromkeys(("dlib-resnet", "sface-float32", "arcface-w600k-r50"), _DEEPFACE_CROP),
        attributes=("emotion/deepface", "age/deepface", "gender/deepface", "race/deepface"),  # in deepface's order
    ),
    # FaceAnalysis(name="buffalo_l") of insightface 2.1: SCRFD-10G on squares of 640 and 128 px (model_zoo/scrfd.py,
    # DEFAULT_DET_SIZES), or on one square if the file fixes its size. insightface has no verify; its users compare
    # embeddings of length 1.
    "insightface": Preset(
        detector="scrfd",
        recognizer="arcface-w600k-r50",
        metric="cosine",
        face="largest",
        parameters={"scrfd": {"model": "10g", "multi_scale": "free", "small_size": 128, "square": True}},
        attributes=("age/genderage", "gender/genderage"),  # face.age and face.gender
    ),
    # MTCNN() and InceptionResnetV1(pretrained="vggface2"). Its examples compare by (e1 - e2).norm(), and it states no
    # threshold.
    "facenet-pytorch": Preset(detector="mtcnn", recognizer="facenet-vggface2", metric="euclidean", face="largest"),
    # compare_faces(known, unknown) with its default tolerance, of the first face that is found.
    "face_recognition": Preset(
        detector="mtcnn",
        recognizer="dlib-resnet",
        metric="euclidean",
        face="score",
        source="face_recognition's tolerance",
        thresholds={"dlib-resnet": {"euclidean": 0.6}},
    ),
}
