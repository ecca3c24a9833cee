"""`facecli models verify`: whether the files of the models are what they should be, and compute what they should."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from facecli.commands import _options as options

if TYPE_CHECKING:
    from facecli.contract import ModelSpec
    from facecli.models.store import ModelStore


@click.command()
@click.argument("names", nargs=-1)
@options.output_options
def command(names: tuple[str, ...], **kwargs: Any) -> None:
    """Hash the files of installed models in full, and run their self-tests.

    Of all, or of NAMES. A self-test is what a file answered to a fixed input: those that came with facecli have been
    tested before, others when they came in, or now if they have none yet.
    """
    from facecli import records
    from facecli.commands import _models, _work
    from facecli.errors import ModelError

    sink = _work.open_output(options.Settings(**kwargs))
    with sink.opened():
        store = _work.open_store()
        specs = _models.find_all(names) if names else _models.every()
        rows = [row for spec in specs for row in verified(spec, store)]
    rows = [row for row in rows if names or row["state"] != "absent"]
    sink.document(records.header("models.verify", files=rows), rows)
    bad = [row for row in rows if row["state"] != "ok"]
    if bad:
        files, models = ", ".join(row["file"] for row in bad), " ".join(dict.fromkeys(row["model"] for row in bad))
        hint = f"facecli models pull {models}; what came with facecli, reinstall; what you exported, export again"
        if any(row["state"] == "wrong answer" for row in bad):
            hint = f"{hint}; for a wrong answer of a whole file: models rm first, which forgets what it answered"
        raise ModelError(f"not as they should be: {files}", hint=hint)


def verified(spec: ModelSpec, store: ModelStore) -> Iterable[dict[str, Any]]:
    """The state of each file of a model: its hash, and the self-test where one is known."""
    for name, state in store.verify(spec).items():
        row: dict[str, Any] = {"model": spec.id, "file": name, "state": state, "selftest_difference": None}
        found = _tested(spec, store, name) if state == "ok" else None
        if found is not None:
            difference, tolerance = found
            row["selftest_difference"] = difference if math.isfinite(difference) else None
            row["state"] = "ok" if difference <= tolerance else "wrong answer"
        yield row


def _tested(spec: ModelSpec, store: ModelStore, name: str) -> tuple[float, float] | None:
    """How far a file is from its self-test, and how far it may be; None if it has none."""
    from facecli.commands import _selftests
    from facecli.models import golden, selftest

    (file,) = (file for file in spec.files if file.name == name)
    if golden.applies(file):
        return _selftests.difference(store, spec, name)
    if file.path is None or name not in selftest.tested_files():
        return None
    from facecli.runtime import open_session

    return selftest.largest_difference(open_session(store.path(spec, name)), name), selftest.TOLERANCE
