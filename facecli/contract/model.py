"""TODO: facecli.contract.model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from facecli.contract.crop import CropSpec, Preprocessing
from facecli.contract.kinds import ModelKind
from facecli.contract.operating_point import OperatingPoint


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
