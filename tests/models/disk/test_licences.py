from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from facecli.errors import ModelError, OutputError
from facecli.models.disk.licences import Licences


def test_a_licence_is_accepted_once_for_all_models_of_it(tmp_path: Path, make_spec: Any) -> None:
    path = tmp_path / "licences.json"
    first = make_spec(licence="NC", commercial_use=False)
    second = make_spec(licence="NC", commercial_use=False, model_id="acme/other")
    other = make_spec(licence="other", commercial_use=False)
    with pytest.raises(ModelError, match="facecli models pull acme/model --accept-license"):
        Licences(path, accept=False).require(first)
    Licences(path, accept=True).require(first)
    content = path.read_bytes()
    Licences(path, accept=True).require(second)
    assert path.read_bytes() == content  # it is written down once
    Licences(path, accept=False).require(second)
    assert not Licences(path, accept=False).accepted(other)
    Licences(path, accept=True).require(other)
    assert all(Licences(path, accept=False).accepted(spec) for spec in (first, second, other))


def test_a_licence_for_commercial_use_needs_nothing(tmp_path: Path, make_spec: Any) -> None:
    Licences(tmp_path / "licences.json", accept=True).require(make_spec())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"[]", b'{"accepted": 3}', b'{"accepted": [3]}', b"\xff", b"[" * 100_000])
def test_what_is_damaged_accepts_nothing_and_is_written_anew(tmp_path: Path, make_spec: Any, content: bytes) -> None:
    path = tmp_path / "licences.json"
    path.write_bytes(content)
    spec = make_spec(licence="NC", commercial_use=False)
    assert not Licences(path, accept=False).accepted(spec)
    Licences(path, accept=True).require(spec)
    assert Licences(path, accept=False).accepted(spec)


def test_a_place_that_can_not_be_written_is_told(tmp_path: Path, make_spec: Any) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    with pytest.raises(OutputError, match=r"can not write .*licences\.json: "):
        Licences(tmp_path / "home" / "licences.json", accept=True).require(make_spec(commercial_use=False))
