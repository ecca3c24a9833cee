"""The hook is called facecli_detectors."""

from facecli.contract import hookimpl


@hookimpl
def facecli_detector():
    return []
