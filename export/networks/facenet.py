"""FaceNet's InceptionResnetV1, taken from the installed package facenet-pytorch."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from torch import nn

from facecli.errors import ExportError

PACKAGE, MODULE = "facenet_pytorch", "inception_resnet_v1"
ALIAS = "_facecli_facenet_pytorch_models"  # the package's folder of networks under another name
VERSION = "2.5.3"


def inception_resnet() -> nn.Module:
    """Return facenet-pytorch's network with random weights: (N, 3, 160, 160) float32 to (N, 512) of unit length.

    The package itself imports torchvision, which facecli[export] does not need and whose wheel has to match torch's.
    Therefore only the network's module is imported, below an alias of its folder. Raises ExportError if the package is
    missing or has no such network.
    """
    hint = f"pip install --no-deps facenet-pytorch=={VERSION}"
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ExportError("the network needs facenet-pytorch, which is not installed", hint=hint)
    if ALIAS not in sys.modules:
        alias = ModuleType(ALIAS)
        alias.__path__ = [f"{folder}/models" for folder in spec.submodule_search_locations]
        sys.modules[ALIAS] = alias
    try:
        network = import_module(f"{ALIAS}.{MODULE}").InceptionResnetV1()
    except (ImportError, AttributeError) as error:
        raise ExportError(f"the installed facenet-pytorch has no InceptionResnetV1: {error}", hint=hint) from error
    assert isinstance(network, nn.Module)
    return network
