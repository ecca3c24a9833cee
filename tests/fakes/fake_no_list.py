"""Gives a descriptor where a list of them is wanted."""

from facecli.contract import DetectorPlugin, hookimpl


@hookimpl
def facecli_detectors():
    return DetectorPlugin("fake-no-list", "A detector", load=print, landmarks=False)
