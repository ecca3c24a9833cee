"""The inspector of plugins that `facecli plugins` and `facecli doctor` use."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from facecli.cli import context
from facecli.cli.group import COMMANDS

if TYPE_CHECKING:
    from facecli.hosting.problems import Inspector


def inspector() -> Inspector:
    """Return an inspector of the plugins that --no-plugins leaves."""
    from facecli.hosting.problems import Inspector

    return Inspector(context.registry(), COMMANDS, partial(click.Group, "trial"))
