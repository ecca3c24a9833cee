"""Places to write that no file system has, such as a name that is too long: refused in words, before the work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from facecli.cli.main import run

LONG = "x" * 300  # most file systems have 255 bytes for a name


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"detect missing.jpg --annotate {LONG}.jpg", "output"),
        (f"detect missing.jpg missing.png --annotate {LONG}", "output"),
        (f"detect missing.jpg --crops {LONG}", "output"),
        (f"detect missing.jpg -o {LONG}.json", "output"),
        (f"verify missing.jpg missing.png --plot {LONG}.png", "output"),
        (f"anonymize missing.jpg -o {LONG}.jpg", "output"),
        (f"cluster missing.jpg missing.png -o {LONG}/", "output"),
        (f"models export-bundle {LONG}.zip", "output"),
        (f"enroll --name a missing.jpg --gallery {LONG}.db", "output"),
        (f"gallery backup {LONG}.db --gallery staff.db", "output"),
        (f"gallery export {LONG}.npz --gallery staff.db", "output"),
        (f"gallery list --gallery {LONG}.db", "gallery"),
    ],
)
def test_a_name_that_is_too_long(
    line: str,
    code: str,
    store: object,  # makes staff.db
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    status = run([*line.split(), "--json"])
    printed = capsys.readouterr()
    (said,) = printed.err.splitlines()
    assert said.startswith("facecli: error: ")
    error = json.loads(printed.out)["error"]
    assert (status, error["code"]) == (1, code)
    assert "too long" in error["message"] or code == "gallery"
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith("staff.db")] == []


def test_a_home_that_is_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FACECLI_HOME", str(tmp_path / LONG))
    assert run(["models", "list", "--json"]) == 2
    assert "FACECLI_HOME can not be" in json.loads(capsys.readouterr().out)["error"]["message"]
