"""The description of a model: its files with their hashes, its licence, and how it is used. Nothing is guessed."""

# Annotations are objects here, not texts: facecli.models checks a catalogue entry by the types of the fields.

from dataclasses import dataclass
from pathlib import Path

from facecli.contract.crop import CropSpec, Preprocessing
from facecli.contract.operating_point import OperatingPoint
from facecli.kinds import ModelKind


@dataclass(frozen=True, slots=True)
class ModelArchive:
    """A zip file in which a publisher offers model files.

    name: the file's name on mirrors. sha256: always stated, because an archive is opened. size: bytes.
    urls: where it is published, the best first.
    """

    name: str
    sha256: str
    size: int | None = None
    urls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model.

    name: the file's own name, on mirrors too; no other model's file may have it.
    sha256: None in two cases. Files made by an export have no urls. Files whose publisher states no hash are fetched
        only by `models pull`, which then records the hash.
    size: bytes. urls: where it is published, the best first.
    path: the file itself, if the plugin's distribution carries it; nothing is fetched then.
    packed: the archives that hold it, each with the file's name inside; its folder there does not matter.
    """

    name: str
    sha256: str | None
    size: int | None = None
    urls: tuple[str, ...] = ()
    path: Path | None = None
    packed: tuple[tuple[ModelArchive, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Everything that is known about a model. Fields that do not apply to its kind keep their defaults.

    id: its name in commands and output: small letters, digits, . _ - and /. kind: the plugins that run it; "weights"
        are run by none, a recipe exports them.
    summary: one line for lists. files: all of them are fetched together.
    licence: the licence's name. Acceptance is stored under this text, so models with the same licence must spell it
        alike. commercial_use: whether the licence allows it. licence_url: where its text is.
    source: who published it, and where. paper, training_data: a citation, and what it was trained on.
    hint: another way to its files, such as the command of an export; shown if they can not be fetched.
    crop, preprocessing: how a face becomes its input.
    dim, operating_point, publisher_point, cohort_point: of a recognizer, as in RecognizerPlugin. normalized: facecli
        scales embeddings to length 1.
    attribute, labels, floor: of an attribute model, as in AttributePlugin. logits: its file ends before the softmax.
    accuracy: measured figures, one sentence each.
    family: the built-in detector whose outputs this file has, such as "scrfd"; for detectors that users add.
    """

    id: str
    kind: ModelKind
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
    publisher_point: OperatingPoint | None = None
    cohort_point: OperatingPoint | None = None
