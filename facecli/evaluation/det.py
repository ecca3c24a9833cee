"""The detection error trade-off of an identification as a file: a picture, or a table of its points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from facecli.errors import OutputError
from facecli.evaluation.figures import figure_class, percents, tidy
from facecli.evaluation.identification import Identification
from facecli.system.files import staged

CURVE = "#1f5fa8"


def write(path: Path, result: Identification, title: str) -> None:
    """Write FNIR against FPIR to a .png, .svg, .pdf or .csv file, whole or not at all.

    title: the text above the picture. Raises OutputError if there is no curve or the file system refuses.
    """
    if not result.det:
        raise OutputError(f"no curve for {path}: it takes mated and non-mated searches")
    rows = np.array([(point.threshold, point.fpir, point.fnir) for point in result.det])
    with staged(path) as temporary:
        if path.suffix.lower() == ".csv":
            np.savetxt(temporary, rows, "%.6g", ",", header="threshold,fpir,fnir", comments="")
        else:
            _draw(rows, title).savefig(temporary, dpi=150)


def _draw(rows: Any, title: str) -> Any:
    figure = figure_class()(figsize=(6.4, 4.8), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(rows[:, 1], rows[:, 2], color=CURVE, lw=2, drawstyle="steps-post")
    axes.set(xscale="log", xlim=(rows[0, 1] / 1.2, 1), ylim=(0, max(0.01, float(rows[:, 2].max()) * 1.1)))
    axes.set_xlabel("strangers who are named (FPIR)")
    axes.set_ylabel("enrolled people who are not named rightly (FNIR)")
    percents(axes.xaxis)
    percents(axes.yaxis)
    tidy(axes)
    axes.set_title(title, loc="left", fontsize=10)
    return figure
