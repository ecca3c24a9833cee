"""The plugins that a caller's settings ask for: defaults, a preset, parameters, and names of attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from facecli.errors import ModelError, PluginError, UsageError
from facecli.hosting.choice import DETECTOR, RECOGNIZER, Choice
from facecli.hosting.presets import PRESETS, Preset
from facecli.hosting.registry import Registry
from facecli.hosting.toolbox import Toolbox
from facecli.kinds import ROTATIONS, Rotation
from facecli.models.store import ModelStore


@dataclass(frozen=True, slots=True)
class Request:
    """The questions about each face of a picture, beside its place.

    embed: its embedding. ensemble: an embedding of each recognizer, in place of the first alone. attributes: answers of
    attribute models, by plugin name, such as "emotion/facecli-resnet". measures: names of faces.measures.MEASURES.
    tracker: the plugin that follows faces through a film.
    """

    embed: bool = False
    ensemble: bool = False
    attributes: tuple[str, ...] = ()
    measures: tuple[str, ...] = ()
    tracker: str | None = None

    @property
    def place_only(self) -> bool:
        """True if the place of each face is all that is asked for."""
        return not (self.embed or self.attributes or self.measures)

    @classmethod
    def of(cls, names: Sequence[str], registry: Registry, store: ModelStore, *, embed: bool = False) -> Request:
        """Return the request for attributes and measures by any of their names, "emotion" or "emotion/facecli-resnet".

        Raises UsageError for a name that nothing has, ModelError if no model of an attribute is installed.
        """
        from facecli.faces.measures import MEASURES
        from facecli.hosting.attributes import resolve

        measures = tuple(dict.fromkeys(name for name in names if name in MEASURES))
        models: list[str] = []
        absent: dict[str, ModelError] = {}
        unknown: list[UsageError] = []
        for name in names:
            if name not in MEASURES:
                try:
                    models.append(resolve(name, registry, store))
                except ModelError as error:
                    absent[name] = error
                except UsageError as error:
                    unknown.append(error)
        if unknown:
            raise UsageError(", ".join(error.message for error in unknown), hint=unknown[0].hint)
        if len(absent) > 1:
            from facecli.hosting.neighbours import ways

            hint = ways([failure.hint for failure in absent.values()])
            raise ModelError(f"no model of {', '.join(absent)} is installed", hint=hint)
        if absent:
            raise next(iter(absent.values()))
        return cls(embed=embed, attributes=tuple(models), measures=measures)

    def check(self, tools: Toolbox) -> None:
        """Raise UsageError or PluginError if these plugins can not answer: one attribute twice, or no landmarks."""
        from facecli.faces.measures import NEED_LANDMARKS

        attributes = [plugin.attribute for plugin in tools.attribute_plugins]
        for name in attributes:
            if attributes.count(name) > 1:
                raise UsageError(f"two models of {name} were named", hint="name one of them")
        detector = tools.detector_plugin
        for name in NEED_LANDMARKS.intersection(self.measures):
            if detector is None:
                message = f"{name} is measured by landmarks, which {{no_detect}} leaves out"
                raise UsageError(message, hint=f"leave out {name}", about="no_detect")
            if not detector.landmarks:
                message = f"{name} is measured by landmarks, which {detector.name} does not give"
                raise PluginError(message, hint="choose another {detector}, such as yunet", about="detector")


# Settings of a Selection that say how faces are looked for, with their values where nothing is said.
LOOKING: dict[str, Any] = {"detector": None, "min_score": None, "min_face_size": None, "rotate": "never"}


@dataclass(frozen=True, slots=True)
class Selection:
    """The plugins that a caller has named, and how they are to run.

    preset: a project's name, whose plugins and parameters hold where the caller names no others. detector, recognizers:
    None and () are the preset's, or the defaults. parameters: plugin's name -> parameters. min_face_size: px, of a
    face's longer side; min_score: in [0, 1]; a detector that has such a parameter gets it. flip: a parameter of the
    recognizers. no_detect: each picture is a crop already. rotate: one of ROTATIONS; "auto" looks at each picture in
    its four turns. Raises UsageError for an unknown preset and a score that can not be, or settings that exclude each
    other.
    """

    detector: str | None = None
    recognizers: tuple[str, ...] = ()
    preset: str | None = None
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    min_face_size: float | None = None
    min_score: float | None = None
    flip: bool = False
    no_detect: bool = False
    rotate: Rotation = "never"

    def __post_init__(self) -> None:
        _ = self.project
        if self.min_score is not None and not 0 <= self.min_score <= 1:
            raise UsageError(f"{{min_score}} must lie within 0 and 1, got {self.min_score}", about="min_score")
        if self.rotate not in ROTATIONS:
            hint = f"use {' or '.join(ROTATIONS)}"
            raise UsageError(f"there is no {{rotate}} {self.rotate!r:.40}", hint=hint, about="rotate")
        idle = next((name for name, usual in LOOKING.items() if getattr(self, name) != usual), None)
        if self.no_detect and idle is not None:
            message = f"{{{idle}}} is about looking for faces, which {{no_detect}} leaves out"
            raise UsageError(message, hint="leave one of them out", about=(idle, "no_detect"))

    @property
    def project(self) -> Preset | None:
        """The settings behind the preset's name. Raises UsageError for a name that no preset has."""
        if self.preset is None:
            return None
        if self.preset not in PRESETS:
            hint = f"there is {', '.join(PRESETS)}"
            raise UsageError(f"there is no {{preset}} {self.preset[:40]!r}", hint=hint, about="preset")
        return PRESETS[self.preset]

    def attributes(self, names: Sequence[str] | None, default: Sequence[str]) -> tuple[str, ...]:
        """Return the attributes to ask for, each as the preset's own model of it if the preset has one.

        names: the caller's; None is all of the preset's, or the default if the preset has none.
        """
        models = self.project.attributes if self.project else ()
        if names is None and models:
            return models
        by_attribute = {name.partition("/")[0]: name for name in models}
        return tuple(by_attribute.get(name, name) for name in (default if names is None else names))

    def choice(self, request: Request, registry: Registry, *, strict: bool = False) -> Choice:
        """Return the plugins and parameters for a request.

        strict: keep parameters of installed plugins that the request does not use, which a Toolbox refuses.
        """
        project = self.project
        detector = None if self.no_detect else self.detector or (project.detector if project else DETECTOR)
        recognizers = self.recognizers or ((project.recognizer if project else RECOGNIZER),)
        recognizers = (recognizers if request.ensemble else recognizers[:1]) if request.embed else ()
        parameters = self._parameters(detector, recognizers, registry)
        if not strict:
            in_use = {detector, *recognizers, *request.attributes, request.tracker}
            parameters = {n: p for n, p in parameters.items() if n in in_use or not _is_installed(n, registry)}
        return Choice(
            detector,
            recognizers[0] if recognizers else None,
            request.attributes,
            parameters,
            recognizers[1:],
            project.crops if project else {},
            request.tracker,
        )

    def _parameters(
        self, detector: str | None, recognizers: Sequence[str], registry: Registry
    ) -> dict[str, dict[str, Any]]:
        """Return the parameters by plugin: the preset's, then the caller's, then the settings that are parameters."""
        parameters: dict[str, dict[str, Any]] = {}
        for name, values in (self.project.parameters if self.project else {}).items():
            if name in (detector, *recognizers):
                parameters[name] = dict(values)
        for name, values in self.parameters.items():
            parameters.setdefault(name, {}).update(values)
        for name, value in (("min_face_size", self.min_face_size), ("score_threshold", self.min_score)):
            if detector is not None and value is not None and _has_parameter(detector, name, registry):
                parameters.setdefault(detector, {})[name] = value
        if self.flip:
            for name in recognizers:
                parameters.setdefault(name, {})["flip"] = True
        return parameters


def _is_installed(name: str, registry: Registry) -> bool:
    return any(name in registry.names(kind) for kind in ("detectors", "recognizers", "attributes", "trackers"))


def _has_parameter(detector: str, name: str, registry: Registry) -> bool:
    """Return whether a detector takes a bound as a parameter, so that it need not find the other faces first."""
    from facecli.contract import DetectorPlugin

    return name in registry.load("detectors", detector, DetectorPlugin).parameters
