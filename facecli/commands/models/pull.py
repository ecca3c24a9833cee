"""`facecli models pull`: fetch models, showing their licences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from facecli.cli import options
from facecli.cli.settings import Settings

if TYPE_CHECKING:
    from facecli.contract import ModelSpec
    from facecli.models.store import ModelStore


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@options.accept_license_option
@options.output_options
def command(names: tuple[str, ...], *, accept_license: bool, **kwargs: Any) -> int:
    """Fetch models, and what is missing or damaged of them.

    NAME is a model, or an archive such as buffalo_l for all models in it. A transfer that was cut goes on where it
    stopped. A licence that does not allow commercial use has to be accepted once.
    """
    from facecli.cli import context, transfers
    from facecli.cli.progress import tell
    from facecli.errors import FacecliError
    from facecli.inventory import known
    from facecli.output import records

    settings = Settings(**kwargs)
    sink = context.open_output(settings)
    pulled, failed = [], None
    with sink.opened(), transfers.shown(quiet=settings.quiet) as progress:
        store = context.open_store(accept_licence=accept_license, progress=progress)
        for spec in known.find_all(names):
            if not settings.quiet:
                _tell_licence(spec)
            try:
                pulled.append(_pull(spec, store))
            except FacecliError as error:
                tell(spec.id, error)
                failed = error
                pulled.append(_described(spec) | {"files": [], "error": error.as_dict()})
    shown = ("file", "state", "source")
    rows = [
        {"model": one["id"], "licence": one["licence"], **{key: file[key] for key in shown}}
        for one in pulled
        for file in one["files"]
    ]
    sink.document(records.header("models.pull", models=pulled), rows)
    return failed.exit_code if failed else 0


def _pull(spec: ModelSpec, store: ModelStore) -> dict[str, Any]:
    from facecli.models.selftests import asking

    files = [
        {"file": f.name, "state": "fetched" if f.source else "present", "source": f.source}
        | {"sha256": f.sha256, "path": str(f.path)}
        for f in store.pull(spec)
    ]
    asking.remember(store, spec)
    return _described(spec) | {"files": files, "error": None}


def _described(spec: ModelSpec) -> dict[str, Any]:
    return {
        "id": spec.id,
        "licence": spec.licence,
        "licence_url": spec.licence_url,
        "commercial_use": spec.commercial_use,
    }


def _tell_licence(spec: ModelSpec) -> None:
    from facecli.system.streams import print_error

    allowed = "allows commercial use" if spec.commercial_use else "does NOT allow commercial use"
    where = f", {spec.licence_url}" if spec.licence_url else ""
    print_error(f"{spec.id}: licence {spec.licence}{where}; {allowed}")
