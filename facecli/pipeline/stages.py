"""The stages of one batch: read, decode, detect, choose, then everything that is done with the chosen faces.

The command line, Python, a server, films and the workers of an engine run these stages; only the order and the threads
around them differ (see pipeline.river for ours).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import numpy as np

from facecli.contract import (
    AttributeClassifier,
    AttributePlugin,
    CropsClassifier,
    Detector,
    DetectorPlugin,
    HeadsClassifier,
    Recognizer,
    RecognizerPlugin,
)
from facecli.contract.plugin import Plugin
from facecli.errors import ContractError, DeviceError, FacecliError, ModelError, NoFaceError, PluginError
from facecli.faces import turning
from facecli.faces.absence import doubt, no_face
from facecli.faces.choice import choose
from facecli.hosting.answers import head_of
from facecli.pictures.sources import Source
from facecli.pipeline import per_face
from facecli.pipeline.flow import Flow, Stopwatch
from facecli.pipeline.opening import opened_groups
from facecli.pipeline.per_face import Answers
from facecli.pipeline.results import AttributeRows, ImageResult
from facecli.pipeline.tracebacks import let_go
from facecli.types import Detections, Image

Classifier = AttributeClassifier | CropsClassifier | HeadsClassifier


class Tools(Protocol):
    """The loaded plugins that the stages need; hosting.toolbox.Toolbox is one."""

    @property
    def detector_plugin(self) -> DetectorPlugin | None:
        """The detector's descriptor; None where each picture is a crop already."""

    @property
    def detector(self) -> Detector:
        """The loaded detector; waits for it."""

    @property
    def recognizer_plugins(self) -> tuple[RecognizerPlugin, ...]:
        """Descriptors of the recognizers."""

    @property
    def recognizers(self) -> tuple[Recognizer, ...]:
        """The loaded recognizers, in the order of their descriptors."""

    @property
    def attribute_plugins(self) -> tuple[AttributePlugin, ...]:
        """Descriptors of the attribute models."""

    @property
    def classifiers(self) -> tuple[Classifier, ...]:
        """The loaded attribute models, in the order of their descriptors."""

    def parameters(self, plugin: Plugin) -> dict[str, Any]:
        """Return the parameters that a plugin runs with."""

    def wait(self) -> None:
        """Return when everything is loaded; raise what a load raised."""

    def blame(self, plugin: Plugin, failure: str, error: BaseException) -> PluginError:
        """Return the error for a failure of a plugin's own code."""


