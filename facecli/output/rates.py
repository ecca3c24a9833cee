"""Measured rates as documents and tables have them."""

from __future__ import annotations

from facecli.evaluation.rates import Rate
from facecli.output.records import Record

DIGITS = 6  # of rates and thresholds


def rate(measured: Rate | None) -> Record | None:
    """Return a rate as documents have it: value, count, total and the 95 % interval; None if there is none."""
    if measured is None:
        return None
    interval = [round(end, DIGITS) for end in measured.interval]
    value = round(measured.value, DIGITS)
    return {"value": value, "count": measured.count, "total": measured.total, "interval": interval}


def rate_row(measure: str, document: Record) -> Record:
    """Return the row of a measure. document: a rate as `rate` returns it."""
    low, high = document["interval"]
    numbers = {"value": document["value"], "low": low, "high": high}
    return {"measure": measure} | numbers | {"count": document["count"], "of": document["total"]}
