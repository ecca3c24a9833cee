"""A picture's record is the one that the command prints with --json."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil

from facecli import Faces, Picture

ANALYZED = ("emotion", "pose", "quality")
COMMANDS: dict[str, tuple[tuple[str, ...], Callable[..., Any]]] = {
    "detect": ((), lambda faces, pictures: faces.run(pictures)),
    "embed": ((), lambda faces, pictures: faces.run(pictures, embed=True)),
    "emotion": ((), lambda faces, pictures: faces.run(pictures, attributes="emotion")),
    "analyze": (
        ("-a", ",".join(ANALYZED), "--embed"),
        lambda faces, pictures: faces.run(pictures, attributes=ANALYZED, embed=True),
    ),
}


@pytest.fixture(scope="module")
def pictures(examples: Path, group_picture: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two portraits and a group, one picture without a face, one file that is no picture, and one that is not there."""
    grey = tmp_path_factory.mktemp("grey") / "grey.png"
    Pil.fromarray(np.full((80, 80, 3), 127, np.uint8)).save(grey)
    return [examples / "hopper.jpg", group_picture, grey, examples / "CREDITS.md", examples / "nobody.jpg"]


def as_keywords(record: dict[str, Any]) -> dict[str, Any]:
    """The record of a command, with options in its error spelled as keyword arguments."""
    error = record["error"]
    if error is not None:
        for key in ("message", "hint"):
            error[key] = re.sub(r"--([a-z-]+)", lambda match: match[1].replace("-", "_"), error[key])
    return record


@pytest.mark.parametrize("command", COMMANDS)
def test_record_is_that_of_the_command(command: str, faces: Faces, pictures: list[Path], run_cli: Callable) -> None:
    options, run = COMMANDS[command]
    told = run_cli(command, *pictures, *options, "--threads", "1", "--json").json["images"]
    ours: list[Picture] = list(run(faces, pictures))
    assert [picture.record() for picture in ours] == list(map(as_keywords, told))
    assert [list(picture.record()) for picture in ours] == [list(record) for record in told]


def test_record_of_a_method_is_that_of_a_run(faces: Faces, examples: Path) -> None:
    hopper = examples / "hopper.jpg"
    (run,) = faces.run(hopper, attributes="emotion", embed=True)
    assert faces.analyze(hopper, "emotion", embed=True).record() == run.record()


def test_hints_name_keyword_arguments(faces: Faces, pictures: list[Path]) -> None:
    grey = pictures[2]
    (picture,) = faces.run(grey, embed=True, need_face=True)
    assert picture.record()["error"] == {
        "code": "no_face",
        "message": f"no face found in {grey}, which is nearly of one colour",
        "hint": "see whether it is the picture that you mean",
    }
    (picture,) = faces.run(pictures[1], face="only")
    assert str(picture.error).endswith("face only wants one; choose with face")
