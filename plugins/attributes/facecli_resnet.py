"""facecli's own emotion model: one network that learned two label sets which often disagree, and may follow either."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from facecli.contract import AttributePlugin, ModelSpec, Parameters, Preprocessing, Runtime, hookimpl
from facecli.errors import UsageError
from facecli.plugins.attributes.catalogued import OnnxAttribute
from facecli.plugins.crop_model import OnnxModel, described

NAME = "emotion/facecli-resnet"
DEFAULTS: Parameters = {"follow": "both"}
# What may be followed -> the output of the graph: the answer of both heads, or what one of them says.
FOLLOWED = {"both": "probabilities", "fer2013": "fer2013", "ferplus": "ferplus"}


@hookimpl
def facecli_attributes() -> Iterable[AttributePlugin]:
    """The model, with the parameter that chooses whose labels it follows."""
    spec, crop, preprocessing = described(NAME)
    assert spec.attribute is not None
    load = partial(_load, spec, preprocessing)
    yield AttributePlugin(
        NAME, spec.summary, spec.attribute, load, crop, spec.labels, (spec,), DEFAULTS, floor=spec.floor
    )


def _load(spec: ModelSpec, preprocessing: Preprocessing, runtime: Runtime, parameters: Parameters) -> OnnxAttribute:
    chosen = str({**DEFAULTS, **parameters}["follow"])
    if chosen not in FOLLOWED:
        raise UsageError(f"{NAME} can not follow {chosen!r}", hint=f"it follows {', '.join(FOLLOWED)}")
    model = OnnxModel(runtime, spec.id, preprocessing, len(spec.labels), FOLLOWED[chosen])
    return OnnxAttribute(model, range(len(spec.labels)), logits=spec.logits)
