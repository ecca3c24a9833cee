from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def staff(run_cli: Callable, examples: Path, tmp_path: Path) -> tuple[str, str]:
    """A gallery of Michael and Grace, as options."""
    options = ("--gallery", str(tmp_path / "staff.db"))
    for name, picture in (("Michael", "collins.jpg"), ("Grace", "hopper.jpg")):
        assert run_cli("enroll", examples / picture, "--name", name, *options).returncode == 0
    return options


def names(run_cli: Callable, staff: tuple[str, str]) -> list[str]:
    return [person["person"] for person in run_cli("gallery", "list", *staff, "--json").json["people"]]


def test_list_and_show(run_cli: Callable, examples: Path, staff: tuple[str, str]) -> None:
    assert names(run_cli, staff) == ["Grace", "Michael"]
    shown = run_cli("gallery", "show", "grace", *staff, "--json").json
    assert (shown["person"], shown["pictures"], shown["templates"]) == ("Grace", 1, 1)
    (face,) = shown["faces"]
    assert face["source"] == str(examples / "hopper.jpg")
    assert face["bbox"] == pytest.approx([153.39, 105.36, 302.67, 283.8], abs=0.1)
    missing = run_cli("gallery", "show", "Mikael", *staff)
    assert (missing.returncode, "is it 'Michael'" in missing.errors[0]) == (2, True)


def test_rename(run_cli: Callable, staff: tuple[str, str]) -> None:
    assert run_cli("gallery", "rename", "Grace", "Grace Hopper", "--dry-run", *staff).returncode == 0
    assert names(run_cli, staff) == ["Grace", "Michael"]
    done = run_cli("gallery", "rename", "Grace", "Grace Hopper", *staff, "--json").json
    assert (done["person"], done["new_name"]) == ("Grace", "Grace Hopper")
    taken = run_cli("gallery", "rename", "Michael", "GRACE hopper", *staff)
    assert (taken.returncode, "somebody else is called Grace Hopper" in taken.errors[0]) == (2, True)
    assert names(run_cli, staff) == ["Grace Hopper", "Michael"]


def test_remove(run_cli: Callable, staff: tuple[str, str], tmp_path: Path) -> None:
    asked = run_cli("gallery", "remove", "Grace", *staff)
    assert (asked.returncode, "give --yes, or --dry-run" in asked.errors[0]) == (2, True)
    dry = run_cli("gallery", "remove", "Grace", "--dry-run", *staff, "--json").json
    assert (dry["faces"], dry["pictures"], dry["checked"]) == (1, 1, None)
    assert names(run_cli, staff) == ["Grace", "Michael"]
    receipt = tmp_path / "receipt.json"
    done = run_cli("gallery", "remove", "grace", "GRACE", "--yes", "--receipt", receipt, *staff, "--json").json
    assert json.loads(receipt.read_text()) == done
    assert (done["faces"], done["checked"]["found"]) == (1, 0)
    assert "Grace" not in receipt.read_text()
    assert names(run_cli, staff) == ["Michael"]
    for path in tmp_path.glob("staff.db*"):
        assert b"Grace" not in path.read_bytes()
