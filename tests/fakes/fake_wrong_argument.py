"""The hook takes no argument."""

from facecli.contract import hookimpl


@hookimpl
def facecli_detectors(config):
    return []
