"""Written for a contract that is yet to come."""

from facecli.contract import DetectorPlugin, hookimpl


@hookimpl
def facecli_detectors():
    yield DetectorPlugin("fake-wrong-api", "A detector", load=print, landmarks=False, api=99)
