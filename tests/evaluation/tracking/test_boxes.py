"""Boxes of tracks in MOTChallenge's text."""

from __future__ import annotations

import pytest

from facecli.errors import UsageError
from facecli.evaluation.tracking.boxes import read


def test_a_mark_of_the_byte_order_is_no_part_of_the_first_frame(tmp_path):
    path = tmp_path / "boxes.txt"
    path.write_bytes(b"\xef\xbb\xbf1,2,0,0,9,9,1\n2.0,2,0,0,9,9,1\n")
    assert read(path).frames.tolist() == [1, 2]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1.5,1,0,0,9,9,1", "frame or an id that is none"),
        ("1,1.5,0,0,9,9,1", "frame or an id that is none"),
        ("1,1e300,0,0,9,9,1", "frame or an id that is none"),
        ("1,1,0,0,1e300,9,1", "beyond any picture"),
        ("1,1,-1e30,0,9,9,1", "beyond any picture"),
        ("0,1,0,0,9,9,1", "must count from 1"),
    ],
)
def test_numbers_that_can_not_be_are_refused(tmp_path, line, reason):
    path = tmp_path / "boxes.txt"
    path.write_text(f"1,7,0,0,9,9,1\n{line}\n")
    with pytest.raises(UsageError, match=reason):
        read(path)
