"""`facecli embed` over many pictures: wall time against the seconds spent inside ONNX Runtime, and memory."""

from __future__ import annotations

import time
from itertools import islice
from pathlib import Path

import common

from facecli.output import records
from facecli.output.sink import dumps
from facecli.pictures.listing import expand
from facecli.pipeline.flow import Flow
from facecli.pipeline.river import Pipeline


def main() -> None:
    options = common.pictures_parser(__doc__)
    options.add_argument("--batch-size", type=int, default=1)
    given = options.parse_args()
    tools = common.toolbox(given.detector, given.recognizer, given.threads)
    pipeline = Pipeline(tools, Flow(jobs=given.jobs, batch_size=given.batch_size))
    resident = {}
    with common.folder(given.pictures) as root:
        start, cpu = time.perf_counter(), time.process_time()
        for number, result in enumerate(pipeline.run(islice(expand([str(root)]), given.count)), 1):
            assert result.error is None and result.embeddings is not None, result.error
            dumps(records.image(result, embeddings=True))
            resident[number] = _resident()
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
    inside = {name: session.seconds for name, session in tools.loader.runtime.sessions.items()}
    early, last = resident[max(1, given.count // 5)], resident[len(resident)]
    setting = f"{given.jobs} jobs, {given.threads} thread{'s' * (given.threads > 1)} each, batch {given.batch_size}"
    figures = [
        common.figure(f"embed, {len(resident)} pictures, {setting}: wall, s", wall, "{:.1f}"),
        common.figure("of the processors, s", cpu, "{:.1f}"),
        *(common.figure(f"inside ONNX Runtime, {name}, s", seconds, "{:.1f}") for name, seconds in inside.items()),
        common.figure("embed: wall / sum of the ONNX seconds", wall / sum(inside.values()), "{:.2f}", most=1.25),
        common.figure("pictures per second", len(resident) / wall, "{:.1f}"),
        common.figure("resident after all pictures, MiB", last / 2**20, "{:.0f}"),
        common.figure("embed: memory after all / after a fifth", last / early, "{:.3f}", most=1.05),
    ]
    common.tell(figures, as_json=given.json)


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096


if __name__ == "__main__":
    main()
