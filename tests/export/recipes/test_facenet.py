"""facenet-pytorch's published distances between its five test pictures, where weights and pictures are at hand.

Both are other people's, so they lie in ../shared: models/20180402-114759-vggface2.pt, models/
20180408-102900-casia-webface.pt, and data/facenet_pytorch_test_images/NAME/1.jpg (its data/test_images). The
distances are those of its tests/actions_test.py at commit 788f7c3f, where pictures are first made 512 px small.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

NAMES = ("angelina_jolie", "bradley_cooper", "kate_siegel", "paul_rudd", "shea_whigham")
PUBLISHED = {
    "facenet-vggface2": (
        "20180402-114759-vggface2.pt",
        [1.482895, 0.886342, 1.438450, 1.437583, 1.345686, 1.029880, 1.061939, 1.363125, 1.338803, 1.066040],
    ),
    "facenet-casia": (
        "20180408-102900-casia-webface.pt",
        [1.430769, 0.992931, 1.414197, 1.329544, 1.253911, 1.144899, 1.079755, 1.358875, 1.337322, 1.204118],
    ),
}


@pytest.mark.usefixtures("torch")
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_distances_come_out(run_cli, shared: Path, tmp_path: Path, name: str) -> None:
    file, distances = PUBLISHED[name]
    weights, pictures = shared / "models" / file, shared / "data" / "facenet_pytorch_test_images"
    if not weights.is_file() or not pictures.is_dir():
        pytest.skip(f"needs {file} and facenet-pytorch's test pictures in the shared folder")
    pillow = pytest.importorskip("PIL.Image")
    env = {"FACECLI_HOME": str(tmp_path / "home")}
    assert run_cli("export", name, "--weights", weights, env=env).returncode == 0
    rows = []
    for person in NAMES:
        with pillow.open(pictures / person / "1.jpg") as picture:
            factor = 512 / min(picture.size)
            size = (int(picture.width * factor), int(picture.height * factor))
            kept = io.BytesIO()
            picture.convert("RGB").resize(size, pillow.Resampling.BILINEAR).save(kept, "PNG")
        done = run_cli(
            "embed", "-", "--recognizer", name, "--face", "largest", "--json", input=kept.getvalue(), env=env
        )
        rows.append(json.loads(done.stdout)["images"][0]["faces"][0]["embedding"])
    ours = [float(np.linalg.norm(np.subtract(rows[i], rows[j]))) for i in range(5) for j in range(i + 1, 5)]
    # Its own bar: the norm of all differences, each counted twice, is below 0.01.
    assert np.linalg.norm(np.subtract(ours, distances)) * 2**0.5 < 1e-2
