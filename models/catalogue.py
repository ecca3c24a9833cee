"""All models by id: the ones that facecli ships an entry for, then the ones that the user has added."""

from __future__ import annotations

from facecli.contract import ModelSpec
from facecli.errors import ModelError
from facecli.models.entries import shipped
from facecli.system.home import ID


def model_ids() -> list[str]:
    """Return the ids of all models, shipped and added by the user, sorted."""
    from facecli.models.entries import own

    return sorted({*shipped.model_ids(), *own.model_ids()})


def load(model_id: str) -> ModelSpec:
    """Return the entry of a model, shipped or the user's. Raises ModelError if it is missing or damaged."""
    spec = shipped.load(model_id) if ID.fullmatch(model_id) else None
    if spec is None and ID.fullmatch(model_id):
        from facecli.models.entries import own  # most models are shipped: a cold start is spared the import

        spec = own.load(model_id)
    if spec is None:
        raise ModelError(f"unknown model {model_id!r}", hint="`facecli models list` names them all")
    return spec
