from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from facecli.output.embeddings_file import EmbeddingsFile
from facecli.pipeline.results import ImageResult


@pytest.fixture
def stored(run_cli: Callable, examples: Path, tmp_path: Path) -> Path:
    """Embeddings of 25 made-up people with five pictures each, and of strangers beside them in a second file."""
    header = run_cli("embed", examples / "hopper.jpg", "--json").json
    header = {key: header[key] for key in ("schema", "version", "detector", "recognizer")}
    rng = np.random.default_rng(0)
    for name, people, each in (("people", 25, 5), ("others", 60, 1)):
        file = EmbeddingsFile(tmp_path / f"{name}.npz")
        for person in range(people):
            centre = rng.normal(size=header["recognizer"]["dim"])
            for number in range(each):
                row = (centre + 0.5 * rng.normal(size=centre.shape)).astype(np.float32)
                source = f"{name}/{person}/{number}.jpg"
                file.add(ImageResult(source, 9, 9, indices=(0,), detector_ran=False, embeddings=row[None]))
        file.write(header)
    return tmp_path


def test_stored_embeddings(run_cli: Callable, stored: Path) -> None:
    files = (stored / "people.npz", "--strangers", stored / "others.npz")
    done = run_cli("evaluate-identification", *files, "--plot", stored / "det.csv", "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    answer = done.json
    assert answer["enrolled"] == {"people": 25, "templates": 3}
    assert answer["mated"] == {"searches": 25 * 2 * 20, "people": 25}
    assert answer["non_mated"] == {"searches": 60 * 20, "people": 60}
    assert answer["rank_1"]["value"] == 1
    assert [at["wanted"] for at in answer["at_fpir"]] == [0.1, 0.03, 0.01]
    assert (stored / "det.csv").read_text().startswith("threshold,fpir,fnir")
    again = run_cli("evaluate-identification", *files, "--json").json
    assert json.dumps(answer | {"seconds": 0}) == json.dumps(again | {"seconds": 0})
    table = run_cli("evaluate-identification", *files, "--format", "table").stdout.decode()
    assert max(map(len, table.splitlines())) <= 80
    assert table.count("FNIR at FPIR") == 3


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("people.npz", "--templates", "5"), "too few to enroll"),
        (("people.npz", "--strangers", "."), "not measured together"),
        (("people.npz", "--plot", "det.gif"), "can not write a figure as '.gif'"),
        (("missing",), "does not exist"),
    ],
)
def test_refused(run_cli: Callable, stored: Path, options: tuple[str, ...], text: str) -> None:
    done = run_cli("evaluate-identification", *options, cwd=stored)
    assert done.returncode == 2
    assert text in done.stderr.decode()
