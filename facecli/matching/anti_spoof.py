"""What `verify --anti-spoof` adds: a score for each of the two faces, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from facecli.cli.settings import Settings
from facecli.errors import UsageError

if TYPE_CHECKING:
    from facecli.hosting.toolbox import Toolbox
    from facecli.pipeline.results import ImageResult

ATTRIBUTE, REAL = "spoof", "real"
THRESHOLD = 0.5  # least probability of a real face: the likelier of real and fake decides


def models(settings: Settings) -> tuple[str, ...]:
    """The anti-spoofing model to load. Raises ModelError if none is installed, UsageError for --no-detect."""
    from facecli.cli import context
    from facecli.hosting import attributes

    if settings.no_detect:
        raise UsageError(
            "--anti-spoof looks at what is around a face, which a crop does not show", hint="leave out --no-detect"
        )
    return (attributes.resolve(ATTRIBUTE, context.registry(), context.open_store()),)


def judge(document: dict[str, Any], tools: Toolbox, results: Sequence[ImageResult], rows: Sequence[int]) -> None:
    """Put each face's score into the document, in place; with a fake among them nobody is verified."""
    from facecli.output import records

    (plugin,) = tools.attribute_plugins
    scores = []
    for picture, result, row in zip(document["images"], results, rows, strict=True):
        probabilities = result.attributes[0].rows
        picture["face"][ATTRIBUTE] = records.probabilities(plugin.labels, probabilities[row])
        scores.append(float(probabilities[row, plugin.labels.index(REAL)]))
    passed = min(scores) >= THRESHOLD
    document["anti_spoof"] = {"passed": passed, "threshold": THRESHOLD, **tools.describe(plugin)}
    document["verified"] = document["verified"] and passed
