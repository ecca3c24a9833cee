"""The cost of `facecli.Faces.run` over the bare stages, for equal pictures and models: processor time of a picture."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import common

from facecli import Faces, Picture
from facecli.api.reading import sources
from facecli.api.selection import Request
from facecli.pictures.sources import single
from facecli.pipeline.flow import Flow
from facecli.pipeline.stages import Stages

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
REPEATS = 1000  # of what takes microseconds


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--pictures", type=Path, nargs="+", default=sorted(EXAMPLES.glob("*.jpg")))
    options.add_argument("--rounds", type=int, default=60, help="for each picture")
    given = options.parse_args()
    names = [str(path) for path in given.pictures]
    figures = []
    with Faces(device="cpu", threads=1, offline=True) as faces:
        for what, attributes in (("detect", ()), ("embed and emotion", ("emotion",))):
            request = faces.engine.request(attributes, embed=bool(attributes))
            figures += _compared(faces, names, what, request, given.rounds)
    common.tell(figures, as_json=given.json)


def _compared(faces: Faces, names: list[str], what: str, request: Request, rounds: int) -> list[common.Figure]:
    """Return the figures of one request. The processor's time is counted: others may be using the machine."""
    stages = Stages(faces.engine.tools(request, strict=False), Flow(need_face=not request.place_only))
    stages.tools.wait()
    bare, ours, own = [], [], []
    for name in names:
        actions = {
            "bare": lambda name=name: stages.process([single(name)]),
            "ours": lambda name=name: list(faces.run(name, embed=request.embed, attributes=request.attributes)),
        }
        seconds = common.interleaved(actions, rounds, warm=3, clock=time.process_time)
        bare += seconds["bare"]
        ours += seconds["ours"]
        own.append(_own_seconds(name, stages))
    # Of calls that follow each other at once, so that a change of the processor's speed hits both.
    ratio = statistics.median(a / b for a, b in zip(ours, bare, strict=True))
    added = statistics.fmean(own)
    return [
        common.figure(f"{what}: the stages, ms a picture", 1e3 * statistics.median(bare), "{:.2f}"),
        common.figure(f"{what}: Faces.run, ms a picture", 1e3 * statistics.median(ours), "{:.2f}"),
        common.figure(f"{what}: Faces.run / the stages", ratio, "{:.4f}", most=1.02),
        common.figure(f"{what}: source and Picture by themselves, us", 1e6 * added, "{:.0f}"),
        common.figure(f"{what}: the same / a picture's stages", added / statistics.median(bare), "{:.5f}", most=0.02),
    ]


def _own_seconds(name: str, stages: Stages) -> float:
    """Return the seconds that `Faces.run` spends on each picture beside the stages: its source, and its Picture."""
    (result,) = stages.process([single(name)])
    start = time.process_time()
    for _ in sources([name] * REPEATS, stages.flow.limits):
        Picture.of(result)
    return (time.process_time() - start) / REPEATS


if __name__ == "__main__":
    main()
