"""The engine behind `facecli.Faces`, which the commands use, too: requests, the plugins that answer them, the river."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from facecli.api.selection import Request, Selection
from facecli.api.workload import Workload
from facecli.errors import UsageError
from facecli.hosting.choice import ATTRIBUTES
from facecli.hosting.loader import Loader
from facecli.hosting.toolbox import Toolbox
from facecli.kinds import METRICS

if TYPE_CHECKING:  # imported by the methods: models load while OpenCV and the rest of the pipeline are imported
    from facecli.api.picture import Picture
    from facecli.api.reading import Readable
    from facecli.contract import Metric
    from facecli.matching.rules import DecisionRequest
    from facecli.pipeline.flow import Flow, Stopwatch
    from facecli.pipeline.river import Pipeline


class Engine:
    """Answers requests about pictures; the plugins of each request are loaded once.

    selection: the caller's plugins and their parameters. workload: the bounds of the work. loader: loads plugins.
    attributes: asked for where a request names none; None is the preset's, or the usual ones. face: the choice among a
    picture's faces where a call makes none.
    """

    def __init__(
        self,
        selection: Selection,
        workload: Workload,
        loader: Loader,
        attributes: Sequence[str] | None,
        face: str | int | None,
    ) -> None:
        self.selection, self.workload, self.loader = selection, workload, loader
        self._attributes, self._face = attributes, face
        self._toolboxes: dict[tuple[Request, bool], Toolbox] = {}
        self._lock = threading.Lock()
        self._closed = False

    def choosing(self, selection: Selection) -> Engine:
        """Return an engine that works with other plugins, within the same bounds and with the same loader."""
        return Engine(selection, self.workload, self.loader, self._attributes, self._face)

    def request(self, attributes: str | Sequence[str] | None = None, *, embed: bool = False) -> Request:
        """Return a request for attributes and embeddings, with attributes' names resolved to installed models.

        attributes: None takes those of the engine. Raises UsageError for an unknown name, ModelError if no model of an
        attribute is installed.
        """
        names = (attributes,) if isinstance(attributes, str) else attributes
        names = self._attributes if names is None else names
        chosen = self.selection.attributes(names, ATTRIBUTES)
        return Request.of(chosen, self.loader.registry, self.loader.store, embed=embed)

    def pair_request(self, *, anti_spoof: bool = False) -> Request:
        """Return the request of a verification. Raises ModelError if it needs an anti-spoofing model that is absent."""
        if not anti_spoof:
            return Request(embed=True, ensemble=True)
        from facecli.matching.anti_spoof import model

        spoof = model(self.loader.registry, self.loader.store, detect=not self.selection.no_detect)
        return Request(embed=True, ensemble=True, attributes=(spoof,))

    def tools(self, request: Request, *, strict: bool = True) -> Toolbox:
        """Return the plugins that answer a request; their loading begins now, in the background.

        strict: raise UsageError for a parameter of a plugin that the request does not use; a Faces object, which
        answers many requests, accepts one. Raises PluginError for plugins that do not exist or do not fit.
        """
        key = (request, strict)
        with self._lock:
            if self._closed:
                raise UsageError("these Faces are closed", hint="make new ones")
            if key not in self._toolboxes:
                tools = Toolbox(self.selection.choice(request, self.loader.registry, strict=strict), self.loader)
                request.check(tools)
                self._toolboxes[key] = tools
            return self._toolboxes[key]

    def stream(
        self,
        request: Request,
        pictures: Readable | Iterable[Readable],
        flow: Flow,
        *,
        strict: bool = True,
        clock: Stopwatch | None = None,
    ) -> Iterator[Picture]:
        """Return an iterator of one Picture per picture, in order, in bounded memory; a failure is in its `.error`.

        flow: see `flow`. clock: measures the stages.
        """
        tools = self.tools(request, strict=strict)

        from facecli.api.picture import Picture
        from facecli.api.reading import sources

        return map(Picture.of, self.pipeline(tools, flow, clock).run(sources(pictures, flow.limits)))

    def flow(
        self,
        request: Request,
        face: str | int | None = None,
        *,
        default: str = "all",
        need_face: bool = False,
        keep_image: bool = False,
    ) -> Flow:
        """Return the settings of the river for a request. Raises UsageError for a choice of face that does not exist.

        face: the choice among a picture's faces; None takes the engine's, or else the default. need_face: whether a
        picture without a face is an error.
        """
        choice = next(one for one in (face, self._face, default) if one is not None)
        return self.workload.flow(self.selection, request, str(choice), need_face=need_face, keep_image=keep_image)

    def pipeline(self, tools: Toolbox, flow: Flow, clock: Stopwatch | None = None) -> Pipeline:
        """Return the river through these plugins."""
        from facecli.pipeline.river import Pipeline

        return Pipeline(tools, flow, clock)

    def one(self, picture: Readable, request: Request, face: str | int | None) -> Picture:
        """Return what was asked about one picture. Raises FacecliError, NoFaceError for a picture without a face."""
        tools = self.tools(request, strict=False)

        from facecli.api.picture import Picture
        from facecli.pictures.memory import open_any

        flow = self.flow(request, face, need_face=not request.place_only)
        (result,) = self.pipeline(tools, flow).stages.process([open_any(picture, flow.limits)])
        if result.error is not None:
            raise result.error
        return Picture.of(result)

    def decision(
        self, metric: Metric | None, threshold: float | None, fmr: float | None, operating_point: str | None
    ) -> DecisionRequest:
        """Return what decides about pairs, as in Faces.verify. Raises UsageError for a metric that does not exist."""
        if metric is not None and metric not in METRICS:
            raise UsageError(f"there is no {{metric}} {metric!r:.40}", hint=f"use {', '.join(METRICS)}", about="metric")
        from facecli.matching.rules import DecisionRequest

        return DecisionRequest(metric, threshold, fmr, operating_point, self.selection.preset)

    def close(self) -> None:
        """Free the loaded models; every later call raises UsageError. A run that is under way ends as it would."""
        with self._lock:
            self._closed = True
            self._toolboxes.clear()
            self.loader.close()


def until_failure(pictures: Iterator[Picture]) -> Iterator[Picture]:
    """Yield pictures until one has failed; raise its error."""
    for picture in pictures:
        if picture.error is not None:
            raise picture.error
        yield picture
