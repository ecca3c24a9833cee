"""Record the self-tests of the embedded models: `python -m facecli.models.selftests.record_embedded`.

Run it after an embedded file has been replaced; it writes the JSON file that `embedded` reads.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from facecli.inference.session import open_session
from facecli.models.selftests.embedded import FILE
from facecli.models.selftests.rule import Rule, leading
from facecli.system.files import write_bytes

RULES = {
    "yunet_2023mar.onnx": Rule("input", (2, 3, 64, 96), 0.0, 1.0),
    "mtcnn_pnet.onnx": Rule("pixels", (1, 3, 24, 25), 0.0, 1.0),
    "mtcnn_rnet.onnx": Rule("pixels", (3, 3, 24, 24), 0.0, 1.0),
    "mtcnn_onet.onnx": Rule("pixels", (3, 3, 48, 48), 0.0, 1.0),
    "dlib_resnet.onnx": Rule("crops", (2, 3, 150, 150), 127.5, 256.0),
    "sface.onnx": Rule("crops", (2, 3, 112, 112), -400.0, 4.0),
    "emotion_facecli_resnet.onnx": Rule("crops", (3, 1, 48, 48), 127.5, 127.5),
    "facecli_traits.onnx": Rule("crops", (2, 3, 96, 96), 127.5, 127.5),
}

# A value between two levels of an int8 network falls on either side, and all layers after it follow: between ONNX
# Runtime's integer kernels and its float ones, which GPUs use, sface's answer to noise differs by 0.07.
TOLERANCES = {"sface.onnx": 0.2}


def record(folder: Path) -> bytes:
    """Return the JSON of the self-tests of the embedded files in a folder; values have 8 significant digits."""
    entries = {}
    for file, rule in RULES.items():
        outputs = leading(open_session(folder / file), rule)
        rounded = {name: [float(f"{value:.8g}") for value in values] for name, values in outputs.items()}
        own = {"tolerance": TOLERANCES[file]} if file in TOLERANCES else {}
        entries[file] = asdict(rule) | own | {"outputs": rounded}
    return (json.dumps(entries, indent=1) + "\n").encode()


if __name__ == "__main__":
    write_bytes(FILE, record(FILE.parent))
