"""A plugin with nothing wrong: a detector that sees no face, and a command."""

import click

from facecli.contract import DetectorPlugin, hookimpl
from facecli.types import Detections


class SeesNobody:
    def detect(self, images):
        return [Detections.empty(landmarks=False) for _ in images]


@hookimpl
def facecli_detectors():
    yield DetectorPlugin("fake-good", "Sees nobody", load=lambda *_: SeesNobody(), landmarks=False)


@hookimpl
def facecli_commands(group):
    @group.command("fake-hello")
    def hello():
        """Say hello."""
        click.echo("hello")