class Stages:
    """All stages for one batch of pictures.

    tools: the plugins. flow: the settings. clock: seconds per stage, over all batches; a new one unless given.
    """

    def __init__(self, tools: Tools, flow: Flow, clock: Stopwatch | None = None) -> None:
        self.tools, self.flow, self.clock = tools, flow, clock or Stopwatch()

    def process(self, batch: Sequence[Source | Image]) -> list[ImageResult]:
        """Return one result per picture, in order; a picture that fails becomes a result with `error`.

        One bad picture does not take its batch along: after a failure each picture goes through the models alone.
        Raises ModelError, DeviceError and whatever a plugin's load raised, which are no picture's fault.
        """
        results: list[ImageResult] = []
        for group in opened_groups(batch, self.flow, self.clock):
            results += self._process(group)
            for result in group:
                let_go(result.error)
        return results

    def _process(self, results: list[ImageResult]) -> list[ImageResult]:
        """Return what `process` returns, for pictures that were opened."""
        good = [i for i, result in enumerate(results) if result.error is None]
        try:
            analysed = self._analyse([results[i] for i in good])
        except (ModelError, DeviceError, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a plugin raises
            self.tools.wait()  # what a load raised leaves from here
            alone = len(good) == 1
            analysed = [_failed(results[i], error) if alone else self._analyse_alone(results[i]) for i in good]
        for i, result in zip(good, analysed, strict=True):
            results[i] = result
        return results

    def describe(self, results: list[ImageResult]) -> list[ImageResult]:
        """Return pictures, whose faces were found, with all that is asked of each face. Raises what a plugin raises."""
        with self.clock("load"):
            self.tools.wait()
        results = self._classified(self._embedded(results))
        if not self.flow.measures:
            return results
        with self.clock("measure"):
            return [self._measured(result) for result in results]

    def _analyse_alone(self, opened: ImageResult) -> ImageResult:
        try:
            return self._analyse([opened])[0]
        except (ModelError, DeviceError, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 - a plugin's bug is an error of the picture that shows it
            return _failed(opened, error)

    def _analyse(self, opened: Sequence[ImageResult]) -> list[ImageResult]:
        if not opened:
            return []
        pictures = [result.image for result in opened if result.image is not None]
        found = [*zip(opened, self._detect(pictures), strict=True)]
        if self.flow.rotate:
            found = [self._best_turn(*pair) for pair in found]
        results = [self._choose(*pair) for pair in found]
        results = self.describe(results)
        results = [_turned_back(*pair) for pair in zip(results, opened, strict=True)] if self.flow.rotate else results
        return results if self.flow.keep_image else [replace(result, image=None) for result in results]

    def _detect(self, pictures: list[Image]) -> Sequence[Detections | None]:
        if not self.flow.detect:
            return [None] * len(pictures)
        with self.clock("load"):  # the rest of it: models load while pictures are read
            detector = self.tools.detector
        plugin = self.tools.detector_plugin
        assert plugin is not None
        with self.clock("detect"), self._blaming(plugin, [picture.source for picture in pictures]):
            detections = list(detector.detect(pictures))
        if len(detections) != len(pictures) or not all(isinstance(d, Detections) for d in detections):
            raise ContractError(f"{plugin.name}.detect must give one Detections per picture")
        if plugin.landmarks and any(d.landmarks is None for d in detections):
            raise ContractError(f"{plugin.name} promises landmarks and gave None")
        return detections

    def _best_turn(self, opened: ImageResult, detections: Detections | None) -> tuple[ImageResult, Detections | None]:
        """Return a picture in the turn whose best face has the highest score, and its faces there.

        All four turns are looked at: of a face upside down a detector can be as sure as of an upright one.
        """
        upright = opened.image
        if upright is None or detections is None:
            return opened, detections
        best, degrees = detections, 0
        for turn in turning.TURNS:  # one by one: each is a copy of the picture
            (found,) = self._detect([turning.turned(upright, turn)])
            if found is not None and turning.surest(found) > turning.surest(best):
                best, degrees = found, turn
        return replace(opened, rotated=degrees, image=turning.turned(upright, degrees)), best

    def _choose(self, opened: ImageResult, detections: Detections | None) -> ImageResult:
        if detections is None:
            doubted = None if opened.image is None else doubt(opened.image)
            return replace(opened, indices=(0,), detector_ran=False, doubt=doubted)
        image = opened.image
        assert image is not None
        detections = self._wanted(detections)
        count = len(detections)
        if not count:
            none, error = replace(opened, faces_found=0, detections=detections), self._no_face(image)
            return replace(none, error=error) if self.flow.need_face else replace(none, remark=error)
        try:
            chosen = choose(detections, self.flow.faces, image.width, image.height, opened.source)
        except NoFaceError as error:
            return replace(opened, faces_found=count, detections=detections.select([]), error=error)
        except FacecliError as error:
            return replace(opened, faces_found=count, error=error)
        return replace(opened, faces_found=count, indices=tuple(chosen), detections=detections.select(chosen))

    def _no_face(self, image: Image) -> NoFaceError:
        plugin = self.tools.detector_plugin
        assert plugin is not None
        seen = self.tools.parameters(plugin).get("size")
        limits = [name for name in ("min_score", "min_face_size") if getattr(self.flow, name)]
        return no_face(image, turned=self.flow.rotate, plugin=plugin.name, seen=seen, limits=limits)

    def _wanted(self, detections: Detections) -> Detections:
        """Return the faces that are sure and large enough."""
        flow, plugin = self.flow, self.tools.detector_plugin
        wanted = detections.scores >= flow.min_score
        if plugin is not None and "min_face_size" not in plugin.parameters:
            sides = detections.bboxes[:, 2:] - detections.bboxes[:, :2]
            wanted &= sides.max(1, initial=0) >= flow.min_face_size
        return detections if wanted.all() else detections.select(np.flatnonzero(wanted).tolist())

    def _embedded(self, results: list[ImageResult]) -> list[ImageResult]:
        pairs = zip(self.tools.recognizer_plugins, self.tools.recognizers, strict=True)
        for number, (plugin, recognizer) in enumerate(pairs):
            answers = self._answered(plugin, "embed", recognizer.embed, results)
            rows = answers.split(plugin.name, plugin.dim)
            per_face.check_lengths(plugin, np.concatenate(rows))
            further = [(*result.further_embeddings, row) for result, row in zip(results, rows, strict=True)]
            results = [
                replace(result, further_embeddings=more) if number else replace(result, embeddings=row)
                for result, row, more in zip(results, rows, further, strict=True)
            ]
        return results

    def _classified(self, results: list[ImageResult]) -> list[ImageResult]:
        analysed = results
        # A network with several heads runs once for all its attributes: id of it -> its outputs.
        shared: dict[int, Answers] = {}
        for plugin, model in zip(self.tools.attribute_plugins, self.tools.classifiers, strict=True):
            given = shared.get(id(model)) or self._answered(plugin, plugin.attribute, model.classify, results)
            if plugin.head:
                shared[id(model)] = given
            rows = given.split(plugin.name, plugin.columns, partial(head_of, plugin) if plugin.head else None)
            if plugin.labels or plugin.bins:
                per_face.check_probabilities(plugin.name, np.concatenate(rows))
            answers = [AttributeRows(plugin.attribute, plugin.labels, plugin.floor, own, plugin.bins) for own in rows]
            analysed = [
                replace(result, attributes=(*result.attributes, answer))
                for result, answer in zip(analysed, answers, strict=True)
            ]
        return analysed

    def _answered(
        self,
        plugin: RecognizerPlugin | AttributePlugin,
        stage: str,
        model: Callable[..., object],
        results: list[ImageResult],
    ) -> Answers:
        """Return what a model answers for all faces of a batch. stage: name of its time."""
        specs = (plugin.crop, *(plugin.more_crops if isinstance(plugin, AttributePlugin) else ()))
        outputs: list[tuple[int, object]] = []
        parts = per_face.cut(results, specs)
        while True:
            with self.clock("crop"):
                crops = next(parts, None)
            if crops is None:
                return Answers(tuple(outputs), per_face.counts(results))
            with self.clock(stage), self._blaming(plugin, [result.source for result in results]):
                outputs.append((len(crops[0]), model(*crops)))

    def _measured(self, result: ImageResult) -> ImageResult:
        if result.error is not None or result.image is None:
            return result
        from facecli.faces import measures

        faces = measures.of_faces(result.image, result.detections, self.flow.measures)
        return replace(result, measures=tuple(faces))

    @contextmanager
    def _blaming(self, plugin: Plugin, sources: Sequence[str]) -> Iterator[None]:
        """Turn what a plugin raises into a PluginError with its name; its sys.exit too, which would end the run."""
        try:
            yield
        except (FacecliError, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise self.tools.blame(plugin, f"failed on {', '.join(sources)}", error) from error


def _turned_back(result: ImageResult, opened: ImageResult) -> ImageResult:
    """Return a result with its picture and faces as the picture came. opened: the picture before it was turned."""
    if not result.rotated or result.width is None or result.height is None or result.detections is None:
        return replace(result, image=opened.image)
    detections = turning.restored(result.detections, result.rotated, result.width, result.height)
    return replace(result, image=opened.image, detections=detections)


def _failed(opened: ImageResult, error: BaseException) -> ImageResult:
    if isinstance(error, ContractError) and error.hint is None:
        error = ContractError(error.message, hint="report it to the plugin's authors")
    if not isinstance(error, FacecliError):
        failure = PluginError(
            f"{opened.source} can not be analysed: {type(error).__name__}: {error}", hint="use {debug}", about="debug"
        )
        failure.__cause__ = error
        error = failure
    return ImageResult(opened.source, opened.width, opened.height, error=error)
