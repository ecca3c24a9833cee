"""The detector that all families share: looks at pictures, and suppression of what is seen twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from facecli.contract import ModelSpec, Session
from facecli.errors import UsageError
from facecli.geometry import nms
from facecli.plugins.single_shot.candidates import Candidates
from facecli.plugins.single_shot.canvas import Placement, on_grid, place
from facecli.plugins.single_shot.family import Family
from facecli.plugins.single_shot.looks import plan
from facecli.plugins.single_shot.network import Network
from facecli.plugins.single_shot.parameters import DetectorParameters
from facecli.plugins.single_shot.parts import whole
from facecli.types import Detections, Image


class SingleShotDetector:
    """A model of a family with the user's parameters.

    network: runs the model. looks: when a picture is looked at twice.

    Raises UsageError for parameters that can not work, ModelError for a model that is no detector.
    """

    def __init__(self, family: Family, spec: ModelSpec, session: Session, parameters: DetectorParameters) -> None:
        name = spec.id if spec.family else family.name  # of the plugin, which the user has typed
        parameters.check(name)
        self.network = Network(family, spec, session)
        fixed = self.network.fixed
        if fixed and parameters.size not in (family.defaults.size, family.defaults.least_size, max(fixed)):
            message = f"model {spec.id} takes pictures of {fixed[1]}x{fixed[0]} px alone, not of {parameters.size}"
            raise UsageError(message, hint=f"leave {name}.size out")
        self.looks = plan(parameters, fixed, name)
        self._family, self._parameters = family, parameters
        self._least = self.looks.least_score(parameters.score_threshold)

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """Return the faces of each picture."""
        longest = [max(image.height, image.width) for image in images]
        candidates = self._look(images, [self.looks.first_of(side) for side in longest])
        again = [index for index, side in enumerate(longest) if self.looks.looks_again(candidates[index], side)]
        if again:
            more = self._look([images[index] for index in again], [self.looks.second] * len(again))
            for index, others in zip(again, more, strict=True):
                candidates[index] = Candidates.join([candidates[index], others])
        return [self._suppressed(of_one, twice=index in again) for index, of_one in enumerate(candidates)]

    def _look(self, images: Sequence[Image], sizes: Sequence[tuple[int, int]]) -> list[Candidates]:
        """Return the candidates of each picture, in its px. sizes: (height, width) px that each fits in."""
        places = [self._place(image, within) for image, within in zip(images, sizes, strict=True)]
        return self.network.candidates(images, places, self._least)

    def _place(self, image: Image, within: tuple[int, int]) -> Placement:
        """Return the place of a picture on the canvas that the network takes. within: (height, width) px at most."""
        side = on_grid(max(within))
        canvas = self.network.fixed or ((side, side) if self._parameters.square else None)
        return place(image.height, image.width, within=within, fixed=canvas, one_scale=self._family.one_scale)

    def _suppressed(self, candidates: Candidates, *, twice: bool) -> Detections:
        """Return the best candidate of each face; those without area or with NaN are dropped.

        twice: the candidates are of two looks, of which one may have taken a part of a large face for a face.
        """
        sides = candidates.boxes[:, 2:] - candidates.boxes[:, :2]
        finite = np.isfinite(candidates.boxes).all(1) & np.isfinite(candidates.landmarks).all((1, 2))
        likely = candidates.scores >= self._parameters.score_threshold
        usable = np.flatnonzero((sides > 0).all(1) & finite & likely)
        boxes, scores = candidates.boxes[usable], candidates.scores[usable]
        kept = nms(boxes, scores, self._parameters.nms_threshold, inclusive=self._family.inclusive)
        if twice and self._parameters.inside_threshold < 1:
            kept = kept[whole(boxes[kept], self._parameters.inside_threshold)]
        landmarks = np.ascontiguousarray(candidates.landmarks[usable[kept]])
        return Detections(boxes[kept], np.clip(scores[kept], 0, 1), landmarks)
