"""Verification (1:1) of two pictures, or of one against many: pictures to embeddings to verdicts, by one rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from facecli.api.engine import Engine
from facecli.errors import FacecliError

if TYPE_CHECKING:  # imported by the methods: models load while OpenCV and the rest of the pipeline are imported
    from facecli.api.reading import Readable
    from facecli.hosting.toolbox import Toolbox
    from facecli.matching.rules import DecisionRequest
    from facecli.matching.verification import Verification
    from facecli.pipeline.flow import Flow
    from facecli.pipeline.results import ImageResult


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """One picture of many, compared with the picture that all of them are compared with.

    result: the picture with its faces. verification: the verdict; None if it failed or shows no face. error: the reason
    why it failed, else None.
    """

    result: ImageResult
    verification: Verification | None

    @property
    def source(self) -> str:
        """The picture's name."""
        return self.result.source

    @property
    def error(self) -> FacecliError | None:
        """The reason why the picture failed, None if it did not."""
        return self.result.error


class Judge:
    """Decides about pairs of pictures by the rules that a request asks for; models are loaded once.

    wish: metric, threshold and the like. face: the choice among a picture's faces; None is the preset's, or the
    largest. anti_spoof: whether a face that looks like a print or a screen is not verified. keep_image: leave the
    decoded pictures in the results.

    Raises UsageError for a request that contradicts itself, ModelError for an anti-spoofing model that is absent.
    """

    def __init__(
        self,
        engine: Engine,
        wish: DecisionRequest,
        face: str | int | None,
        *,
        anti_spoof: bool = False,
        keep_image: bool = False,
    ) -> None:
        self._engine, self._anti_spoof = engine, anti_spoof
        request = engine.pair_request(anti_spoof=anti_spoof)
        self.tools: Toolbox = engine.tools(request, strict=False)

        from facecli.matching import rules

        self.rules = rules.rules_for(self.tools, wish)
        project = engine.selection.project
        default = project.face if project else "largest"
        self._flow = engine.flow(request, face, default=default, need_face=True, keep_image=keep_image)

    def pair(self, a: Readable, b: Readable) -> Verification:
        """Return the verdict about two pictures. Raises FacecliError; the first's has the second's in `further`."""
        from facecli.pictures.memory import open_any

        pipeline = self._engine.pipeline(self.tools, replace(self._flow, jobs=min(self._flow.jobs, 2)))
        results = list(pipeline.run([open_any(picture, self._flow.limits) for picture in (a, b)]))
        failures = [(result.source, result.error) for result in results if result.error is not None]
        if failures:
            (_, first), *others = failures
            first.further = tuple(others)
            raise first
        return replace(self._verdict(*results), seconds=dict(pipeline.clock.seconds))

    def probe(self, picture: Readable) -> ImageResult:
        """Return the picture that others are compared with. Raises FacecliError, NoFaceError if it shows no face."""
        from facecli.pictures.memory import open_any

        pipeline = self._engine.pipeline(self.tools, self._flow)
        (result,) = pipeline.stages.process([open_any(picture, self._flow.limits)])
        if result.error is not None:
            raise result.error
        return result

    def against(self, probe: ImageResult, pictures: Readable | Iterable[Readable]) -> Iterator[Comparison]:
        """Yield a comparison per picture, in order, in bounded memory; a picture that fails has its error in it."""
        from facecli.api.reading import sources

        flow: Flow = replace(self._flow, need_face=False)
        for result in self._engine.pipeline(self.tools, flow).run(sources(pictures, flow.limits)):
            blank = result.error is not None or not result.indices
            yield Comparison(result, None if blank else self._verdict(probe, result))

    def _verdict(self, a: ImageResult, b: ImageResult) -> Verification:
        from facecli.matching.verification import verify

        return verify(self.tools, (a, b), self.rules, anti_spoof=self._anti_spoof)
