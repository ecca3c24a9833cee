"""Lists of pairs: what is no list is refused, soon and without filling the memory."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from facecli.errors import UsageError
from facecli.evaluation import pairs, tables


def test_a_column_that_comes_twice_is_an_error() -> None:
    with pytest.raises(UsageError, match="has the column file_a twice"):
        pairs.read(["file_a,file_b,same,file_a\n", "a,b,1,c\n"], "x.csv")
    assert len(pairs.read(["file_a,file_b,same,n,n\n", "a,b,1,2,3\n"], "x.csv")) == 1


@pytest.mark.parametrize("separator", [",", ";", "\t", ", ", " , ", "; "])
def test_spreadsheets_may_separate_by_semicolons_tabs_and_blanks(separator: str) -> None:
    header, row = "file_a,file_b,same\n", "a.jpg,b c.jpg,1\n"
    lines = [header.replace(",", separator), row.replace(",", separator.lstrip(" "))]
    assert pairs.read(lines, "x.csv") == [pairs.Pair("a.jpg", "b c.jpg", same=True)]


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_what_windows_writes_is_named(order: str) -> None:
    text = "\ufefffile_a,file_b,same\na,b,1\n".encode(order).decode("utf-8-sig", "surrogateescape")
    with pytest.raises(UsageError, match="is UTF-16, which is not read; save it as UTF-8"):
        pairs.read_stream(io.StringIO(text), "x.csv")
    with pytest.raises(UsageError, match="must be file_a,file_b,same, in small letters"):
        pairs.read(["File_A,File_B,Same\n", "a,b,1\n"], "x.csv")


@pytest.mark.parametrize("again", ["a,b,0", "b,a,0", "./a,b,no"])
def test_a_pair_that_is_the_same_person_and_is_not_is_an_error_with_both_lines(again: str) -> None:
    with pytest.raises(UsageError, match=r"x\.csv lines 2 and 4 contradict each other; .* in one of them alone"):
        pairs.read(["file_a,file_b,same\n", "a,b,1\n", "a,c,0\n", f"{again}\n"], "x.csv")


def test_a_pair_counts_once_however_often_it_is_listed() -> None:
    listed = pairs.read(["file_a,file_b,same\n", "a,b,1\n", "a,c,0\n", "a,b,true\n", "b,./a,1\n"], "x.csv")
    assert listed == [pairs.Pair("a", "b", same=True), pairs.Pair("a", "c", same=False)]


BY_PAIR, BY_FACE = "file_a,file_b,same,race\n", "file_a,file_b,same,race_a,race_b,sex\n"


def test_a_group_is_that_of_both_faces() -> None:
    assert [pair.group for pair in pairs.read([BY_PAIR, "a,b,1,A\n", "a,c,0,\n"], "x.csv", ["race"])] == ["A", None]
    rows = ["a,b,1,A,A,f\n", "a,c,0,A,B,f\n", "a,d,0,,,f\n", "a,e,0,B,B,\n"]
    assert [pair.group for pair in pairs.read([BY_FACE, *rows], "x.csv", ["race"])] == ["A", None, None, "B"]
    assert [pair.group for pair in pairs.read([BY_FACE, *rows], "x.csv", ["race", "sex"])] == ["A f", None, None, None]
    assert {pair.group for pair in pairs.read([BY_FACE, *rows], "x.csv")} == {None}


def test_a_group_that_is_not_there_or_is_two_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"no column age, nor age_a and age_b; it has file_a, file_b, same, race"):
        pairs.read([BY_PAIR, "a,b,1,A\n"], "x.csv", ["age"])
    with pytest.raises(UsageError, match="lines 2 and 3 contradict each other; b and a are of the group A in one"):
        pairs.read([BY_PAIR, "a,b,1,A\n", "b,a,1,B\n"], "x.csv", ["race"])


def test_lines_are_bounded() -> None:
    assert list(pairs.lines_of(io.StringIO("a\nb"), "x.csv")) == ["a\n", "b"]
    with pytest.raises(UsageError, match=r"x\.csv has a line of more than 65536 characters"):
        list(pairs.lines_of(io.StringIO("a" * 65537), "x.csv"))


def test_a_table_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_LINES", 3)
    assert len(list(tables.lines_of(io.StringIO("x\n" * 4), "x.csv"))) == 4  # with its header
    with pytest.raises(UsageError, match=r"x\.csv has more than 3 lines"):
        list(tables.lines_of(io.StringIO("x\n" * 5), "x.csv"))


def test_reading_that_fails_is_told() -> None:
    class Broken(io.StringIO):
        def readline(self, *_: object) -> str:
            raise OSError(5, "Input/output error")

    with pytest.raises(UsageError, match=r"can not read x\.csv: Input/output error"):
        list(pairs.lines_of(Broken(), "x.csv"))


def write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join(["file_a,file_b,same", *rows, ""]))
    return path


@pytest.mark.parametrize("command", ["evaluate", "calibrate"])
def test_contradictions_are_told_before_any_work(run_cli: Callable, tmp_path: Path, command: str) -> None:
    listed = write(tmp_path / "pairs.csv", "none.jpg,gone.jpg,0", "gone.jpg,none.jpg,1")
    done = run_cli(command, listed, "--json")
    assert (done.returncode, len(done.errors)) == (2, 1)
    assert "lines 2 and 3 contradict each other" in done.errors[0]


def test_evaluate_counts_a_pair_once(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    listed = write(tmp_path / "pairs.csv", "collins.jpg,hopper.jpg,0", "hopper.jpg,collins.jpg,0")
    assert run_cli("evaluate", listed, "--root", examples, "--json").json["pairs"] == {"mated": 0, "non_mated": 1}


def test_what_never_ends_is_refused(run_cli: Callable) -> None:
    done = run_cli("evaluate", "/dev/zero")
    assert done.returncode == 2
    assert "a line of more than" in done.errors[0]


def test_a_picture_called_minus_is_not_stdin(run_cli: Callable, examples: Path, tmp_path: Path, collins: bytes) -> None:
    (tmp_path / "-").write_bytes(collins)
    (tmp_path / "b.jpg").write_bytes((examples / "hopper.jpg").read_bytes())
    listed = write(tmp_path / "pairs.csv", "-,b.jpg,0")
    done = run_cli("evaluate", listed, "--json", cwd=tmp_path, input=b"")
    assert (done.returncode, done.errors) == (0, [])


def test_one_kind_of_pairs_has_no_best_threshold(run_cli: Callable, examples: Path, tmp_path: Path) -> None:
    listed = write(tmp_path / "pairs.csv", "collins.jpg,hopper.jpg,0")
    assert run_cli("evaluate", listed, "--root", examples, "--json").json["best_threshold"] is None
    rows = csv.DictReader(
        io.StringIO(run_cli("evaluate", listed, "--root", examples, "--format", "csv").stdout.decode())
    )
    assert [row["note"] for row in rows if row["measure"] == "best accuracy"] == [""]


def test_the_curve_overwrites_nothing_and_its_folder_is_looked_for_first(
    run_cli: Callable, examples: Path, tmp_path: Path
) -> None:
    listed = write(tmp_path / "pairs.csv", "collins.jpg,hopper.jpg,0")
    before = listed.read_bytes()
    refused = run_cli("evaluate", listed, "--root", examples, "--roc", listed, "--json")
    assert refused.returncode == 2
    assert json.loads(refused.stdout)["error"]["code"] == "usage"
    assert "would overwrite the input" in refused.errors[0]
    assert listed.read_bytes() == before
    lost = run_cli("evaluate", listed, "--root", examples, "--roc", tmp_path / "typo" / "x.csv")
    assert lost.returncode == 1
    assert len(lost.errors) == 1
    assert "there is no folder" in lost.errors[0]
