"""Its descriptor has another name than its entry point."""

from facecli.contract import DetectorPlugin, hookimpl


@hookimpl
def facecli_detectors():
    yield DetectorPlugin("another", "A detector", load=print, landmarks=False)
