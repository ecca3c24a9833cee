"""Detectors that are one ONNX network and a way to read its outputs: what they share.

A plugin states a Family: its name, how its outputs are read, and its defaults. The models are those of the catalogue
whose ids begin with the family's name: `scrfd/500m` is model 500m of scrfd. A user's own file is a detector of
its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from facecli.contract import ModelSpec, Preprocessing, Session
from facecli.errors import ModelError, UsageError
from facecli.geometry import nms, overlap
from facecli.plugins.single_shot.candidates import Candidates
from facecli.plugins.single_shot.canvas import GRID, Placement, draw, on_grid, place
from facecli.plugins.single_shot.family import Family
from facecli.types import Detections, FloatArray, Image

MOST_AT_ONCE = 4  # pictures in one run of a network with a free batch axis; on a CPU more take longer, not less
SURE = 0.5  # the score of a face that makes a second look needless, whatever the least score is
SMALL = 160  # px; the longer side of the second look's picture: a face that fills it is an easy one
# SCRFD sees a face that fills the picture faintly: as a box of at least half the picture's longer side with such a
# score. Of 29 that had a small sure face beside them (wider_dev) 9 were found without this rule, and 28 with it; of 60
# pictures as they are it makes 7 be looked at twice.
FAINT, LARGE = 0.02, 0.5
APART = 0.3  # the overlap below which a faint box is not about the same face as a sure one
LOOKS = ("auto", "free", "always", "never")  # multi_scale
LARGEST_SIZE = 8192  # px; a canvas of more would take gigabytes


class OnnxDetector:
    """A network with its family's decoder.

    size: px, the longer side of what the network sees of a picture; a file with a fixed input has its own.
    score_threshold: the least score of a face. nms_threshold: the overlap from which the better of two faces stays.
    multi_scale: "never"; "always": also look at the picture small_size px long, where faces that fill it are found;
    "free": do so where that costs little, as the file takes small pictures; "auto": also where the first look finds
    nothing for SURE, or a large face FAINTly. square: fill a whole square with black, where the picture's own shape
    would do.
    """

    def __init__(
        self,
        family: Family,
        spec: ModelSpec,
        session: Session,
        *,
        size: int,
        score_threshold: float,
        nms_threshold: float,
        multi_scale: str,
        small_size: int,
        square: bool,
    ) -> None:
        name = spec.id if spec.family else family.name  # the plugin's, which the user has typed
        whole = all(isinstance(side, int) and GRID <= side <= LARGEST_SIZE for side in (size, small_size))
        if not (whole and multi_scale in LOOKS and 0 < score_threshold <= 1 and 0 < nms_threshold <= 1):
            hint = f"whole sizes from {GRID} to {LARGEST_SIZE}, thresholds above 0 and up to 1"
            hint += f", multi_scale {', '.join(LOOKS)}"
            raise UsageError(f"{name} can not work with these parameters", hint=hint)
        self._family, self._session = family, session
        self._layout = family.layout(spec)
        self._input, self._batch, self._fixed = _input(spec, session)
        if self._fixed and size not in (family.size, max(self._fixed)):
            message = f"model {spec.id} takes pictures of {self._fixed[1]}x{self._fixed[0]} px alone, not of {size}"
            raise UsageError(message, hint=f"leave {name}.size out")
        self._how = _preprocessing(spec)
        self._within = self._fixed or (size, size)
        self.score_threshold, self.nms_threshold = score_threshold, nms_threshold
        self._most = MOST_AT_ONCE
        height, width = self._within
        self._small, self._square = (min(small_size, height), min(small_size, width)), square
        smaller = small_size < max(self._within)
        if multi_scale == "always" and not smaller:
            message = f"{name}.small_size {small_size} is not below the {max(self._within)} px of the first look"
            raise UsageError(message, hint="choose a smaller one, or another multi_scale")
        self.multi_scale = multi_scale if smaller else "never"
        # Only a file of one size decides by faint boxes: others look twice in any case.
        faint = self.multi_scale == "auto" and self._fixed is not None
        self._least = min(score_threshold, FAINT) if faint else score_threshold

    def detect(self, images: Sequence[Image]) -> list[Detections]:
        """One Detections per picture."""
        found = self._look(images, self._within)
        again = [index for index, image in enumerate(images) if self._looks_again(image, found[index])]
        if again:
            for index, more in zip(again, self._look([images[i] for i in again], self._small), strict=True):
                found[index] = Candidates.join([found[index], more])
        return [self._suppressed(candidates) for candidates in found]

    def _looks_again(self, image: Image, found: Candidates) -> bool:
        if self.multi_scale in ("auto", "free") and self._fixed is None:
            return True
        if self.multi_scale == "auto":
            sure = found.boxes[found.scores >= SURE]
            return not len(sure) or _missed(found.boxes[found.scores < SURE], sure, max(image.height, image.width))
        return self.multi_scale == "always"

    def _look(self, images: Sequence[Image], within: tuple[int, int]) -> list[Candidates]:
        """The candidates of each picture, in its own pixels."""
        whole = on_grid(max(within))
        canvas = self._fixed or ((whole, whole) if self._square else None)
        places = [
            place(image.height, image.width, within=within, fixed=canvas, one_scale=self._family.one_scale)
            for image in images
        ]
        found: dict[int, Candidates] = {}
        for part in _parts(places, self._batch or self._most):
            found.update(zip(part, self._run([images[i] for i in part], [places[i] for i in part]), strict=True))
        return [found[index] for index in range(len(images))]

    def _run(self, images: Sequence[Image], places: Sequence[Placement]) -> Iterable[Candidates]:
        """One run of the network for pictures whose canvases have one size."""
        canvas = places[0].canvas
        pixels = np.empty((self._batch or len(images), 3, *canvas), np.float32)
        for image, where, target in zip(images, places, pixels, strict=False):
            draw(image.pixels, where, self._how, target)
        pixels[len(images) :] = 0  # a file whose batch axis is fixed may want more than there are
        outputs = list(self._session.run({self._input: pixels}).values())
        apart = self._apart(outputs, len(pixels), canvas)
        if apart is None:  # rows of several pictures, without an axis that tells whose they are
            if self._batch:
                message = f"this file takes {self._batch} pictures and does not tell their faces apart"
                raise ModelError(message, hint="export it with a batch of one")
            self._most = 1
            for image, where in zip(images, places, strict=True):
                yield from self._run([image], [where])
            return
        for index, where in enumerate(places):
            yield _in_picture(self._layout.decode(apart[index], canvas, self._least), where)

    def _apart(self, outputs: list[FloatArray], count: int, canvas: tuple[int, int]) -> list[list[FloatArray]] | None:
        """The outputs of each of `count` pictures, without a batch axis; None if several can not be told apart.

        Raises ModelError unless they look like the family's.
        """
        name, wanted = self._family.name, self._layout.shapes(canvas)
        if len(outputs) != len(wanted):
            message = f"this file has {len(outputs)} outputs, {name} with landmarks {len(wanted)}"
            raise ModelError(message, hint=f"see the models of {name} in `facecli models list`")
        if count > 1 and any(output.ndim == len(shape) for output, shape in zip(outputs, wanted, strict=True)):
            return None
        # Files for one picture may leave the batch axis out.
        for number, (output, shape) in enumerate(zip(outputs, wanted, strict=True)):
            if output.shape not in (shape, (count, *shape)):
                message = f"this file's output {number} is {output.shape}, of {name} it would be {(count, *shape)}"
                raise ModelError(message, hint=f"see the models of {name} in `facecli models list`")
        return [
            [own[index] if own.ndim > len(shape) else own for own, shape in zip(outputs, wanted, strict=True)]
            for index in range(count)
        ]

    def _suppressed(self, found: Candidates) -> Detections:
        sides = found.boxes[:, 2:] - found.boxes[:, :2]
        finite = np.isfinite(found.boxes).all(1) & np.isfinite(found.landmarks).all((1, 2))
        whole = np.flatnonzero((sides > 0).all(1) & finite & (found.scores >= self.score_threshold))
        boxes, scores = found.boxes[whole], found.scores[whole]
        kept = nms(boxes, scores, self.nms_threshold, inclusive=self._family.inclusive)
        points = np.ascontiguousarray(found.landmarks[whole[kept]])
        return Detections(boxes[kept], np.clip(scores[kept], 0, 1), points)


def _missed(faint: FloatArray, sure: FloatArray, longest: int) -> bool:
    """Whether a large box among the faint ones is about no face that is sure; longest: px, the longer side."""
    large = faint[(faint[:, 2:] - faint[:, :2]).max(1, initial=0) >= LARGE * longest]
    return bool(len(large)) and bool((overlap(large, sure).max(1) < APART).any())


def _input(spec: ModelSpec, session: Session) -> tuple[str, int | None, tuple[int, int] | None]:
    """The input's name, its batch, and its (height, width); None where it is free."""
    (name, shape), *others = session.input_shapes.items()
    if others or len(shape) != 4 or shape[1] != 3:
        raise ModelError(f"model {spec.id} does not take pictures (N, 3, H, W) as its one input, but {shape}")
    height, width = shape[2:]
    return name, shape[0], None if height is None or width is None else (height, width)


def _preprocessing(spec: ModelSpec) -> Preprocessing:
    if spec.preprocessing is None:
        raise ModelError(f"the catalogue does not tell the preprocessing of {spec.id}")
    return spec.preprocessing


def _parts(places: Sequence[Placement], most: int) -> Iterable[list[int]]:
    """The indices of pictures that can go through the network together."""
    by_canvas: dict[tuple[int, int], list[int]] = {}
    for index, where in enumerate(places):
        by_canvas.setdefault(where.canvas, []).append(index)
    for group in by_canvas.values():
        yield from (group[i : i + most] for i in range(0, len(group), most))


def _in_picture(found: Candidates, where: Placement) -> Candidates:
    """Candidates in canvas px as candidates in the picture's px."""
    scale: FloatArray = np.array(where.scale, np.float32)
    boxes: FloatArray = found.boxes.reshape(-1, 2, 2) / scale
    landmarks: FloatArray = found.landmarks / scale
    return Candidates(boxes.reshape(-1, 4), found.scores, landmarks)
