"""The plugin contract, API 1: what a plugin hands over, and what the host hands to it.

A hook returns cheap descriptors (`DetectorPlugin`, `RecognizerPlugin`, `AttributePlugin`, `ExportRecipe`); the heavy
object comes from `descriptor.load(runtime, parameters)` when somebody asks for that plugin. A plugin may import this,
`facecli.types`, `facecli.errors`, `facecli.geometry` and, in its tests, `facecli.testing`; nothing else is stable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pluggy

from facecli.protocols import AttributeClassifier, CropsClassifier, Detector, Recognizer, Runtime, Session

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "API_VERSION",
    "AttributeClassifier",
    "AttributePlugin",
    "CropSpec",
    "CropsClassifier",
    "Detector",
    "DetectorPlugin",
    "ExportPart",
    "ExportRecipe",
    "Metric",
    "ModelArchive",
    "ModelFile",
    "ModelSpec",
    "OperatingPoint",
    "Parameters",
    "Point",
    "Preprocessing",
    "Recognizer",
    "RecognizerPlugin",
    "Runtime",
    "Session",
    "Task",
    "hookimpl",
]

API_VERSION = 1
hookimpl = pluggy.HookimplMarker("facecli")

Metric = Literal["cosine", "euclidean", "euclidean_l2", "angular"]
Point = tuple[float, float]
Parameters = Mapping[str, Any]
Task = Literal["embedding", "classification", "values"]


@dataclass(frozen=True, slots=True)
class CropSpec:
    """How the host cuts a face for a model: aligned to five template points, or as a bbox with a margin.

    template: five (x, y) points in crop pixels, ordered as Detections.landmarks; None for a bbox crop.
    margin: for a bbox crop, the part of the bbox's width and height that is added on each side; below 0 it is cut off.
    square: for a bbox crop, grow the shorter side to the longer one first.
    outside: where a bbox crop reaches outside the picture, "black" fills it up; "clip" cuts off what is outside, as
        facenet-pytorch does; "shift" moves the crop inside, and shrinks it if the picture is too small, as
        Silent-Face-Anti-Spoofing does.
    resample: "warp" meets the bbox or the template to a fraction of a pixel: bilinear, averaging first what is more
        than twice as large. The others cut whole pixels and resize them by OpenCV's linear or area, or by Pillow's
        antialiased BILINEAR.
    fit: for whole pixels, "pad" keeps the ratio of the sides and fills up with black; "stretch" does not.
    upright: for whole pixels with "black", turn the picture about the bbox until the eyes are level, as deepface
        does, where the detector gives landmarks, or eyes.

    Raises ValueError for a combination that has no meaning.
    """

    width: int
    height: int
    template: tuple[Point, Point, Point, Point, Point] | None = None
    margin: float = 0.0
    square: bool = False
    outside: Literal["black", "clip", "shift"] = "black"
    resample: Literal["warp", "linear", "area", "antialias"] = "warp"
    fit: Literal["stretch", "pad"] = "stretch"
    upright: bool = False

    def __post_init__(self) -> None:
        if self.resample == "warp" and (self.outside != "black" or self.fit == "pad" or self.upright):
            raise ValueError("outside, fit and upright are for crops of whole pixels: choose a resample")
        if self.resample != "warp" and self.template is not None:
            raise ValueError('a crop with a template is warped: resample must be "warp"')
        if self.upright and self.outside != "black":
            raise ValueError("an upright crop has what is outside the picture black")


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How crop pixels become a model's input: (pixels in `colour` order - mean) / std, laid out as `layout`.

    mean and std have one value per channel, or one for all. `version` rises whenever any of this, or the crop,
    changes for a model, because embeddings made before and after may not be compared.
    """

    colour: Literal["RGB", "BGR", "grey"]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    version: int = 1


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Where "same person" begins: distance <= threshold in `metric`, with what is known about the error there.

    source: who states the threshold. protocol: the data and protocol that fmr and fnmr were measured on.
    equivalents: thresholds of other metrics at the same FMR, measured on the same data.
    by_fmr: measured (FMR, threshold) pairs in `metric`.
    """

    metric: Metric
    threshold: float
    source: str
    protocol: str | None = None
    fmr: float | None = None
    fnmr: float | None = None
    equivalents: Mapping[str, float] = field(default_factory=dict)
    by_fmr: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class ModelArchive:
    """A zip file that publishers pack model files in; its sha256 is always known, for it is opened.

    name: the file's name on mirrors. size: bytes.
    """

    name: str
    sha256: str
    size: int | None = None
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model.

    sha256: None for a file that the user makes by an export, which has no urls, and for one whose publisher states
    none: that is only fetched by `facecli models pull`, which records its sha256.
    name: the file's own name, on mirrors too; no other file may have it. size: bytes. urls: where it is published, the
    best first. packed: the archives that have it, and the file name that it has there, in whatever folder. path: where
    it lies if a distribution carries it.
    """

    name: str
    sha256: str | None
    size: int | None = None
    urls: tuple[str, ...] = ()
    path: Path | None = None
    packed: tuple[tuple[ModelArchive, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Everything that is known about a model; nothing is ever guessed from its file.

    kind: "weights" are what a recipe exports. licence: the same text for the same licence: one that does not allow
    commercial use is accepted by it, once for all models; licence_url: where its text is. hint: what to type without
    the file. labels: the classes in column order; those of facecli.labels where it has them. logits: the file ends
    before its softmax. floor: the probability below which no label is told. family: who reads a user's detector.
    """

    id: str
    kind: Literal["detector", "recognizer", "attribute", "weights"]
    summary: str
    files: tuple[ModelFile, ...]
    licence: str
    commercial_use: bool
    source: str
    paper: str | None = None
    training_data: str | None = None
    hint: str | None = None
    crop: CropSpec | None = None
    preprocessing: Preprocessing | None = None
    dim: int | None = None
    normalized: bool = False
    attribute: str | None = None
    labels: tuple[str, ...] = ()
    logits: bool = False
    floor: float = 0.0
    operating_point: OperatingPoint | None = None
    accuracy: tuple[str, ...] = ()
    licence_url: str | None = None
    family: str | None = None


@dataclass(frozen=True, slots=True)
class DetectorPlugin:
    """Describes a detector. `parameters` are the settings it takes, with their defaults."""

    name: str
    summary: str
    load: Callable[[Runtime, Parameters], Detector]
    landmarks: bool
    models: tuple[ModelSpec, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    api: int = API_VERSION


@dataclass(frozen=True, slots=True)
class RecognizerPlugin:
    """Describes a recognizer. `normalized` says whether its embeddings have length 1."""

    name: str
    summary: str
    load: Callable[[Runtime, Parameters], Recognizer]
    crop: CropSpec
    dim: int
    normalized: bool
    operating_point: OperatingPoint
    models: tuple[ModelSpec, ...] = ()
    preprocessing_version: int = 1
    parameters: Mapping[str, Any] = field(default_factory=dict)
    api: int = API_VERSION


@dataclass(frozen=True, slots=True)
class AttributePlugin:
    """Describes a model of one attribute (emotion, age, ...); no labels means a regression.

    labels: the names of the columns; facecli.labels has those of the attributes that several models know.
    more_crops: further crops of each face, for a model that looks at it in several ways; see CropsClassifier.
    floor: the probability that the likeliest label must reach; below it the label is told as null.
    """

    name: str
    summary: str
    attribute: str
    load: Callable[[Runtime, Parameters], AttributeClassifier | CropsClassifier]
    crop: CropSpec
    labels: tuple[str, ...]
    models: tuple[ModelSpec, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    more_crops: tuple[CropSpec, ...] = ()
    floor: float = 0.0
    api: int = API_VERSION


@dataclass(frozen=True, slots=True)
class ExportPart:
    """One network of a recipe, ready to be exported to one ONNX file.

    module: a torch.nn.Module in eval mode. sample: (batch, variant) -> its positional inputs, always the same ones, as
    float32 arrays; variant 0 has the size to trace with, variants 1 and 2 other sizes where height or width is dynamic.
    dynamic_axes: input name -> {axis: name}. output_axes: the same of outputs; None: what changes in the source.
    tolerance: the largest absolute difference allowed to any output. source: the file that the weights are from.
    reference: arrays -> arrays by another implementation, where the original differs from the `module` exported.
    task: what the first output is, (N, dim) embeddings or (N, classes) scores, so that the proof holds for its meaning
    too (cosine, arg max); "values" has none. crop, preprocessing: how real crops become the one input.
    None for these three: what the model's ModelSpec says.
    notes: what was done to the file's content to get the weights (unwrapped, names changed, left out), one clause each.
    """

    file: str
    module: Any
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    sample: Callable[[int, int], tuple[NDArray[np.float32], ...]]
    dynamic_axes: Mapping[str, Mapping[int, str]]
    source: Path
    tolerance: float = 1e-5
    reference: Callable[..., tuple[NDArray[np.float32], ...]] | None = None
    task: Task | None = None
    crop: CropSpec | None = None
    preprocessing: Preprocessing | None = None
    notes: tuple[str, ...] = ()
    output_axes: Mapping[str, Mapping[int, str]] | None = None


@dataclass(frozen=True, slots=True)
class ExportRecipe:
    """How source weights become the ONNX files of one catalogue model.

    build: weights file, or None for the recipe's own default -> the networks. default_weights: what None stands for.
    spec: what is known about the model, for one that the catalogue does not have; it goes into the file's metadata.
    detector: of a detector, the plugin that runs these files, if it is not called like the model; the proof lets it
    find faces with the source networks and with the exported ones.
    """

    name: str
    summary: str
    model: str
    build: Callable[[Path | None], tuple[ExportPart, ...]]
    default_weights: str | None
    licence: str
    opset: int = 18
    preprocessing_version: int = 1
    spec: ModelSpec | None = None
    detector: str | None = None
    api: int = API_VERSION
