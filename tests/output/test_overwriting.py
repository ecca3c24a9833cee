"""No output takes the place of an input, under whatever name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from facecli.errors import OutputError, UsageError
from facecli.output.overwriting import OutputPaths, protected, refuse_inputs
from facecli.pictures.listing import expand
from facecli.types import Limits


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with a.bmp and a.jpg."""
    for name in ("a.bmp", "a.jpg"):
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def outcomes(inputs: list[Path], paths: OutputPaths, *, many: bool = True) -> list[str]:
    """What reading each source gives: its content, or the error's text."""
    names = tuple(map(str, inputs))
    texts = []
    for source in protected(expand(names), names, paths, many=many):
        try:
            texts.append(source.read(Limits()).decode())
        except OutputError as error:
            texts.append(str(error))
    return texts


def test_an_input_is_not_overwritten_under_any_of_its_names(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    (tmp_path / "b.jpg").symlink_to(tmp_path / "a.jpg")
    refuse_inputs(tmp_path / "c.jpg", ["-", "http://a/b.jpg", "x" * 5000, "\0", str(tmp_path / "a.jpg")], "plot")
    with pytest.raises(UsageError, match=r"plot .*b\.jpg would overwrite the input .*a\.jpg") as refusal:
        refuse_inputs(tmp_path / "b.jpg", [str(tmp_path / "a.jpg")], "plot")
    assert refusal.value.text(lambda setting: f"--{setting}").startswith("--plot ")


@pytest.mark.parametrize("setting", ["crops", "annotate", "output"])
def test_a_place_that_is_an_input_is_refused_before_anything_is_read(pictures: Path, setting: str) -> None:
    one = str(pictures / "a.jpg")
    with pytest.raises(UsageError, match=rf"{setting} .*a\.jpg would overwrite the input"):
        protected([], (one,), OutputPaths(**{setting: pictures / "a.jpg"}), many=False)


def test_without_annotated_copies_every_source_is_read(pictures: Path) -> None:
    assert outcomes([pictures], OutputPaths(crops=pictures / "crops")) == ["a.bmp", "a.jpg"]
    assert outcomes([pictures / "a.jpg"], OutputPaths(annotate=pictures / "b.jpg"), many=False) == ["a.jpg"]


def test_a_copy_in_the_folder_of_its_original_is_refused(pictures: Path) -> None:
    (refusal,) = outcomes([pictures / "a.jpg"], OutputPaths(annotate=pictures))
    assert (
        refusal == f"the annotated copy of {pictures / 'a.jpg'} would overwrite its own input; choose another annotate"
    )


@pytest.mark.parametrize("through_link", [False, True])
def test_a_copy_in_the_place_of_a_later_input_is_refused(pictures: Path, tmp_path: Path, through_link: bool) -> None:
    folder = pictures
    if through_link:
        folder = tmp_path / "link"
        folder.symlink_to(pictures, target_is_directory=True)
    bitmap, portrait = outcomes([folder], OutputPaths(annotate=pictures))
    assert f"would overwrite the input {pictures / 'a.jpg'}" in bitmap  # a.bmp becomes a.jpg
    assert portrait == "a.jpg"  # it becomes a-2.jpg


def test_a_hard_link_to_an_input_is_that_input(pictures: Path, tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    copies.mkdir()
    os.link(pictures / "a.jpg", copies / "b.jpg")
    (pictures / "b.bmp").write_bytes(b"b.bmp")
    refused, read = outcomes([pictures / "b.bmp", pictures / "a.jpg"], OutputPaths(annotate=copies))
    assert f"would overwrite the input {copies / 'b.jpg'}" in refused
    assert read == "a.jpg"
