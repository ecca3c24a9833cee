"""Families of detectors: one way to read a network's outputs, and all models whose files have such outputs.

A detector's plugin states a Family. The models are those of the catalogue whose ids begin with the family's name:
`scrfd/500m` is model 500m of the family scrfd. A file that a user adds becomes a detector of its own name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from facecli.contract import ModelSpec, Parameters
from facecli.plugins.single_shot.candidates import Layout
from facecli.plugins.single_shot.parameters import DetectorParameters


@dataclass(frozen=True, slots=True)
class Family:
    """A detector's name, the layout of its outputs, and its defaults.

    usual: the layout of most models. others: the layouts of the remaining ones, by the model's name. model: the name of
    the default model. one_scale: see `canvas.place`. inclusive: compute overlaps from areas that include a box's last
    pixel, as older detectors do.
    """

    name: str
    summary: str
    usual: Layout
    model: str
    defaults: DetectorParameters
    one_scale: bool = False
    inclusive: bool = False
    others: Mapping[str, Layout] = field(default_factory=dict)

    def layout(self, spec: ModelSpec) -> Layout:
        """Return the layout of a model's outputs.

        A user's model states in `family` which catalogued model it resembles, or only the family.
        """
        resembled = spec.family or spec.id
        return self.others.get(resembled.removeprefix(f"{self.name}/"), self.usual)

    @property
    def parameters(self) -> Parameters:
        """The parameters of the family's plugin with their defaults: the model, and those of DetectorParameters."""
        return {"model": self.model, **asdict(self.defaults)}
