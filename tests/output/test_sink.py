from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterator

import pytest

from facecli.errors import OutputError
from facecli.output.sink import Sink, dumps

RECORDS = [{"source": "a,b.jpg", "faces": 1}, {"source": 'q"é.jpg', "faces": 0}]


COLUMNS = ["source", "faces"]
FAILURE = {"schema": "facecli.error/1", "version": "0", "error": {"code": "output"}}


def stream(fmt: str, records: list[dict[str, object]]) -> str:
    text = io.StringIO()
    Sink(fmt, text).stream({"schema": "x/1"}, "images", records, COLUMNS, *[lambda record: [record]] * 2)
    return text.getvalue()


def failing() -> Iterator[dict[str, object]]:
    """Records that end in an error."""
    yield {"source": "first", "faces": 1}
    raise OutputError("full")


@pytest.mark.parametrize("records", [RECORDS, RECORDS[:1], []])
def test_one_result_in_four_formats(records: list[dict[str, object]]) -> None:
    assert json.loads(stream("json", records)) == {"schema": "x/1", "images": records, "error": None}
    assert [json.loads(line) for line in stream("jsonl", records).splitlines()] == [
        {"schema": "x/1"} | r for r in records
    ]
    read = list(csv.DictReader(io.StringIO(stream("csv", records))))
    assert [row["source"] for row in read] == [record["source"] for record in records]
    table = stream("table", records)
    assert all(str(record["source"]) in table for record in records)


def test_a_record_is_written_before_the_next_is_made() -> None:
    text = io.StringIO()

    def records():  # type: ignore[no-untyped-def]
        yield {"source": "first"}
        assert "first" in text.getvalue()
        yield {"source": "second"}

    Sink("json", text).stream({"schema": "x/1"}, "images", records(), COLUMNS, *[lambda record: [record]] * 2)
    assert "second" in text.getvalue()


def test_markup_in_a_name_is_text() -> None:
    assert "[red]x[/red]" in stream("table", [{"source": "[red]x[/red]"}])


def test_json_has_no_nan_and_no_lone_surrogates() -> None:
    with pytest.raises(ValueError, match="JSON"):
        dumps(float("nan"))
    name = os.fsdecode(b"caf\xe9.jpg")
    assert dumps(name).encode("utf-8") == b'"caf\\udce9.jpg"'
    assert json.loads(dumps(name)) == name
    assert dumps("é") == '"é"'


def test_stray_prints_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    sink = Sink("json")
    with sink.opened():
        print("noise")  # noqa: T201
        sink.document({"schema": "x/1"}, [])
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"schema": "x/1"}
    assert captured.err == "noise\n"


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
@pytest.mark.parametrize("fmt", ["json", "jsonl", "csv", "table"])
def test_a_full_disk_is_an_error(fmt: str) -> None:
    with open("/dev/full", "w") as full, pytest.raises(OutputError, match="no space left"):  # noqa: PTH123
        try:
            Sink(fmt, full).stream({"schema": "x/1"}, "images", RECORDS, COLUMNS, *[lambda record: [record]] * 2)  # type: ignore[arg-type]
        finally:
            os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())  # let close() flush somewhere


def late_failure(fmt: str | None) -> str:
    text = io.StringIO()
    sink = Sink(fmt, text)
    with pytest.raises(OutputError):
        sink.stream({"schema": "x/1"}, "images", failing(), COLUMNS, *[lambda record: [record]] * 2)  # type: ignore[list-item]
    sink.fail(FAILURE)
    sink.fail(FAILURE)
    return text.getvalue()


@pytest.mark.parametrize("fmt", ["json", None])
def test_a_late_failure_leaves_one_whole_document(fmt: str | None) -> None:
    first = {"source": "first", "faces": 1}
    assert json.loads(late_failure(fmt)) == {"schema": "x/1", "images": [first], "error": {"code": "output"}}


def test_a_late_failure_in_the_other_formats_leaves_the_first_rows() -> None:
    assert late_failure("csv") == "source,faces\nfirst,1\n"
    assert "first" in late_failure("table")
    line, error, *_ = map(json.loads, late_failure("jsonl").splitlines())
    assert (line["source"], error) == ("first", FAILURE)


def test_a_failure_after_a_whole_document_adds_no_second_one() -> None:
    text = io.StringIO()
    sink = Sink("json", text)
    sink.document({"schema": "x/1"}, [])
    sink.fail(FAILURE)
    assert json.loads(text.getvalue()) == {"schema": "x/1"}


def test_a_csv_has_its_columns_whatever_its_first_record_is() -> None:
    assert stream("csv", [{"source": "failed"}, {"source": "b", "faces": 2}]) == "source,faces\nfailed,\nb,2\n"
    assert stream("csv", []) == "source,faces\n"
    with pytest.raises(ValueError, match="surprise"):
        stream("csv", [{"source": "a", "surprise": 1}])


def test_a_table_sends_no_commands_to_a_terminal() -> None:
    table = stream("table", [{"source": "a\x1b[2Jb\nc", "faces": "\x9b31m"}])
    assert "\x1b" not in table
    assert "\x9b" not in table
    assert "a?[2Jb c" in table


def test_sentences_stand_in_the_place_of_a_table_alone() -> None:
    rows, sentences = [{"verified": True}], [("several\nlines", None), ("same person", True)]
    for form, printed in (("table", "several lines\nsame person\n"), ("csv", "verified\nTrue\n")):
        text = io.StringIO()
        Sink(form, text).document({"schema": "x/1"}, rows, sentences=sentences)
        assert text.getvalue() == printed


def test_sentences_have_colours_on_a_terminal_that_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def shown() -> str:
        text = Terminal()
        Sink(None, text).document({}, [], sentences=[("good", True), ("bad", False), ("so so", None)])
        return text.getvalue()

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert shown() == "\x1b[32mgood\x1b[0m\n\x1b[31mbad\x1b[0m\nso so\n"
    monkeypatch.setenv("NO_COLOR", "1")
    assert shown() == "good\nbad\nso so\n"
