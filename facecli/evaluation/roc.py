"""The ROC curve of an evaluation as a file: a picture, or a table of its points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from facecli.errors import OutputError
from facecli.evaluation.error_curve import Roc
from facecli.evaluation.figures import INK, figure_class, percents, tidy
from facecli.evaluation.recognition import Evaluation
from facecli.system.files import staged

CURVE, ACCENT = "#1f5fa8", "#c2410c"


def write(path: Path, result: Evaluation, title: str) -> None:
    """Write the curve to a .png, .svg, .pdf or .csv file, whole or not at all.

    title: the text above the picture. Raises OutputError if the evaluation has no curve or the file system refuses.
    """
    if result.roc is None:
        raise OutputError(f"no curve for {path}: it takes mated and non-mated comparisons")
    with staged(path) as temporary:
        if path.suffix.lower() == ".csv":
            rows = np.stack([result.roc.thresholds, result.roc.fmr, result.roc.fnmr], 1)[1:]
            np.savetxt(temporary, rows, "%.6g", ",", header="threshold,fmr,fnmr", comments="")
        else:
            _draw(result, result.roc, title).savefig(temporary, dpi=150)


def _draw(result: Evaluation, curve: Roc, title: str) -> Any:
    """Return a matplotlib figure; FMR has a logarithmic axis, because the rates that matter are far below 1."""
    assert result.fmr is not None and result.fnmr is not None
    figure = figure_class()(figsize=(6.4, 4.8), layout="constrained")
    axes = figure.add_subplot()
    one = 1 / result.fmr.total  # one false match: so few comparisons can not show a smaller rate
    left, zero = min(one / 2, 0.01), one * 0.85  # where a logarithmic axis shows an FMR of 0
    axes.axvspan(left, one, color=INK, alpha=0.08, lw=0)
    side = {"rotation": 90, "ha": "center", "color": INK, "fontsize": 8, "transform": axes.get_xaxis_transform()}
    axes.text((left * zero) ** 0.5, 0.02, "no false match", **side)
    axes.plot(np.maximum(curve.fmr, zero), 1 - curve.fnmr, color=CURVE, lw=2, drawstyle="steps-post")
    points = {"ls": "none", "ms": 8, "zorder": 3}
    axes.plot(max(curve.eer, zero), 1 - curve.eer, "D", mfc="white", mec=CURVE, label=f"EER {curve.eer:.2%}", **points)
    rates = f"FMR {result.fmr.value:.2%}, FNMR {result.fnmr.value:.2%}"
    x, y = max(result.fmr.value, zero), 1 - result.fnmr.value
    axes.plot(x, y, "o", color=ACCENT, mec="white", label=f"threshold {result.threshold:.4g}: {rates}", **points)
    lowest = 1 - curve.fnmr[np.searchsorted(curve.fmr, one * 1.5) - 1]
    low = max(0.0, min(0.9, float(np.floor(min(y, lowest) * 20 - 0.2) / 20)))
    axes.set(xscale="log", xlim=(left, 1), xlabel="false match rate (FMR)", ylabel="recognised (1 - FNMR)")
    axes.set_ylim(low, 1.0 + (1 - low) * 0.02)
    percents(axes.yaxis, decimals=0)
    tidy(axes)
    axes.set_title(f"{title}\naccuracy {result.accuracy.value:.2%}", loc="left", fontsize=10)
    axes.legend(loc="lower right", frameon=False, fontsize=9)
    return figure
