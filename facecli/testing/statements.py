"""The checks that what a descriptor states of its models is true: hashes, sizes, crops and preprocessing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from facecli.contract import ModelFile, ModelSpec, RecognizerPlugin
from facecli.contract.plugin import Plugin
from facecli.crops.preprocess import to_input
from facecli.errors import ContractError
from facecli.hosting.statements import misfit
from facecli.system.files import sha256_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from facecli.testing.recording import RecordingRuntime
    from facecli.testing.subjects import CropSubject
    from facecli.types import FloatArray

FED_TOLERANCE = 1e-3  # of the largest number fed: a plugin may compute (pixel - mean) / std in another order


class Loaded(Protocol):
    """A plugin whose model was loaded."""

    @property
    def plugin(self) -> Any:
        """The descriptor."""

    @property
    def runtime(self) -> RecordingRuntime:
        """The runtime that its `load` got."""


def require_files(plugin: Plugin) -> None:
    """Raise ContractError for a file of a model or a cohort in the package that is absent or is not the stated one."""
    for spec in plugin.models:
        for file in spec.files:
            if file.path is not None:
                _require_file(spec, file)
    point = plugin.cohort_point if isinstance(plugin, RecognizerPlugin) else None
    if point is not None and point.cohort is not None and point.cohort.path is not None:
        _require_sha256(plugin.name, point.cohort.path, point.cohort.sha256)


def require_fit(subject: Loaded) -> None:
    """Raise ContractError if a file that the plugin has opened takes other crops than its ModelSpec states."""
    for spec in subject.plugin.models:
        for session in subject.runtime.sessions.get(spec.id, ()):
            if difference := misfit(spec, session):
                raise ContractError(f"the file of model {spec.id} {difference}")


def require_stated_preprocessing(subject: CropSubject) -> None:
    """Raise ContractError if a plugin feeds a model other numbers than crop and preprocessing of its ModelSpec make.

    It may feed more than these, such as mirrored crops. A plugin that runs its file without the runtime is not seen.
    """
    batch = subject.batch(list(subject.inputs.values()))
    crops = subject.crops_of(batch)
    with subject.runtime.recording() as fed:
        subject.answers(batch)
    for spec in subject.plugin.models:
        if spec.crop in crops and spec.preprocessing is not None and fed.get(spec.id):
            _require_fed(spec, to_input(crops[spec.crop], spec.preprocessing), fed[spec.id], list(subject.inputs))


def _require_file(spec: ModelSpec, file: ModelFile) -> None:
    assert file.path is not None
    _require_sha256(f"model {spec.id}", file.path, file.sha256)
    size = file.path.stat().st_size
    if file.size not in (None, size):
        raise ContractError(f"{file.name} has {size} bytes, the descriptor states {file.size}")


def _require_sha256(owner: str, path: Path, stated: str | None) -> None:
    if not path.is_file():
        raise ContractError(f"{owner} has no file {path}")
    if (actual := sha256_of(path)) != stated:
        raise ContractError(f"sha256 of {path.name} is {actual}, the descriptor states {stated}")


def _require_fed(spec: ModelSpec, stated: FloatArray, fed: list[NDArray[Any]], names: list[str]) -> None:
    """Raise ContractError unless each row of `stated`, (N, ...), is among those that were fed. names: of the rows."""
    fitting = [array for array in fed if array.shape[1:] == stated.shape[1:]]
    if not fitting:
        shapes = ", ".join(sorted({str(array.shape) for array in fed}))
        raise ContractError(f"model {spec.id} is fed {shapes}, its crop and preprocessing make {stated.shape}")
    rows = np.concatenate(fitting).astype(np.float64)
    for name, row in zip(names, stated, strict=True):
        off = np.abs(rows - row).reshape(len(rows), -1).max(1).min()
        if off > FED_TOLERANCE * max(1.0, np.abs(row).max()):
            message = f"on {name}: model {spec.id} is fed other numbers than its preprocessing states, by {off:.3g}"
            raise ContractError(message)
