"""A command: `facecli example-info` tells what this distribution installs, and whether its model file is unharmed."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import distribution
from pathlib import Path

import click

from facecli.contract import hookimpl
from facecli.errors import ModelError

DISTRIBUTION = "facecli-example-plugin"


@hookimpl
def facecli_commands(group: click.Group) -> None:
    """Add the command; it must have the entry point's name."""
    group.add_command(example_info)


@click.command("example-info")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def example_info(*, as_json: bool) -> None:
    """Show what facecli-example-plugin installs."""
    installed = distribution(DISTRIBUTION)
    # stdout is for the result alone; anything else a command has to say goes to stderr: click.echo(..., err=True).
    points = [point for point in installed.entry_points if point.group.startswith("facecli.")]
    rows = [(point.group.removeprefix("facecli."), point.name) for point in points]
    sha256 = _sha256(Path(__file__).with_name("thumbnail.onnx"))
    if as_json:
        plugins = [{"kind": kind, "name": name} for kind, name in rows]
        click.echo(json.dumps({"version": installed.version, "plugins": plugins, "sha256": sha256}))
        return
    click.echo(f"{DISTRIBUTION} {installed.version}")
    for kind, name in rows:
        click.echo(f"{kind:<12} {name}")
    click.echo(f"{'model':<12} thumbnail.onnx, sha256 {sha256}")


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        # facecli's own errors end in one line and the right exit code; nothing else has to be done.
        message = f"{path.name} can not be read: {error.strerror}"
        raise ModelError(message, hint=f"reinstall {DISTRIBUTION}") from error
