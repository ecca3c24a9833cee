"""The evaluation of tracks for people and programs: the document of `evaluate-tracking` and its row."""

from __future__ import annotations

from facecli.evaluation.tracking.boxes import Comparison
from facecli.evaluation.tracking.clear import Clear
from facecli.evaluation.tracking.hota import Hota
from facecli.evaluation.tracking.identity import Identity
from facecli.output import records
from facecli.output.records import Record

DIGITS = 6


def document(comparison: Comparison, least: float, own: Clear, names: Identity, whole: Hota | None) -> Record:
    """Return the document. least: intersection over union of a match."""
    return records.header(
        "evaluate-tracking",
        iou=least,
        frames=comparison.frames,
        people=comparison.people,
        tracks=comparison.tracks,
        true_boxes=comparison.true_boxes,
        tracked_boxes=comparison.tracked_boxes,
        mota=_rounded(own.mota),
        motp=_rounded(own.motp),
        idf1=_rounded(names.idf1),
        hota=None if whole is None else _rounded(whole.hota),
        deta=None if whole is None else _rounded(whole.detection),
        assa=None if whole is None else _rounded(whole.association),
        misses=own.misses,
        false=own.false,
        switches=own.switches,
        fragments=own.fragments,
        mostly_tracked=own.mostly_tracked,
        mostly_lost=own.mostly_lost,
    )


def row(document: Record) -> Record:
    """Return the row of a table or CSV."""
    return {name: value for name, value in document.items() if name not in ("schema", "version")}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
