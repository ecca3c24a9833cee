"""Offers the same name as fake-twice-two."""

from facecli.contract import DetectorPlugin, hookimpl


@hookimpl
def facecli_detectors():
    yield DetectorPlugin("fake-twice", "A detector", load=print, landmarks=False)
