"""The river: sources -> pictures -> detections -> crops -> embeddings and probabilities.

Order is kept and memory is bounded, however many sources there are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any, TypeVar

import numpy as np

from facecli.contract import CropSpec
from facecli.contract.plugin import Plugin
from facecli.errors import ContractError, DeviceError, FacecliError, ModelError, NoFaceError, PluginError
from facecli.faces import measures
from facecli.faces.choice import choose
from facecli.hosting.toolbox import Toolbox
from facecli.pictures import codec
from facecli.pictures.sources import Source
from facecli.pipeline.flow import Flow, Stopwatch
from facecli.pipeline.results import ImageResult
from facecli.pipeline.stages import _check_probabilities, _crops
from facecli.types import Detections, FloatArray, Image, require_array

T = TypeVar("T")


class Pipeline:
    """Runs sources through the plugins of a toolbox."""

    def __init__(self, tools: Toolbox, flow: Flow) -> None:
        self.tools, self.flow, self.clock = tools, flow, Stopwatch()

    def run(self, sources: Iterable[Source]) -> Iterator[ImageResult]:
        """One result per source, in order; a source that fails becomes a result with `error`.

        Raises ModelError, DeviceError and whatever a plugin's load raised: without its models the river does not run.
        """
        batches = _batched(sources, self.flow.batch_size)
        if self.flow.jobs == 1:
            for batch in batches:
                yield from self._process(batch)
            return
        waiting: deque[Future[list[ImageResult]]] = deque()
        pool = ThreadPoolExecutor(self.flow.jobs, thread_name_prefix="batch")
        try:
            for batch in batches:
                waiting.append(pool.submit(self._process, batch))
                if len(waiting) > self.flow.jobs:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _process(self, batch: Sequence[Source]) -> list[ImageResult]:
        results = [self._open(source) for source in batch]
        good = [i for i, result in enumerate(results) if result.error is None]
        try:
            done = self._analyse([results[i] for i in good])
        except (ModelError, DeviceError):
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - one bad picture must not take its batch along
            self.tools.wait()  # what a load raised is no picture's fault: it leaves from here
            alone = len(good) == 1
            done = [_failed(results[i], error) if alone else self._analyse_alone(results[i]) for i in good]
        for i, result in zip(good, done, strict=True):
            results[i] = result
        return results

    def _open(self, source: Source) -> ImageResult:
        try:
            with self.clock("read"):
                data = source.read(self.flow.limits)
            with self.clock("decode"):
                image = codec.decode(data, source.name, self.flow.limits)
        except FacecliError as error:
            return ImageResult(source.name, error=error)
        return ImageResult(source.name, image.width, image.height, image=image)

    def _analyse_alone(self, opened: ImageResult) -> ImageResult:
        try:
            return self._analyse([opened])[0]
        except (ModelError, DeviceError):
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin's bug is told with the picture that shows it
            return _failed(opened, error)

    def _analyse(self, opened: Sequence[ImageResult]) -> list[ImageResult]:
        if not opened:
            return []
        pictures = [result.image for result in opened if result.image is not None]
        results = [self._choose(*pair) for pair in zip(opened, self._detect(pictures), strict=True)]
        tools = self.tools
        with self.clock("load"):
            tools.wait()
        for number, (own, recognizer) in enumerate(zip(tools.recognizer_plugins, tools.recognizers, strict=True)):
            rows = self._per_crop("embed", results, own, (own.crop,), recognizer.embed, own.dim)
            pairs = zip(results, rows, strict=True)
            if number:
                results = [replace(result, ensemble=(*result.ensemble, row)) for result, row in pairs]
            else:
                results = [replace(result, embeddings=row) for result, row in pairs]
        for plugin_, model in zip(tools.attribute_plugins, tools.classifiers, strict=True):
            specs, width = (plugin_.crop, *plugin_.more_crops), len(plugin_.labels) or 1
            rows = self._per_crop(plugin_.attribute, results, plugin_, specs, model.classify, width)
            if plugin_.labels:
                _check_probabilities(plugin_.name, np.concatenate(rows))
            results = [replace(r, attributes=(*r.attributes, own)) for r, own in zip(results, rows, strict=True)]
        if self.flow.measures:
            with self.clock("measure"):
                results = [self._measured(result) for result in results]
        return results if self.flow.keep_image else [replace(result, image=None) for result in results]

    def _measured(self, result: ImageResult) -> ImageResult:
        if result.error is not None or result.image is None:
            return result
        faces = measures.of_faces(result.image, result.detections, self.flow.measures)
        return replace(result, measures=tuple(faces))

    def _detect(self, pictures: list[Image]) -> list[Detections | None]:
        if not self.flow.detect:
            return [None] * len(pictures)
        with self.clock("load"):  # what is left of it: models load while pictures are read
            detector = self.tools.detector
        plugin = self.tools.detector_plugin
        assert plugin is not None
        with self.clock("detect"), self._blaming(plugin, pictures):
            found: list[Detections | None] = list(detector.detect(pictures))
        if len(found) != len(pictures) or not all(isinstance(d, Detections) for d in found):
            raise ContractError(f"{plugin.name}.detect must give one Detections per picture")
        if plugin.landmarks and any(d is None or d.landmarks is None for d in found):
            raise ContractError(f"{plugin.name} promises landmarks and gave None")
        return found

    def _choose(self, opened: ImageResult, detections: Detections | None) -> ImageResult:
        assert opened.width is not None and opened.height is not None
        if detections is None:
            return replace(opened, found=1, indices=(0,), detected=False)
        try:
            chosen = choose(detections, self.flow.faces, opened.width, opened.height, opened.source)
        except NoFaceError as error:
            wanted = self.flow.need_face or len(detections) > 0
            return replace(
                opened, found=len(detections), detections=detections.select([]), error=error if wanted else None
            )
        except FacecliError as error:
            return replace(opened, found=len(detections), error=error)
        return replace(opened, found=len(detections), indices=tuple(chosen), detections=detections.select(chosen))

    def _per_crop(
        self,
        stage: str,
        results: list[ImageResult],
        plugin: Any,
        specs: Sequence[CropSpec],
        model: Callable[..., FloatArray],
        width: int,
    ) -> list[FloatArray]:
        """Cut the faces of all results as each spec says, run the model on them at once, give each result its rows."""
        with self.clock("crop"):
            cut = [[_crops(result, spec) for result in results] for spec in specs]
        crops = cut[0]
        with self.clock(stage), self._blaming(plugin, results):
            rows = model(*map(np.concatenate, cut))
        require_array(f"the output of {plugin.name}", rows, (sum(map(len, crops)), width), np.float32)
        if not np.isfinite(rows).all():
            raise ContractError(f"the output of {plugin.name} must be finite, got NaN or infinity")
        return np.split(rows, np.cumsum([len(c) for c in crops])[:-1])

    @contextmanager
    def _blaming(self, plugin: Plugin, pictures: Sequence[Image | ImageResult]) -> Iterator[None]:
        """Whatever a plugin raises becomes a PluginError that names it; also its sys.exit, which would end the run."""
        try:
            yield
        except FacecliError:
            raise
        except (Exception, SystemExit) as error:
            names = ", ".join(picture.source for picture in pictures)
            raise self.tools.blame(plugin, f"failed on {names}", error) from error


def _failed(opened: ImageResult, error: BaseException) -> ImageResult:
    if not isinstance(error, FacecliError):
        told = PluginError(f"{opened.source} can not be analysed: {type(error).__name__}: {error}", hint="use --debug")
        told.__cause__ = error
        error = told
    return ImageResult(opened.source, opened.width, opened.height, error=error)


def _batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
