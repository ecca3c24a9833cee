"""Running a single-shot network: pictures on canvases in, each picture's candidates out.

Files differ in what they take: any size or one, any number of pictures or one. What a file does not say about itself is
found out, or refused, when it runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from facecli.contract import ModelSpec, Session
from facecli.errors import ModelError
from facecli.plugins.single_shot.candidates import Candidates
from facecli.plugins.single_shot.canvas import Placement, draw
from facecli.plugins.single_shot.family import Family
from facecli.types import FloatArray, Image

MOST_AT_ONCE = 4  # pictures in one run of a network with a free batch axis; on a CPU more take longer, not less


class Network:
    """A network of a family.

    session: of the model's file. layout: of the file's outputs. fixed: (height, width) px of the only pictures that the
    file takes; None if it takes any. Raises ModelError for a model whose input is not one picture array.
    """

    def __init__(self, family: Family, spec: ModelSpec, session: Session) -> None:
        self.session, self.layout = session, family.layout(spec)
        self._family = family.name
        self._input, self._batch, self.fixed = _input(spec, session)
        if spec.preprocessing is None:
            raise ModelError(f"the catalogue does not tell the preprocessing of {spec.id}")
        self._preprocessing = spec.preprocessing
        self._at_once = MOST_AT_ONCE

    def candidates(self, images: Sequence[Image], places: Sequence[Placement], least: float) -> list[Candidates]:
        """Return the candidates of each picture, in px of the picture. least: their least score.

        Raises ModelError if the outputs do not look like the family's.
        """
        results: dict[int, Candidates] = {}
        for group in _groups(places, self._batch or self._at_once):
            run = self._run([images[i] for i in group], [places[i] for i in group], least)
            results.update(zip(group, run, strict=True))
        return [results[index] for index in range(len(images))]

    def _run(self, images: Sequence[Image], places: Sequence[Placement], least: float) -> Iterator[Candidates]:
        """Run the network once, for pictures on canvases of one size."""
        canvas = places[0].canvas
        pixels = np.empty((self._batch or len(images), 3, *canvas), np.float32)
        for image, place, target in zip(images, places, pixels, strict=False):
            draw(image.pixels, place, self._preprocessing, target)
        pixels[len(images) :] = 0  # a file whose batch axis is fixed may take more pictures than there are
        outputs = list(self.session.run({self._input: pixels}).values())
        shapes = self.layout.shapes(canvas)
        self._check_count(outputs, shapes)
        if len(pixels) > 1 and any(output.ndim == len(shape) for output, shape in zip(outputs, shapes, strict=True)):
            yield from self._run_singly(images, places, least)
            return
        self._check_shapes(outputs, shapes, len(pixels))
        for index, place in enumerate(places):
            # A file for one picture may leave the batch axis out.
            of_one = [out[index] if out.ndim > len(shape) else out for out, shape in zip(outputs, shapes, strict=True)]
            yield _in_picture(self.layout.decode(of_one, canvas, least), place)

    def _run_singly(self, images: Sequence[Image], places: Sequence[Placement], least: float) -> Iterator[Candidates]:
        """Run a file whose outputs join the rows of several pictures in one axis, now and later one by one.

        Raises ModelError if its batch axis is fixed.
        """
        if self._batch:
            message = f"this file takes {self._batch} pictures and does not tell their faces apart"
            raise ModelError(message, hint="export it with a batch of one")
        self._at_once = 1
        for image, place in zip(images, places, strict=True):
            yield from self._run([image], [place], least)

    def _check_count(self, outputs: Sequence[FloatArray], shapes: Sequence[tuple[int, ...]]) -> None:
        if len(outputs) != len(shapes):
            message = f"this file has {len(outputs)} outputs, {self._family} with landmarks {len(shapes)}"
            raise ModelError(message, hint=f"see the models of {self._family} in `facecli models list`")

    def _check_shapes(self, outputs: Sequence[FloatArray], shapes: Sequence[tuple[int, ...]], count: int) -> None:
        for number, (output, shape) in enumerate(zip(outputs, shapes, strict=True)):
            if output.shape not in (shape, (count, *shape)):
                batch = (count, *shape)
                message = f"this file's output {number} is {output.shape}, of {self._family} it would be {batch}"
                raise ModelError(message, hint=f"see the models of {self._family} in `facecli models list`")


def _input(spec: ModelSpec, session: Session) -> tuple[str, int | None, tuple[int, int] | None]:
    """Return the input's name, its batch, and its (height, width); None for what is free."""
    (name, shape), *others = session.input_shapes.items()
    if others or len(shape) != 4 or shape[1] != 3:
        raise ModelError(f"model {spec.id} does not take pictures (N, 3, H, W) as its one input, but {shape}")
    height, width = shape[2:]
    return name, shape[0], None if height is None or width is None else (height, width)


def _groups(places: Sequence[Placement], most: int) -> Iterator[list[int]]:
    """Yield the indices of pictures that share a canvas size, at most `most` at a time."""
    by_canvas: dict[tuple[int, int], list[int]] = {}
    for index, place in enumerate(places):
        by_canvas.setdefault(place.canvas, []).append(index)
    for group in by_canvas.values():
        yield from (group[i : i + most] for i in range(0, len(group), most))


def _in_picture(candidates: Candidates, place: Placement) -> Candidates:
    """Return candidates in px of the canvas as candidates in px of the picture."""
    scale: FloatArray = np.array(place.scale, np.float32)
    boxes: FloatArray = candidates.boxes.reshape(-1, 2, 2) / scale
    landmarks: FloatArray = candidates.landmarks / scale
    return Candidates(boxes.reshape(-1, 4), candidates.scores, landmarks)
