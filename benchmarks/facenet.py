"""FaceNet's InceptionResnetV1: torch eager against the file that `facecli export` makes, same threads, in turns."""

from __future__ import annotations

import tempfile
from pathlib import Path

import common
import numpy as np

RUNS = {1: 4, 16: 1}  # at a stretch, by batch: a program that embeds many faces does not switch after each
BARS = {1: 2.5, 16: 1.8}


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--rounds", type=int, default=9)
    given = options.parse_args()

    import torch

    from facecli.export.networks.facenet import inception_resnet
    from facecli.export.recipes.facenet import facecli_export_recipes
    from facecli.export.request import ExportRequest
    from facecli.export.run import export_recipe
    from facecli.inference.session import open_session

    torch.set_num_threads(given.threads)
    torch.manual_seed(0)  # the weights do not matter for speed, and the published ones are not at hand
    network = inception_resnet().eval()
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "weights.pt"
        torch.save(network.state_dict(), weights)
        (file,) = export_recipe(ExportRequest(recipe=facecli_export_recipes()[0], weights=weights), Path(folder)).files
        session = open_session(file.path, threads=given.threads)
    figures = []
    threads = f"{given.threads} thread{'s' * (given.threads > 1)}"
    for batch, runs in RUNS.items():
        crops = np.random.default_rng(batch).uniform(-1, 1, (batch, 3, 160, 160)).astype(np.float32)
        tensor = torch.from_numpy(crops)

        def ours(crops: np.ndarray = crops, runs: int = runs) -> None:
            for _ in range(runs):
                session.run({"crops": crops})

        def theirs(tensor: torch.Tensor = tensor, runs: int = runs) -> None:
            with torch.inference_mode():
                for _ in range(runs):
                    network(tensor)

        seconds = common.interleaved({"ours": ours, "theirs": theirs}, given.rounds)
        medians = common.medians(seconds)
        ratio, best = medians["theirs"] / medians["ours"], min(seconds["theirs"]) / min(seconds["ours"])
        place = f"batch {batch}, {threads}"
        figures += [
            common.figure(f"facenet, ms per crop, {place}", medians["ours"] * 1e3 / batch / runs),
            common.figure(f"torch eager, ms per crop, {place}", medians["theirs"] * 1e3 / batch / runs),
            common.figure(f"facenet: times as fast as torch eager, {place}", ratio, "{:.2f}", least=BARS[batch]),
            common.figure(f"the same, best run against best run, {place}", best, "{:.2f}"),
        ]
    common.tell(figures, as_json=given.json)


if __name__ == "__main__":
    main()
