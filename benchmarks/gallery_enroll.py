"""`facecli enroll` over many pictures: wall time against the seconds inside ONNX Runtime and those of hashing.

Each picture is a transaction that is on the disk before it is told. A second run, over pictures that are all known, is
measured as well: it reads and hashes them.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from itertools import islice
from pathlib import Path

import common

from facecli.gallery import labelling
from facecli.gallery.enrolment import enroll
from facecli.gallery.space import Space
from facecli.gallery.store.store import GalleryStore
from facecli.pictures.listing import expand
from facecli.pipeline.flow import Flow
from facecli.pipeline.river import Pipeline


def main() -> None:
    options = common.pictures_parser(__doc__)
    given = options.parse_args()
    tools = common.toolbox(given.detector, given.recognizer, given.threads)
    plugin = tools.recognizer_plugin
    assert plugin is not None
    space = Space(tools.identity(plugin), plugin.dim)
    with common.folder(given.pictures) as root, tempfile.TemporaryDirectory() as folder:
        store = GalleryStore(Path(folder) / "gallery.db", create=True)

        def run() -> tuple[float, list[str]]:
            pipeline = Pipeline(tools, Flow(faces="largest", jobs=given.jobs))
            start = time.perf_counter()
            pictures = islice(labelling.by_folder([str(root)]), given.count)
            done = [outcome.status for outcome in enroll(pictures, store, space, pipeline.run)]
            return time.perf_counter() - start, done

        run_warm(tools, root)
        before = {name: session.seconds for name, session in tools.loader.runtime.sessions.items()}
        wall, done = run()
        sessions = tools.loader.runtime.sessions.items()
        inside = {name: session.seconds - before.get(name, 0.0) for name, session in sessions}
        again, known = run()
        hashing = hashed(root, given.count)
        store.close()
    ratio = wall / (sum(inside.values()) + hashing)
    figures = [
        common.figure(f"enroll, {len(done)} pictures, {given.jobs} jobs: wall, s", wall, "{:.1f}"),
        common.figure("of them added", done.count("added"), "{:.0f}"),
        *(common.figure(f"inside ONNX Runtime, {name}, s", seconds, "{:.1f}") for name, seconds in inside.items()),
        common.figure("hashing, s", hashing, "{:.2f}"),
        common.figure("enroll: wall / (sessions + hashing)", ratio, "{:.2f}", most=1.3),
        common.figure(f"again, {known.count('known')} of them known: wall, s", again, "{:.2f}"),
    ]
    common.tell(figures, as_json=given.json)


def run_warm(tools: common.Toolbox, root: Path) -> None:
    """Load the models, which is not what is measured."""
    for _ in Pipeline(tools, Flow(faces="largest")).run(islice(expand([str(root)]), 1)):
        pass


def hashed(root: Path, count: int) -> float:
    """Return the seconds of hashing the pictures' bytes."""
    contents = [Path(source.name).read_bytes() for source in islice(expand([str(root)]), count)]
    start = time.perf_counter()
    for content in contents:
        hashlib.sha256(content).digest()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
