from __future__ import annotations

import os
from pathlib import Path

import pytest

from facecli.system.portable_names import LONGEST, PortableNames, portable

HOSTILE = {
    "": "",
    " . ": "",
    "..": "",
    "../../etc/passwd": "_.._etc_passwd",
    "C:\\Users": "C__Users",
    "a\0b\nc\x1b[31m": "a_b_c_[31m",
    'what? "this"|<that>*': "what_ _this___that__",
    "NUL": "_NUL",
    "com1.txt": "_com1.txt",
    "LPT\u00b9": "_LPT\u00b9",
    "Console": "Console",
    "trailing dots...": "trailing dots",
    ".hidden": "hidden",
    "x" * 300: "x" * 200,
    "\u8d75" * 100: "\u8d75" * 66,
    "x" * 199 + ". y": "x" * 199,
    "evil\u202egpj.exe": "evil_gpj.exe",
    "\u202e": "_",
    "bytes \udcff": "bytes _",
    "Zoe\u0308": "Zo\u00eb",
    "Ada (2), O'Neil & Co": "Ada (2), O'Neil & Co",
}


@pytest.mark.parametrize(("text", "name"), HOSTILE.items(), ids=lambda text: ascii(text)[:30])
def test_every_text_is_one_part_of_a_path(text: str, name: str, tmp_path: Path) -> None:
    assert portable(text) == name
    assert portable(name) == name
    assert len(os.fsencode(name)) <= LONGEST
    if name:
        (tmp_path / name).write_bytes(b"")
        assert [path.name for path in tmp_path.iterdir()] == [name]


def test_texts_that_would_have_one_name_have_two() -> None:
    names = PortableNames("unknown")
    assert [names.of(text) for text in ("A/B", "a:b", "A/B", "A\\B")] == ["A_B", "a_b 2", "A_B", "A_B 3"]
    assert names.of("Unknown") == "Unknown 2"
    assert [names.of(text) for text in ("..", "/")] == ["_", "_ 2"]
    assert [names.of("Ada", mark) for mark in ("f00d", "beef", "f00d")] == ["Ada", "Ada beef", "Ada"]
    assert names.of("ada beef") == "ada beef 2"
