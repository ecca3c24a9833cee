"""Figures of measured rates: the files that they can be written as, and what all of them look like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from facecli.errors import UsageError
from facecli.system.charts import import_figure

DRAWN = (".png", ".svg", ".pdf")
INK = "#333333"


def check(path: Path) -> None:
    """Raise UsageError for a path that no figure is written to: an unknown suffix, or a picture without matplotlib."""
    suffix = path.suffix.lower()
    if suffix not in (*DRAWN, ".csv"):
        raise UsageError(f"can not write a figure as {suffix or path.name!r}", hint=f"use {', '.join(DRAWN)} or .csv")
    if suffix != ".csv":
        figure_class()


def figure_class() -> Any:
    """Return matplotlib's class Figure. Raises UsageError where matplotlib is not installed."""
    try:
        return import_figure()
    except ImportError as error:
        raise UsageError("drawing a figure needs matplotlib", hint='pip install "facecli[plot]"') from error


def percents(axis: Any, decimals: int | None = None) -> None:
    """Let one of matplotlib's axes, such as `axes.yaxis`, tell rates in per cent. decimals: None for a few at need."""
    from matplotlib.ticker import PercentFormatter

    axis.set_major_formatter(PercentFormatter(1.0, decimals=decimals))


def tidy(axes: Any) -> None:
    """Give matplotlib's axes a quiet grid and no frame."""
    axes.grid(visible=True, color="#dddddd", lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
