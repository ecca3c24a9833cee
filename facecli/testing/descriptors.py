"""The check of a descriptor's fields, as far as they can be judged without loading the model."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator

from facecli import labels
from facecli.contract import (
    API_VERSION,
    AttributePlugin,
    Bin,
    CropSpec,
    DetectorPlugin,
    OperatingPoint,
    RecognizerPlugin,
    TrackerPlugin,
)
from facecli.contract.plugin import Plugin
from facecli.contract.reach import point_fault
from facecli.errors import ContractError
from facecli.hosting.statements import contradictions
from facecli.kinds import COHORT, METRICS

# Of a plugin; a slash parts attribute and model, or family and model.
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*")


def require_valid(plugin: Plugin) -> None:
    """Raise ContractError with everything that is wrong with a descriptor; the model is not loaded."""
    problems = [*_common(plugin)]
    if not isinstance(plugin, (DetectorPlugin, TrackerPlugin)):
        problems += _crop(plugin.crop)
    if isinstance(plugin, AttributePlugin):
        problems += [problem for crop in plugin.more_crops for problem in _crop(crop)]
    if isinstance(plugin, RecognizerPlugin):
        problems += _recognizer(plugin)
    if isinstance(plugin, AttributePlugin):
        problems += _attribute(plugin)
    if problems:
        raise ContractError("; ".join(problems))


def _common(plugin: Plugin) -> Iterator[str]:
    if plugin.api != API_VERSION:
        yield f"api must be {API_VERSION}, got {plugin.api!r}"
    if not _NAME.fullmatch(plugin.name):
        yield f"name must be lower-case letters, digits and . _ - /, got {plugin.name!r}"
    if not plugin.summary.strip() or "\n" in plugin.summary:
        yield "summary must be one line"
    if not callable(plugin.load):
        yield "load must be callable"
    if not all(isinstance(key, str) and key.isidentifier() for key in plugin.parameters):
        yield "the names of parameters must be identifiers"
    ids = [spec.id for spec in plugin.models]
    if len(set(ids)) < len(ids):
        yield f"models must have different ids, got {', '.join(ids)}"
    for spec in plugin.models:
        if not spec.files or not spec.licence.strip():
            yield f"model {spec.id} must have files and a licence"
    yield from contradictions(plugin)


def _crop(crop: CropSpec) -> Iterator[str]:
    if crop.width < 1 or crop.height < 1:
        yield f"crop must be at least 1x1 px, got {crop.width}x{crop.height}"
    if crop.template is None:
        return
    if len(crop.template) != 5 or not all(math.isfinite(v) for point in crop.template for v in point):
        yield "crop.template must be five finite points"
        return
    if not all(0 <= x <= crop.width and 0 <= y <= crop.height for x, y in crop.template):
        yield "crop.template must lie inside the crop"
    if all(0 <= v <= 1 for point in crop.template for v in point):
        yield "crop.template is in px of the crop: are these parts of its sides?"
    left_eye, right_eye, _, left_mouth, right_mouth = crop.template
    if left_eye[0] >= right_eye[0] or left_mouth[0] >= right_mouth[0]:
        yield "crop.template must have image-left points first (eye, eye, nose, mouth corner, mouth corner)"


def _recognizer(plugin: RecognizerPlugin) -> Iterator[str]:
    if plugin.dim < 1:
        yield f"dim must be at least 1, got {plugin.dim}"
    if not isinstance(plugin.normalized, bool):
        yield f"normalized must be True or False, got {plugin.normalized!r}"
    if plugin.preprocessing_version < 1:
        yield f"preprocessing_version must be at least 1, got {plugin.preprocessing_version}"
    yield from _operating_point(plugin.operating_point, "operating_point", normalized=plugin.normalized)
    if plugin.publisher_point is not None:
        yield from _operating_point(plugin.publisher_point, "publisher_point", normalized=plugin.normalized)
    if plugin.cohort_point is not None:
        yield from _operating_point(plugin.cohort_point, "cohort_point", normalized=plugin.normalized)
        yield from _cohort(plugin.cohort_point)


def _operating_point(point: OperatingPoint, name: str, *, normalized: bool) -> Iterator[str]:
    if unknown := point.unknown_metrics:
        yield f"{name} knows the metrics {', '.join(METRICS)}, not {', '.join(sorted(unknown))}"
    if not all(math.isfinite(threshold) and threshold >= 0 for threshold in point.thresholds):
        yield f"the thresholds of {name} must be distances: finite, not negative"
    if not all(0 <= rate <= 1 for rate in point.rates):
        yield f"the error rates of {name} must lie in [0, 1]"
    if not point.unknown_metrics and (fault := point_fault(point, normalized=normalized)):
        yield f"{name}: {fault}"
    if not point.source.strip():
        yield f"{name}.source must say who states the threshold"


def _cohort(point: OperatingPoint) -> Iterator[str]:
    cohort = point.cohort
    if point.metric != COHORT or cohort is None:
        yield f"cohort_point must have a cohort and the metric {COHORT}"
    elif cohort.path is None or cohort.top < 1 or not re.fullmatch("[0-9a-f]{64}", cohort.sha256):
        yield "cohort_point.cohort must have a path, its sha256, and a top of 1 or more"


def _attribute(plugin: AttributePlugin) -> Iterator[str]:
    if not plugin.attribute.strip():
        yield "attribute must name what is told (emotion, age, ...)"
    if not isinstance(plugin.labels, tuple) or not all(isinstance(label, str) and label for label in plugin.labels):
        yield "labels must be a tuple of words"
    elif len(plugin.labels) == 1 or len(set(plugin.labels)) < len(plugin.labels):
        yield "labels must be different, and at least two (or none, for a regression)"
    elif unknown := labels.unknown(plugin.attribute, plugin.labels):
        words = ", ".join(labels.LABELS[plugin.attribute])
        yield f"labels of {plugin.attribute} are {words} (facecli.labels), not {', '.join(unknown)}"
    if plugin.bins:
        yield from _bins(plugin)
    if not 0 <= plugin.floor < 1:
        yield f"floor must be a probability below 1, got {plugin.floor!r}"


def _bins(plugin: AttributePlugin) -> Iterator[str]:
    if plugin.labels:
        yield "an attribute has labels or bins, not both"
    if not all(isinstance(part, Bin) and part.low < part.high for part in plugin.bins):
        yield "each of bins must be a Bin whose low is below its high"
    elif any(one.high != other.low for one, other in itertools.pairwise(plugin.bins)):
        yield "bins must lie side by side: each begins where the one before it ends"
