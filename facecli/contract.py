"""The plugin contract, API 1: what a plugin hands over, and what the host hands to it.

A hook returns cheap descriptors (`DetectorPlugin`, `RecognizerPlugin`, `AttributePlugin`, `ExportRecipe`); the heavy
object comes from `descriptor.load(runtime, parameters)` when somebody asks for that plugin. A plugin may import this
module, `facecli.types`, `facecli.errors`, `facecli.geometry` and, in its tests, `facecli.testing`; nothing else is
stable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pluggy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facecli.types import Detections, FloatArray, Image, UInt8Array

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
    margin: for a bbox crop, the part of the bbox's width and height that is added on each side.
    square: for a bbox crop, grow the shorter side to the longer one first.
    """

    width: int
    height: int
    template: tuple[Point, Point, Point, Point, Point] | None = None
    margin: float = 0.0
    square: bool = False


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

    kind: "weights" are what a recipe exports, not a model that runs. licence: the same text for the same licence: one
    that does not allow commercial use is accepted by it, once for all models. licence_url: where its text is. hint:
    what to type when the file is not installed. labels: the names of an attribute's classes, in column order.
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
    operating_point: OperatingPoint | None = None
    accuracy: tuple[str, ...] = ()
    licence_url: str | None = None


class Session(Protocol):
    """A model that is loaded and ready; safe to run from several threads at once."""

    @property
    def input_shapes(self) -> Mapping[str, tuple[int | None, ...]]:
        """Input name -> shape, None for a free axis."""

    def run(self, feeds: Mapping[str, NDArray[np.generic]]) -> dict[str, NDArray[Any]]:
        """Run once: input name -> array in, output name -> array out."""


class Runtime(Protocol):
    """What the host hands to `load`: verified model files, and sessions on the device the user asked for."""

    def model_path(self, model_id: str, file: str | None = None) -> Path:
        """The verified local file of a model. Raises ModelError if it is not installed."""

    def session(self, model_id: str, file: str | None = None, *, threads: int | None = None) -> Session:
        """The loaded session of a model file (`file` if it has several), made once and shared.

        threads: how many one run may use, where that shall not be `self.threads`: a plugin that makes several runs at
        once asks for 1.
        """

    @property
    def threads(self) -> int:
        """How many threads a plugin may keep busy at once."""


class Detector(Protocol):
    """Finds faces."""

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """One Detections per picture, in order; pictures may differ in size."""


class Recognizer(Protocol):
    """Turns crops into embeddings."""

    def embed(self, crops: UInt8Array) -> FloatArray:
        """(N, H, W, 3) uint8 RGB crops -> (N, dim) float32; N may be 0."""


class AttributeClassifier(Protocol):
    """Turns crops into class probabilities, or into one number per face."""

    def classify(self, crops: UInt8Array) -> FloatArray:
        """(N, H, W, 3) uint8 RGB crops -> (N, C) float32, rows summing to 1, or (N, 1) for a regression."""


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
    """Describes a model of one attribute (emotion, age, ...); no labels means a regression."""

    name: str
    summary: str
    attribute: str
    load: Callable[[Runtime, Parameters], AttributeClassifier]
    crop: CropSpec
    labels: tuple[str, ...]
    models: tuple[ModelSpec, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    api: int = API_VERSION


@dataclass(frozen=True, slots=True)
class ExportPart:
    """One network of a recipe, ready to be exported to one ONNX file.

    module: a torch.nn.Module in eval mode. sample: (batch, variant) -> its positional inputs, always the same ones, as
    float32 arrays; variant 0 has the size to trace with, variants 1 and 2 other sizes where height or width is dynamic.
    dynamic_axes: input name -> {axis: name}. tolerance: the largest absolute difference allowed to any output.
    reference: arrays -> arrays by another implementation, where the original differs from the `module` exported.
    source: the file that the weights are from.
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
