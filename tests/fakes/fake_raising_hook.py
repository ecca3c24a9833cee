"""Its hook fails."""

from facecli.contract import hookimpl


@hookimpl
def facecli_detectors():
    raise RuntimeError("no weather today\nsecond line")
