"""Crops and annotated copies: which files a result leaves, and what a failure does to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from facecli.contract import CropSpec
from facecli.errors import NoFaceError, OutputError, UsageError
from facecli.output import drawing
from facecli.output.file_names import FileNames
from facecli.output.pictures import annotation_writer, crop_writer, write
from facecli.pictures import codec
from facecli.pipeline.results import ImageResult
from facecli.types import Detections, Image, Limits

SPEC = CropSpec(16, 12)
ALIGNED = CropSpec(16, 16, template=((4, 5), (12, 5), (8, 9), (5, 12), (11, 12)))


def result(source: str, faces: int = 2) -> ImageResult:
    image = Image(np.full((60, 80, 3), 128, np.uint8), source)
    boxes = np.tile(np.float32([10, 10, 40, 40]), (faces, 1))
    detections = Detections(boxes, np.full(faces, 0.5, np.float32))
    return ImageResult(source, 80, 60, faces, tuple(range(faces)), detections=detections, image=image)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_every_face_leaves_a_crop(tmp_path: Path) -> None:
    done, files = write(result("there/a.jpg"), [crop_writer(tmp_path / "crops", SPEC)])
    assert done.error is None
    assert files == [str(tmp_path / "crops" / f"a.{index}.png") for index in (0, 1)]
    for file in files:
        assert codec.decode(Path(file).read_bytes(), file, Limits()).pixels.shape == (12, 16, 3)


def test_a_face_without_landmarks_gives_a_crop_of_its_bbox(tmp_path: Path) -> None:
    _, (file,) = write(result("a.jpg", faces=1), [crop_writer(tmp_path, ALIGNED)])
    assert codec.decode(Path(file).read_bytes(), file, Limits()).pixels.shape == (16, 16, 3)


def test_a_failed_picture_leaves_nothing_but_keeps_its_number(tmp_path: Path) -> None:
    writers = [crop_writer(tmp_path / "crops", SPEC)]
    failed = ImageResult("a.jpg", error=NoFaceError("no face found in a.jpg"))
    assert write(failed, writers) == (failed, [])
    assert write(result("other/a.jpg", 1), writers)[1] == [str(tmp_path / "crops" / "a-2.0.png")]


def test_one_annotated_copy_is_a_file_and_several_a_folder(tmp_path: Path) -> None:
    one = annotation_writer(tmp_path / "one.png", drawing.faces_of, many=False)
    assert write(result("a.jpg"), [one])[1] == [str(tmp_path / "one.png")]
    several = annotation_writer(tmp_path / "several", drawing.faces_of, many=True)
    for source in ("x/a.jpg", "y/a.png", "-", "https://example.org/b.webp?size=2"):
        write(result(source), [several])
    assert names(tmp_path / "several") == ["a-2.jpg", "a.jpg", "b.jpg", "stdin.jpg"]


def test_a_place_for_annotated_copies_that_can_not_be_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for out, message in (("file", "annotate .*file is a file"), ("x.png", "annotate .*x.png names one picture")):
        with pytest.raises(UsageError, match=f"{message}.*; name a folder"):
            annotation_writer(tmp_path / out, drawing.faces_of, many=True)
    with pytest.raises(UsageError, match=r"can not write a \.txt picture"):
        annotation_writer(tmp_path / "x.txt", drawing.faces_of, many=False)
    for many, out in ((True, "typo/copies"), (False, "typo/a.png")):
        with pytest.raises(OutputError, match="there is no folder"):
            annotation_writer(tmp_path / out, drawing.faces_of, many=many)
    with pytest.raises(OutputError, match="there is no folder"):
        crop_writer(tmp_path / "typo" / "crops", SPEC)
    assert names(tmp_path) == ["file"]


def test_a_failure_becomes_the_error_and_keeps_the_files_before_it(tmp_path: Path) -> None:
    def full(_result: ImageResult) -> Iterator[Path]:
        yield tmp_path / "first.png"
        raise OutputError("no space left")

    done, files = write(result("a.jpg"), [full, crop_writer(tmp_path, SPEC)])
    assert (str(done.error), files) == ("no space left", [str(tmp_path / "first.png")])
    assert (done.source, done.indices) == ("a.jpg", (0, 1))
    assert names(tmp_path) == []


def test_a_failure_of_opencv_is_an_output_error(tmp_path: Path) -> None:
    def broken(_result: ImageResult) -> np.ndarray:
        raise cv2.error("unknown font")

    done, files = write(result("a.jpg"), [annotation_writer(tmp_path / "a.png", broken, many=False)])
    assert isinstance(done.error, OutputError)
    assert str(done.error) == "can not draw on a.jpg: unknown font"
    assert isinstance(done.error.__cause__, cv2.error)
    assert files == []


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("a/b.c.jpg", "b.c"),
        ("-", "stdin"),
        ("https://x.org/", "x"),
        ("https://x.org/p/q.png?a=b", "q"),
        ("", "picture"),
    ],
)
def test_a_file_is_named_after_its_source(source: str, name: str) -> None:
    assert FileNames().take(source) == name


def test_sources_of_one_name_are_numbered() -> None:
    taken = FileNames()
    assert [taken.take(source) for source in ("a.jpg", "a-2.jpg", "a.png", "b/a.gif")] == ["a", "a-2", "a-3", "a-4"]
