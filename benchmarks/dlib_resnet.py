"""Our dlib-resnet against dlib itself on the same crops, both with one thread: dlib uses one core per call."""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

import common
import numpy as np
import peers

from facecli.crops import cutting
from facecli.hosting.toolbox import Toolbox
from facecli.pictures import codec
from facecli.types import Limits, UInt8Array


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--pictures", type=Path, default=common.SHARED / "data" / "lfw_dev.zip", help="folder or zip")
    options.add_argument("--rounds", type=int, default=15)
    given = options.parse_args()
    tools = common.toolbox("mtcnn", "dlib-resnet", threads=1)
    with common.folder(given.pictures) as root:
        crops = _crops(tools, root, 64)
    dlib, ours = peers.dlib_resnet(), tools.recognizer
    theirs = np.array(dlib.compute_face_descriptor(list(crops)))
    difference = float(np.abs(theirs - ours.embed(crops)).max())
    print(f"dlib was built with AVX: {_flag('USE_AVX_INSTRUCTIONS')}, BLAS: {_flag('DLIB_USE_BLAS')}", file=sys.stderr)
    figures = [common.figure(f"largest difference to dlib, {len(crops)} crops", difference, "{:.1e}", most=1e-5)]
    for batch in (1, 8, 32):
        some = crops[:batch]
        turns = {"ours": lambda c=some: ours.embed(c), "theirs": lambda c=some: dlib.compute_face_descriptor(list(c))}
        medians = common.medians(common.interleaved(turns, given.rounds))
        figures += [common.figure(f"{name}, ms per crop, batch {batch}", medians[name] * 1e3 / batch) for name in turns]
        ratio = medians["theirs"] / medians["ours"]
        what = f"dlib-resnet: times as fast as dlib, batch {batch}, 1 thread"
        figures.append(common.figure(what, ratio, "{:.2f}", least=4.0 if batch == 1 else None))
    common.tell(figures, as_json=given.json)


def _flag(name: str) -> str:
    import dlib

    return "yes" if getattr(dlib, name, False) else "no"


def _crops(tools: Toolbox, root: Path, count: int) -> UInt8Array:
    assert tools.recognizer_plugin is not None
    spec, crops = tools.recognizer_plugin.crop, []
    for path in islice(sorted(root.rglob("*.jpg")), count):
        picture = codec.decode(path.read_bytes(), path.name, Limits())
        found = tools.detector.detect([picture])[0]
        crops.append(cutting.cut(picture, found, spec)[:1])
    return np.concatenate(crops)[:count]


if __name__ == "__main__":
    main()
