"""The door from outside: an import that loads nothing heavy, and types that mypy --strict sees."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

SAMPLE = """
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import facecli
from facecli.anonymise.result import Anonymised
from facecli import Attribute, Face, Faces, Picture, Verification
from facecli.errors import FacecliError, InputError


def people(paths: list[Path]) -> Iterator[tuple[str, list[str | None], FacecliError | None]]:
    with Faces(detector="mtcnn", recognizer=("dlib-resnet",), attributes=["emotion"], device="cpu", min_score=0.9,
               threads=1, jobs=2, offline=True, parameters={"mtcnn": {"min_face_size": 40}}, face=0) as faces:
        for picture in faces.run(paths, embed=True, attributes=("emotion",), errors="keep"):
            yield picture.source, [face.attributes["emotion"].label for face in picture.faces], picture.error


def one(faces: Faces, pixels: NDArray[np.uint8]) -> Mapping[str, Attribute]:
    picture: Picture = faces.detect(pixels, face="largest")
    face: Face = picture.faces[0]
    box: NDArray[np.float32] | None = face.bbox
    score: float | None = face.score
    number: int = face.index + (picture.faces_found or 0)
    record: dict[str, object] = picture.record()
    embedding: NDArray[np.float32] | None = faces.embed(b"").faces[0].embedding
    return faces.analyze("a.jpg", "emotion", embed=True).faces[0].attributes


def same(faces: Faces, a: str, b: Path) -> bool:
    try:
        answer: Verification = faces.verify(a, b, metric="cosine", threshold=0.5)
    except InputError as error:
        print(error.message, error.hint, error.code, error.further)
        return False
    first, second = answer.faces
    numbers: tuple[float, float, float] = (answer.distance, answer.threshold, answer.margin)
    return answer.verified and first.embedding is not None


def hide(faces: Faces) -> NDArray[np.uint8] | None:
    done: Anonymised = faces.anonymize("a.jpg", Path("b.jpg"), method="blur", shape="ellipse", only="Ada", check=True,
                                       gallery=faces.gallery("people.db"))
    return done.pixels


rgb: NDArray[np.uint8] = facecli.read("a.jpg")
"""
WRONG = """
from facecli import Faces

Faces(detector=1)
Faces().verify("a.jpg", "b.jpg", metric="manhattan")
Faces().detect("a.jpg").faces[0].bbox.tolist()
Faces().run("a.jpg", errors="ignore")
Faces().anonymize("a.jpg", shape="star")
"""


def test_import_loads_nothing_heavy() -> None:
    code = "import facecli, sys; print([n for n in ('numpy', 'cv2', 'onnxruntime', 'click') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_faces_object_loads_neither_opencv_nor_onnx_runtime() -> None:
    code = (
        "import sys; from facecli import Faces; Faces(); print([n for n in ('cv2', 'onnxruntime') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_program_that_uses_the_whole_door_is_typed(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="needs mypy, which tox installs")
    if not any(path.name == "py.typed" for path in distribution("facecli").files or ()):
        pytest.skip("mypy does not find a package that is installed editable; tox has the wheel")
    (tmp_path / "sample.py").write_text(SAMPLE)
    (tmp_path / "wrong.py").write_text(WRONG)
    line = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "sample.py", "wrong.py"]
    done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=tmp_path)
    found = [text.partition(": error: ")[0] for text in done.stdout.splitlines() if ": error: " in text]
    assert found == [f"wrong.py:{number}" for number in (4, 5, 6, 7, 8)], done.stdout + done.stderr
