"""Entry points are read as text, and nothing behind them is imported."""

from __future__ import annotations

from importlib.metadata import Distribution
from pathlib import Path

import pytest

from facecli.hosting.entry_points import (
    USER_MODELS,
    PluginEntry,
    described_modules,
    own_text,
    plugin_entries,
    text_of,
)

TEXT = """\
# a comment
[console_scripts]
other = no equals sign is needed here
nothing

[facecli.detectors]
; another comment
see = acme.see
far/see=acme.far

[facecli.described]
detectors = acme.data

[facecli.unheard]
x = y
"""


def test_the_plugins_of_a_file_are_its_lines_in_groups_of_ours() -> None:
    assert list(plugin_entries(TEXT, "acme", "1.0")) == [
        PluginEntry("detectors", "see", "acme.see", "acme", "1.0"),
        PluginEntry("detectors", "far/see", "acme.far", "acme", "1.0"),
    ]


def test_modules_for_models_that_are_data_have_a_group_of_their_own() -> None:
    assert described_modules(TEXT) == {"detectors": "acme.data"}
    assert set(described_modules(own_text())) == {"detectors", "recognizers", "attributes"}


def test_a_line_of_ours_without_an_equals_sign_is_damage() -> None:
    with pytest.raises(ValueError, match="see"):
        list(plugin_entries("[facecli.detectors]\nsee\n", "acme", "1.0"))


def test_a_file_that_is_no_utf8_has_no_plugins(tmp_path: Path) -> None:
    (tmp_path / "entry_points.txt").write_bytes(b"[facecli.detectors]\nsee = \xff\n")
    assert text_of(Distribution.at(tmp_path)) == ""


def test_messages_name_a_plugin_with_its_kind_and_its_origin() -> None:
    assert PluginEntry("attributes", "x/y", "m", "acme", "1.0").title == "attribute model 'x/y' of acme 1.0"
    assert PluginEntry("recipes", "x", "m", USER_MODELS, "").title == "export recipe 'x' of the user's models"
