"""Offers the same name as fake-twice-one."""

from facecli.contract import DetectorPlugin, hookimpl


@hookimpl
def facecli_detectors():
    yield DetectorPlugin("fake-twice", "A detector", load=print, landmarks=False)
