"""Works, but talks when it is imported and in its hook."""

from facecli.contract import DetectorPlugin, hookimpl
from facecli.types import Detections

print("imported")  # noqa: T201


class SeesNobody:
    def detect(self, images):
        return [Detections.empty(landmarks=False) for _ in images]


@hookimpl
def facecli_detectors():
    print("called")  # noqa: T201
    yield DetectorPlugin("fake-printing", "A detector", load=lambda *_: SeesNobody(), landmarks=False)
