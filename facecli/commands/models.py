"""`facecli models`: what models there are, where their files lie, and whether they are what they should be."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from facecli.commands import _options as options
from facecli.commands import models_add
from facecli.streams import complain

if TYPE_CHECKING:
    from facecli.contract import ModelSpec
    from facecli.models.store import ModelStore


@click.group()
def command() -> None:
    """List, explain, locate and verify models."""


@command.command("list")
@options.output_options
def list_models(**kwargs: Any) -> None:
    """Every model: licence, and whether it is installed."""
    from facecli import records
    from facecli.commands import _work

    sink = _work.open_output(options.Settings(**kwargs))
    store = _work.open_store()
    specs = _specs(())
    for damaged in (spec.id for spec in specs if store.state(spec) == "damaged"):
        complain(f"model {damaged} is damaged; see `facecli models verify`")
    rows = [_summary(spec, store) for spec in specs]
    sink.document(records.header("models.list", models=rows), rows)


@command.command()
@click.argument("name")
@options.output_options
def info(name: str, **kwargs: Any) -> None:
    """Everything that is known about a model."""
    import dataclasses

    from facecli import records
    from facecli.commands import _work

    sink = _work.open_output(options.Settings(**kwargs))
    store = _work.open_store()
    (spec,) = _specs((name,))
    files = [store.file(spec, file.name) for file in spec.files]
    known = dataclasses.asdict(spec) | {
        "files": [{"name": f.name, "sha256": f.sha256, "size": f.size, "urls": list(f.urls)} for f in files],
        "installed": store.has(spec),
        "registered": store.registration(spec.id).get("origin"),
    }
    sink.document(records.header("models.info", model=known), [{"field": k, "value": v} for k, v in known.items() if v])


@command.command()
@click.argument("name")
@options.output_options
def path(name: str, **kwargs: Any) -> None:
    """Where a model's files lie; fetches them first."""
    from facecli import records
    from facecli.commands import _work

    sink = _work.open_output(options.Settings(**kwargs))
    store = _work.open_store()
    (spec,) = _specs((name,))
    rows = [{"file": file.name, "path": str(store.path(spec, file.name))} for file in spec.files]
    sink.document(records.header("models.path", model=spec.id, files=rows), rows)


@command.command()
@click.argument("names", nargs=-1)
@options.output_options
def verify(names: tuple[str, ...], **kwargs: Any) -> int:
    """Hash the files of installed models in full.

    Of all, or of NAMES. Embedded models also run their self-test.
    """
    from facecli import records
    from facecli.commands import _work

    sink = _work.open_output(options.Settings(**kwargs))
    store = _work.open_store()
    rows = [row for spec in _specs(names) for row in verified(spec, store)]
    rows = [row for row in rows if names or row["state"] != "absent"]
    sink.document(records.header("models.verify", files=rows), rows)
    bad = [row["file"] for row in rows if row["state"] != "ok"]
    if bad:
        from facecli.errors import ModelError

        raise ModelError(
            f"not as they should be: {', '.join(bad)}", hint="reinstall facecli, or delete and fetch them again"
        )
    return 0


def _specs(names: tuple[str, ...]) -> list[ModelSpec]:
    from facecli.models import catalogue

    return [catalogue.load(name) for name in names or catalogue.model_ids()]


def _summary(spec: ModelSpec, store: ModelStore) -> dict[str, Any]:
    return {
        "id": spec.id,
        "kind": spec.kind,
        "installed": store.state(spec) == "installed",
        "licence": spec.licence,
        "commercial_use": spec.commercial_use,
        "summary": spec.summary,
    }


def verified(spec: ModelSpec, store: ModelStore) -> Iterable[dict[str, Any]]:
    """The state of each file of a model: its hash, and the self-test where one is known."""
    from facecli.models import selftest
    from facecli.runtime import open_session

    for name, state in store.verify(spec).items():
        row: dict[str, Any] = {"model": spec.id, "file": name, "state": state, "selftest_difference": None}
        if state == "ok" and name in selftest.tested_files():
            difference = selftest.largest_difference(open_session(store.path(spec, name)), name)
            row["selftest_difference"] = difference if math.isfinite(difference) else None
            row["state"] = "ok" if difference <= selftest.TOLERANCE else "wrong answer"
        yield row


command.add_command(models_add.command)
