"""The false match rate of each group of people as a file: a picture, or a table of the rates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from facecli.errors import OutputError
from facecli.evaluation.figures import INK, figure_class, percents, tidy
from facecli.evaluation.groups import GroupedRates
from facecli.evaluation.rates import Rate
from facecli.system.files import staged
from facecli.system.spreadsheet import Writer

RATES = ("fmr", "fnmr")
COLUMNS = ("group", *(f"{rate}{what}" for rate in RATES for what in ("", "_low", "_high", "_count", "_total")))
POINT, MEAN = "#1f5fa8", "#c2410c"


def write(path: Path, groups: GroupedRates, title: str) -> None:
    """Write the groups' rates to a .png, .svg, .pdf or .csv file, whole or not at all.

    title: the text above the picture. Raises OutputError if no group has an FMR or the file system refuses.
    """
    if groups.fmr is None:
        raise OutputError(f"no figure for {path}: no group has a non-mated comparison")
    with staged(path) as temporary:
        if path.suffix.lower() == ".csv":
            _write_table(temporary, groups)
        else:
            _draw(groups, title).savefig(temporary, dpi=150)


def _write_table(path: Path, groups: GroupedRates) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = Writer(file, COLUMNS)
        table.header()
        for group in groups.groups:
            cells = [group.name, *_cells(group.fmr), *_cells(group.fnmr)]
            table.row(dict(zip(COLUMNS, cells, strict=True)))


def _cells(rate: Rate | None) -> list[str]:
    if rate is None:
        return [""] * 5
    return [*(f"{number:.6g}" for number in (rate.value, *rate.interval)), str(rate.count), str(rate.total)]


def _draw(groups: GroupedRates, title: str) -> Any:
    """Return a matplotlib figure: a line per group, its 95 % interval on a logarithmic axis, the worst on top."""
    rates = [(group.name, group.fmr) for group in reversed(groups.groups) if group.fmr is not None]
    figure = figure_class()(figsize=(6.4, 1.4 + 0.24 * len(rates)), layout="constrained")
    axes = figure.add_subplot()
    left = min(1 / rate.total for _, rate in rates) / 2  # where a logarithmic axis shows a rate of 0
    values = np.array([max(rate.value, left) for _, rate in rates])
    ends = np.maximum(np.array([rate.interval for _, rate in rates]).T, left)
    lengths = np.maximum([values - ends[0], ends[1] - values], 0)
    axes.errorbar(values, range(len(rates)), xerr=lengths, fmt="o", ms=5, color=POINT, ecolor=INK, elinewidth=1)
    assert groups.fmr is not None
    axes.axvline(max(groups.fmr.mean, left), color=MEAN, lw=1, label=f"mean of groups {groups.fmr.mean:.2%}")
    axes.set_yticks(range(len(rates)), [name for name, _ in rates], fontsize=8)
    axes.set(xscale="log", xlabel="false match rate (FMR) within the group", ylim=(-0.6, len(rates) - 0.4))
    percents(axes.xaxis)
    tidy(axes)
    ratio = groups.fmr.worst_over_geometric_mean
    spread = "" if ratio is None else f"\nworst group {ratio:.2f} times the geometric mean"
    axes.set_title(f"{title}{spread}", loc="left", fontsize=10)
    axes.legend(loc="lower right", frameon=False, fontsize=8)
    return figure
