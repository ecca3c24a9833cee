"""Works, but talks when it is imported and in its hook."""

from facecli.contract import DetectorPlugin, hookimpl

print("imported")  # noqa: T201


@hookimpl
def facecli_detectors():
    print("called")  # noqa: T201
    yield DetectorPlugin("fake-printing", "A detector", load=print, landmarks=False)
