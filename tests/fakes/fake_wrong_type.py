"""Gives something that is no descriptor."""

from facecli.contract import hookimpl


@hookimpl
def facecli_detectors():
    return [{"name": "fake-wrong-type"}]
