"""Matplotlib, which draws curves, with its files in the folder of facecli and not in the user's home."""

from __future__ import annotations

import logging
import os
from typing import Any

from facecli.system import home


def import_figure() -> Any:
    """Return matplotlib's class Figure, which needs no display and leaves pyplot's global state alone.

    Matplotlib keeps its list of fonts, and looks for its settings, in a folder of facecli's, unless the user has named
    another in MPLCONFIGDIR; it says nothing where it can not write there. Raises ImportError where it is not installed.
    """
    os.environ.setdefault("MPLCONFIGDIR", str(home.folder() / "matplotlib"))
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    from matplotlib.figure import Figure

    return Figure
