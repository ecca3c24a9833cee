"""Tables of 80 columns, or of the terminal's: names are shortened from the left, numbers stay whole."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len

from facecli.output import tables

LONG = "holidays/2025/a folder with a very long name/another one below it/IMG_20260101_112233.jpg"
FACE = {"source": LONG, "face": 0, "bbox": "1153 1105 1303 1284", "score": 0.94612345}


@pytest.fixture(autouse=True)
def width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def lines(*rows: dict[str, object], title: str | None = None) -> list[str]:
    return tables.rendered(rows, title, io.StringIO()).splitlines()


def test_a_name_is_shortened_from_the_left_and_a_number_is_whole() -> None:
    table = lines(FACE, FACE)
    assert {len(line) for line in table} == {80}
    assert len(table) == 6
    assert "IMG_20260101_112233.jpg │ 0" in table[3]
    assert "│ …" in table[3] and "1153 1105 1303 1284 │ 0.9461" in table[3]


def test_a_character_of_two_columns_counts_as_two() -> None:
    name = "日本語の写真フォルダ集合写真一覧.jpg"
    table = lines({**FACE, "source": name})
    assert len(table) == 5
    assert name in table[3]
    (row,) = lines({**FACE, "source": name * 3})[3:-1]
    assert cell_len(row) <= 80
    assert "集合写真一覧.jpg │ 0" in row


def test_a_text_is_wrapped_between_words() -> None:
    table = lines(FACE | {"error": "can not be decoded; convert it to JPEG, PNG, WebP, GIF, TIFF, BMP or PNM"})
    assert max(map(len, table)) <= 80
    text = "\n".join(table)
    assert all(word in text for word in ("decoded;", "convert", "JPEG,", "0.9461"))


def test_a_summary_is_cut_at_its_end() -> None:
    (row,) = lines({"id": "emotion/progressive-teacher-int8bq", "state": "installed", "summary": "what " * 20})[3:-1]
    assert len(row) == 80
    assert row.rstrip(" │").endswith("…")


def test_rows_that_do_not_fit_become_fields_and_values() -> None:
    numbers = {f"measure {n}": 0.123456 for n in range(9)}
    table = lines(FACE | numbers, FACE | numbers)
    assert max(map(len, table)) == 80
    assert len([line for line in table if "measure 8" in line and "0.1235" in line]) == 2
    assert len([line for line in table if line.startswith("├")]) == 1
    assert "field" in table[1]


def test_nested_values_are_no_python() -> None:
    files = [{"name": "x.onnx", "size": 7, "urls": []}]
    text = "\n".join(lines({"field": "operating_point", "value": files}, {"field": "sha256", "value": "0" * 90}))
    assert "name x.onnx, size 7" in text
    assert "operating_point" in text and "{" not in text
