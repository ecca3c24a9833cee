"""facecli's own emotion model, with two heads: one per label set that it was trained on.

FER2013 and FERPlus label the same pictures and often disagree. A user may follow one of them, or both joined.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from facecli.contract import AttributePlugin, ModelSpec, Parameters, Preprocessing, Runtime, hookimpl
from facecli.errors import UsageError
from facecli.plugins.attributes.catalogued import CataloguedAttribute
from facecli.plugins.crop_model import CropModel, catalogue_entry

NAME = "emotion/facecli-resnet"
DEFAULTS: Parameters = {"follow": "both"}
# Value of the parameter `follow` -> output of the graph.
OUTPUTS = {"both": "probabilities", "fer2013": "fer2013", "ferplus": "ferplus"}


@hookimpl
def facecli_attributes() -> Iterable[AttributePlugin]:
    """Yield the model, with the parameter that chooses a label set."""
    spec, crop, preprocessing = catalogue_entry(NAME)
    assert spec.attribute is not None
    load = partial(_load, spec, preprocessing)
    yield AttributePlugin(
        NAME, spec.summary, spec.attribute, load, crop, spec.labels, (spec,), DEFAULTS, floor=spec.floor
    )


def _load(
    spec: ModelSpec, preprocessing: Preprocessing, runtime: Runtime, parameters: Parameters
) -> CataloguedAttribute:
    """Load the model. Raises UsageError for a label set that it has no output for."""
    follow = str({**DEFAULTS, **parameters}["follow"])
    if follow not in OUTPUTS:
        raise UsageError(f"{NAME} can not follow {follow!r}", hint=f"it follows {', '.join(OUTPUTS)}")
    model = CropModel(runtime, spec.id, preprocessing, len(spec.labels), OUTPUTS[follow])
    return CataloguedAttribute(model, range(len(spec.labels)), logits=spec.logits)
