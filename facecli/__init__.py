"""facecli: face detection, verification, embeddings and attributes, offline, on ONNX Runtime.

    from facecli import Faces

    faces = Faces()
    faces.verify("a.jpg", "b.jpg").verified

Pictures are paths, URLs, bytes, PIL images, or (H, W, 3) uint8 arrays in RGB; `facecli.read(path)` gives such an array.

The wings, along the way of the data:
errors, types, labels, geometry   public nouns
contract, testing                 what authors of plugins import, and the kit that checks their plugins
system, inference                 the machine; ONNX Runtime
pictures, crops, faces            names to pixels; pixels to crops; a face looked at without a model
film, tracking                    films, cameras and streams to frames; faces through time
models, plugins, export           model files and their store; our plugins; PyTorch to ONNX with proof
hosting                           plugins found, chosen and loaded
pipeline, matching, evaluation    many pictures through the stages; a decision about two faces; error rates
gallery, clustering               people: kept, searched among, decided on; faces made people
inventory                         the models of this machine and their health
output, api, cli, commands        results to files and tables; Python's door; the command line
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from facecli.version import __version__ as __version__

if TYPE_CHECKING:
    from facecli.api.faces import Faces as Faces
    from facecli.api.judge import Comparison as Comparison
    from facecli.api.picture import Picture as Picture
    from facecli.api.reading import read as read
    from facecli.matching.verification import Verification as Verification
    from facecli.pipeline.face import Attribute as Attribute
    from facecli.pipeline.face import Face as Face

_DOOR = {
    "Attribute": "facecli.pipeline.face",
    "Comparison": "facecli.api.judge",
    "Face": "facecli.pipeline.face",
    "Faces": "facecli.api.faces",
    "Picture": "facecli.api.picture",
    "Verification": "facecli.matching.verification",
    "read": "facecli.api.reading",
}


def __getattr__(name: str) -> Any:
    """Import a name of the door when it is first used, so that `import facecli` loads nothing heavy."""
    if name not in _DOOR:
        raise AttributeError(f"module 'facecli' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_DOOR[name]), name)


def __dir__() -> list[str]:
    """Return the names of the door beside the module's own, for completion in a shell."""
    return sorted({*globals(), *_DOOR})
