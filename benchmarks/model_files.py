"""The embedded models: how large their files are and how long they take to load."""

from __future__ import annotations

from functools import partial

import common

from facecli.inference.session import open_session
from facecli.models.entries.shipped import EMBEDDED


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--rounds", type=int, default=15)
    given = options.parse_args()
    paths = sorted(EMBEDDED.glob("*.onnx"))
    loads = {path.name: partial(open_session, path) for path in paths}
    seconds = common.medians(common.interleaved(loads, given.rounds))
    figures = []
    for path in paths:
        figures.append(common.figure(f"{path.name}, MB", path.stat().st_size / 1e6, "{:.2f}"))
        figures.append(common.figure(f"{path.name}, load, ms", seconds[path.name] * 1e3, "{:.1f}"))
    common.tell(figures, as_json=given.json)


if __name__ == "__main__":
    main()
