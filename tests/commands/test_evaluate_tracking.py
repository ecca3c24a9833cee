"""`facecli evaluate-tracking`, on two short films."""

from __future__ import annotations

import pytest


@pytest.fixture
def files(tmp_path):
    truth, tracks = tmp_path / "truth.txt", tmp_path / "tracks.txt"
    truth.write_text("".join(f"{t},1,{t},0,20,20,1,-1,-1,-1\n" for t in range(1, 11)))
    tracks.write_text("".join(f"{t},{7 if t < 9 else 8},{t},0,20,20,0.9\n" for t in range(1, 11)))
    return truth, tracks


def test_the_figures_are_told(run_cli, files):
    document = run_cli("evaluate-tracking", *files, "--json").json
    assert document["schema"] == "facecli.evaluate-tracking/1"
    assert (document["mota"], document["idf1"], document["switches"]) == (0.9, 0.8, 1)
    assert (document["frames"], document["people"], document["tracks"]) == (10, 1, 2)


def test_a_file_of_something_else_is_refused(run_cli, files, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("hello\n")
    result = run_cli("evaluate-tracking", files[0], other)
    assert result.returncode == 2
    assert "line 1 of" in result.errors[0]
    other.write_bytes(b"\0\0\0 ftyp\xff\xfe\xe2\x80\xae\n")
    result = run_cli("evaluate-tracking", files[0], other)
    assert result.returncode == 2
    assert result.stderr.decode().isascii()
