"""What users of other projects are used to: their plugins, metric, threshold, crops and choice of face."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facecli.contract import Metric  # which every start of the command line would pay for


@dataclass(frozen=True, slots=True)
class Preset:
    """How a project works by default, in our names.

    metric: what `verify` compares by. face: which face it takes, as in compare.choose. thresholds: recognizer -> metric
    -> threshold, where the project states its own; elsewhere the catalogue's counts. source: who states them.
    parameters: plugin -> its parameters. crops: recognizer -> the fields of its CropSpec that the project has
    otherwise. attributes: the models that `analyze` asks.
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
    return {"cosine": cosine, "euclidean": euclidean, "euclidean_l2": euclidean_l2, "angular": angular}


# The crop of vgg-face and the other networks that came with deepface.
_DEEPFACE_CROP = {"template": None, "resample": "linear", "fit": "pad", "upright": True}

PRESETS: Mapping[str, Preset] = {
    # DeepFace.verify(a, b) of deepface 0.0.103: VGG-Face, opencv, align, cosine; the closest pair of faces decides. Its
    # table of thresholds is config/threshold.py's; its cosine and L2 columns contradict each other for some models.
    "deepface": Preset(
        "haar",
        "vgg-face",
        "cosine",
        "all",
        "deepface 0.0.103's table of thresholds",
        {
            "vgg-face": _row(0.68, 1.17, 1.17, 0.39),
            "facenet128": _row(0.40, 10, 0.80, 0.33),
            "facenet512": _row(0.30, 23.56, 1.04, 0.35),
            "openface": _row(0.10, 0.55, 0.55, 0.11),
            "deepface": _row(0.23, 64, 0.64, 0.12),
            "deepid": _row(0.015, 45, 0.17, 0.04),
            "dlib-resnet": _row(0.07, 0.6, 0.4, 0.12),
            "sface": _row(0.593, 10.734, 1.055, 0.36),
            "arcface-w600k-r50": _row(0.55, 0.6, 1.1, 0.45),  # deepface's "Buffalo_L"
        },
        {"haar": {"min_neighbors": 10, "min_size": 1, "border": 0.5, "eyes": True}},
        # It cuts for every model alike, also for those that were trained on faces aligned by landmarks.
        dict.fromkeys(("dlib-resnet", "sface", "arcface-w600k-r50"), _DEEPFACE_CROP),
        # DeepFace.analyze(a), its actions in its order.
        ("emotion/deepface", "age/deepface", "gender/deepface", "race/deepface"),
    ),
    # FaceAnalysis(name="buffalo_l") of insightface 2.1: SCRFD-10G on squares of 640 and 128 px (model_zoo/scrfd.py,
    # DEFAULT_DET_SIZES), on one only where the file fixes it; no verify, its users compare normed embeddings.
    "insightface": Preset(
        "scrfd",
        "arcface-w600k-r50",
        "cosine",
        "largest",
        parameters={"scrfd": {"model": "10g", "multi_scale": "free", "small_size": 128, "square": True}},
        attributes=("age/genderage", "gender/genderage"),  # face.age and face.gender
    ),
    # MTCNN() and InceptionResnetV1(pretrained="vggface2"), whose examples compare by (e1 - e2).norm(), no threshold.
    "facenet-pytorch": Preset("mtcnn", "facenet-vggface2", "euclidean", "largest"),
    # compare_faces(known, unknown), tolerance 0.6, of the first face found.
    "face_recognition": Preset(
        "mtcnn",
        "dlib-resnet",
        "euclidean",
        "score",
        "face_recognition's tolerance",
        {"dlib-resnet": {"euclidean": 0.6}},
    ),
}
