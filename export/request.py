"""The request that `export_recipe` carries out: a recipe, its weights, a target, and the means of its proof."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from facecli.export.proof.samples import PORTRAITS, Samples
from facecli.export.target import PLAIN, Target

if TYPE_CHECKING:
    from facecli.contract import DetectorPlugin, ExportRecipe, ModelSpec

Judge = Callable[[Mapping[str, Path]], dict[str, Any]]  # paths by file kind -> accuracy figures, as the report has them


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """A recipe to be exported, and how.

    weights: the source file that the recipe's `build` takes; None for the recipe's own default.
    target: precision and format of the published files.
    detector: the plugin that runs a detector's files; it adds a proof by the faces that it finds.
    judge: measures a recognizer's accuracy, given the paths of the fp32 file and of the target's.
    samples: the real crops and pictures of the proof.
    """

    recipe: ExportRecipe
    weights: Path | None = None
    target: Target = PLAIN
    detector: DetectorPlugin | None = None
    judge: Judge | None = None
    samples: Samples = PORTRAITS

    @property
    def spec(self) -> ModelSpec | None:
        """The description of the recipe's model; see recipe_spec."""
        return recipe_spec(self.recipe)


def recipe_spec(recipe: ExportRecipe) -> ModelSpec | None:
    """Return the description of a recipe's model: the recipe's own, else the catalogue's, else None."""
    from facecli.models import catalogue
    from facecli.models.entries import shipped

    if recipe.spec is not None:
        return recipe.spec
    if recipe.model not in shipped.model_ids():
        return None
    return catalogue.load(recipe.model)
