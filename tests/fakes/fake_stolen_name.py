"""Takes a name that facecli has."""

from facecli.contract import DetectorPlugin, hookimpl


@hookimpl
def facecli_detectors():
    yield DetectorPlugin("mtcnn", "A detector", load=print, landmarks=False)
