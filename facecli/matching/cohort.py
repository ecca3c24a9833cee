"""Cohort normalisation: two faces are compared beside the strangers whom each of them resembles most.

To a recognizer, people of whom it has seen few resemble each other: one cosine similarity means the same person for
some, and any neighbour for others. What a face has in common with strangers tells the two apart: from the similarity s
of faces a and b the mean m of each face's `top` highest similarities to a cohort is subtracted, averaged over both.
The distance is 1 - (s - (m_a + m_b) / 2): below 1 the two resemble each other more than the strangers next to them.

Speaker recognition knows this as adaptive symmetric normalisation: P. Matejka et al., "Analysis of Score Normalization
in Multilingual Speaker Recognition", Interspeech 2017; S. Cumani et al., Interspeech 2011. It divides by the deviation
of the highest similarities as well. That is left out: for faces it gains little between groups of people, and costs
much in a search among good pictures (benchmarks/cohort.py).
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facecli.contract import Cohort
from facecli.errors import ModelError
from facecli.types import FloatArray

LARGEST = 2**26  # bytes of a cohort's file


@dataclass(frozen=True, slots=True, eq=False)
class Strangers:
    """The rows of a cohort (C, dim) float64, and the number of them, `top`, that a face is compared beside.

    A row is a stranger's embedding of length 1, or the mean of several: a face's similarity to that is the mean of its
    similarities to them.
    """

    rows: NDArray[np.float64]
    top: int

    def templates(self, embeddings: FloatArray) -> FloatArray:
        """Return (N, dim + 1) float32: the rows of (N, dim) embeddings, each followed by its constant m.

        `matching.metrics` compares such rows in the metric "cohort". Raises ModelError for embeddings of another length
        than the cohort's.
        """
        if embeddings.shape[1] != self.rows.shape[1]:
            message = f"the cohort is of embeddings of length {self.rows.shape[1]}, these have {embeddings.shape[1]}"
            raise ModelError(message, hint="name another {operating_point}", about="operating_point")
        wide = embeddings.astype(np.float64)
        lengths = np.linalg.norm(wide, axis=1, keepdims=True)
        similarities = wide / np.where(lengths > 0, lengths, 1) @ self.rows.T
        highest = np.partition(similarities, -self.top, axis=1)[:, -self.top :]
        return np.column_stack([embeddings, highest.mean(axis=1)]).astype(np.float32)


def templates(cohort: Cohort | None, embeddings: FloatArray) -> FloatArray:
    """Return embeddings as an operating point compares them: as they are, or with the constants of its cohort.

    Raises ModelError for a cohort whose file is absent or damaged, or is of other embeddings.
    """
    return embeddings if cohort is None else opened(cohort).templates(embeddings)


def all_templates(cohort: Cohort | None, embeddings: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Return `templates` of each picture's embeddings, by its name."""
    return {name: templates(cohort, rows) for name, rows in embeddings.items()}


def opened(cohort: Cohort) -> Strangers:
    """Return the strangers of a cohort; its file is read and hashed once.

    Raises ModelError for a file that is absent, or not the one that the sha256 is of.
    """
    if cohort.path is None:
        raise ModelError("the operating point's cohort is not here", hint="calibrate again")
    return _opened(cohort.path, cohort.sha256, cohort.top)


@lru_cache(maxsize=4)
def _opened(path: Path, stated: str, top: int) -> Strangers:
    try:
        content = path.read_bytes() if path.stat().st_size <= LARGEST else b""
    except OSError as error:
        raise ModelError(
            f"the cohort {path} can not be read: {error.strerror}", hint="reinstall its package"
        ) from error
    if sha256(content).hexdigest() != stated:
        message = f"{path.name} is damaged: {path} is not the file that its operating point states"
        raise ModelError(message, hint="reinstall its package")
    try:
        return of_rows(np.load(io.BytesIO(content), allow_pickle=False), top)
    except (ValueError, EOFError) as error:
        raise ModelError(f"{path.name} is no cohort: {error}", hint="report it to its package's authors") from error


def of_rows(rows: NDArray[Any], top: int) -> Strangers:
    """Return the strangers of a cohort. rows: (C, dim) float16 or float32, C >= top; top: at least 1.

    Raises ValueError for anything else.
    """
    floats = rows.dtype in (np.float16, np.float32)
    if not floats or rows.ndim != 2 or not 1 <= top <= len(rows) or not np.isfinite(rows).all():
        raise ValueError(f"it takes finite floats, {top} rows at least; this is {rows.dtype} {rows.shape}")
    return Strangers(rows.astype(np.float64), top)
