"""The two published files are joined line by line."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs torch")

from facecli.models.training import fer2013, fer2013_csv

HEAD = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"


@pytest.fixture
def published(tmp_path):
    """Three pictures as Kaggle and Microsoft publish them; the second has no face."""
    first, second = tmp_path / "fer2013.csv", tmp_path / "fer2013new.csv"
    rows = [(0, 7, "Training"), (3, 8, "Training"), (6, 9, "PublicTest")]
    lines = [f"{label},{' '.join([str(value)] * 48 * 48)},{usage}\n" for label, value, usage in rows]
    first.write_text("emotion,pixels,Usage\n" + "".join(lines), "utf-8")
    second.write_text(
        HEAD + "Training,fer0.png,1,0,0,0,9,0,0,0,0,0\nTraining,,0,0,0,0,0,0,0,0,0,10\n"
        "PublicTest,fer2.png,6,0,0,0,0,0,0,2,1,1\n",
        "utf-8",
    )
    return first, second


def test_what_is_written_is_what_the_training_reads(published, tmp_path, capsys):
    assert fer2013_csv.main([*map(str, published), str(tmp_path / "out.npz")]) == 0
    assert capsys.readouterr().out == f"wrote {tmp_path / 'out.npz'}: 2 pictures\n"
    splits = fer2013.read(tmp_path / "out.npz")
    training, public = splits["Training"], splits["PublicTest"]
    assert (training.pixels == 7).all()
    assert training.pixels.shape == (1, 48, 48)
    assert [training.label.tolist(), public.label.tolist()] == [[0], [6]]
    assert training.votes.tolist() == [[9, 0, 0, 0, 0, 0, 1]]
    assert public.votes.tolist() == [[0, 0, 0, 0, 0, 0, 6]]
    assert public.others.tolist() == [[2, 1, 1]]


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (0, "emotion", "mood", "fer2013.csv has no column emotion"),
        (0, "PublicTest", "PrivateTest", "line 4 is of PrivateTest in "),
        (0, " 7 ", " 700 ", "do not belong together"),
        (0, "7 7 ", "7 ", "do not belong together"),
        (0, "6,9 9", "9,9 9", "do not belong together"),
        (1, "0,0,9,0,0,0,0,0", "0,0,300,0,0,0,0,0", "do not belong together"),
        (1, "6,0,0,0,0,0,0,2,1,1", "6,0,0", "do not belong together"),
        (1, "Training,,0,0,0,0,0,0,0,0,0,10\n", "", "line 3 is of Training in "),
        (1, "PublicTest,fer2.png,6,0,0,0,0,0,0,2,1,1\n", "", "do not belong together"),
    ],
)
def test_files_that_do_not_fit_are_one_line(published, tmp_path, capsys, file, old, new, message):
    text = published[file].read_text("utf-8")
    assert old in text
    published[file].write_text(text.replace(old, new, 1), "utf-8")
    assert fer2013_csv.main([*map(str, published), str(tmp_path / "out.npz")]) == 1
    (error,) = capsys.readouterr().err.splitlines()
    assert message in error
    assert not (tmp_path / "out.npz").exists()


def test_a_missing_file_is_one_line(published, tmp_path, capsys):
    published[1].unlink()
    assert fer2013_csv.main([*map(str, published), str(tmp_path / "out.npz")]) == 1
    assert "fer2013new.csv can not be read" in capsys.readouterr().err
    assert np.array_equal(list(tmp_path.glob("*.npz")), [])
