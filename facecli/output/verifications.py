"""TODO: facecli.output.verifications."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from facecli.hosting.toolbox import Toolbox
    from facecli.pipeline.results import ImageResult


def _document(
    tools: Toolbox, results: list[ImageResult], rows: tuple[int, int], answer: dict[str, Any]
) -> dict[str, Any]:
    from facecli.output import records

    pictures = [records.chosen(result, row) for result, row in zip(results, rows, strict=True)]
    recognizer = {"recognizer": answer.pop("recognizer")}
    more = {key: answer.pop(key) for key in ("decisions", "preset") if key in answer}
    detector = records.described(tools, tools.detector_plugin)
    return records.header("verify", **answer, detector=detector, **recognizer, **more, images=pictures)


def _plot(path: Path, results: list[ImageResult], rows: tuple[int, int], document: dict[str, Any]) -> None:
    from facecli.output import drawing
    from facecli.pictures import codec
    from facecli.system.files import write_bytes

    same = document["verified"]
    panels = [drawing.face_of(result, row, same=same) for result, row in zip(results, rows, strict=True)]
    picture = drawing.verdict(panels, same, document["metric"], document["distance"], document["threshold"])
    write_bytes(path, codec.encode(picture, path.suffix), parents=False)


def _rows(document: dict[str, Any]) -> list[dict[str, Any]]:
    """One row, or one per recognizer and then what they say together."""
    pictures = document["images"]
    names: dict[str, Any] = {name: picture["source"] for name, picture in zip("ab", pictures, strict=True)}
    pictured: dict[str, Any] = {"detected": all(picture["detected"] for picture in pictures)}
    if "anti_spoof" in document:  # a fake is a no, whatever the distance
        pictured |= {
            f"real_{name}": picture["face"]["spoof"]["probabilities"]["real"]
            for name, picture in zip("ab", pictures, strict=True)
        }
    told = [
        names
        | {"recognizer": "all" if one["recognizer"] is None else one["recognizer"]["plugin"]}
        | _told(one)
        | pictured
        for one in (*document.get("decisions", ()), document)
    ]
    return told if len(told) > 1 else [names | _told(document) | pictured]


def _told(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: answer[key] for key in ("verified", "metric", "distance", "threshold")}
