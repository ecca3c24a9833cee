"""The proof that a detector finds the same faces with exported networks as with the networks they were made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facecli.errors import ExportError
from facecli.export.proof.parity import source_network
from facecli.export.proof.samples import PORTRAITS, Samples
from facecli.geometry import overlap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from facecli.contract import DetectorPlugin, ExportPart, Session
    from facecli.export.proof.bars import Bars
    from facecli.types import Detections, Image


@dataclass(frozen=True, slots=True)
class Found:
    """How far the detections in all pictures were from the source's: faces, least IoU, largest landmark shift in px.

    data: whose pictures they are, as in Samples.
    """

    detector: str
    data: str
    pictures: int
    faces: int
    iou: float
    landmarks: float | None


class SourceSession:
    """A part's source network in the place of a session."""

    def __init__(self, part: ExportPart, input_shapes: Mapping[str, tuple[int | None, ...]]) -> None:
        self._part, self._network = part, source_network(part)
        self.input_shapes = input_shapes

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run the source network once."""
        outputs = self._network(*(np.ascontiguousarray(feeds[name]) for name in self._part.input_names))
        return dict(zip(self._part.output_names, outputs, strict=True))


class RecordingSession:
    """A session that keeps what it is fed with."""

    def __init__(self, inner: Session) -> None:
        self._inner, self.input_shapes = inner, inner.input_shapes
        self.feeds: list[Mapping[str, NDArray[Any]]] = []

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run once."""
        self.feeds.append(dict(feeds))
        return self._inner.run(feeds)


class Bench:
    """A runtime that hands out given sessions, by file name, whatever device there is."""

    threads = 1

    def __init__(self, model: str, sessions: Mapping[str, Session]) -> None:
        self._model, self._sessions = model, sessions

    def model_path(self, model_id: str, file: str | None = None) -> Path:  # noqa: ARG002 # the contract's
        """Nothing here has a path."""
        raise ExportError(f"a detector that wants the file of {model_id} itself can not be proved")

    def session(
        self,
        model_id: str,
        file: str | None = None,
        *,
        threads: int | None = None,  # noqa: ARG002 # the contract's
    ) -> Session:
        """The session of a file of the model that is proved."""
        name = file if file is not None or len(self._sessions) != 1 else next(iter(self._sessions))
        if model_id != self._model or name is None or name not in self._sessions:
            asked = model_id if file is None else f"{file} of {model_id}"
            raise ExportError(f"the detector runs {asked}, not {', '.join(self._sessions)} of {self._model}")
        return self._sessions[name]


def inputs_of(
    plugin: DetectorPlugin, model: str, file: str, path: Path, pictures: Sequence[Image]
) -> list[Mapping[str, NDArray[Any]]]:
    """What a detector of one network, whose file lies at `path`, feeds it with when it looks at pictures."""
    from facecli.inference.session import open_session

    session = RecordingSession(open_session(path, device="cpu"))
    detector = plugin.load(Bench(model, {file: session}), _parameters(plugin, model))
    for picture in pictures:
        detector.detect([picture])
    return session.feeds


def prove_detection(
    plugin: DetectorPlugin,
    model: str,
    parts: Sequence[ExportPart],
    paths: Mapping[str, Path],
    bars: Bars,
    samples: Samples = PORTRAITS,
) -> Found:
    """Detect with source networks and with files (part's file name -> path). Raises ExportError if faces differ."""
    from facecli.inference.session import open_session

    exported = {part.file: open_session(paths[part.file], device="cpu") for part in parts}
    sources = {part.file: SourceSession(part, exported[part.file].input_shapes) for part in parts}
    pictures = samples.pictures()
    parameters = _parameters(plugin, model)
    wanted = [plugin.load(Bench(model, sources), parameters).detect([one])[0] for one in pictures]
    got = [plugin.load(Bench(model, exported), parameters).detect([one])[0] for one in pictures]
    count = sum(map(len, wanted))
    if not count:
        raise ExportError(f"{plugin.name} finds no face in the {samples.data}, not even with its source networks")
    compared = [
        compare(plugin.name, a, b, image.source, bars) for a, b, image in zip(got, wanted, pictures, strict=True)
    ]
    shifts = [shift for _, shift in compared if shift is not None]
    return Found(
        plugin.name, samples.data, len(pictures), count, min(iou for iou, _ in compared), max(shifts, default=None)
    )


def _parameters(plugin: DetectorPlugin, model: str) -> dict[str, Any]:
    """The plugin's own; one of several models is told which one it is about: MODEL of FAMILY/MODEL."""
    own = {"model": model.removeprefix(f"{plugin.name}/")} if "model" in plugin.parameters else {}
    return {**plugin.parameters, **own}


def compare(name: str, got: Detections, wanted: Detections, picture: str, bars: Bars) -> tuple[float, float | None]:
    """Least IoU and largest landmark shift of matching faces; 1 and None where there is none."""
    if len(got) != len(wanted):
        raise ExportError(f"{name} finds {len(got)} faces in {picture}, with its source networks {len(wanted)}")
    if not len(wanted):
        return 1.0, None
    shared = overlap(wanted.bboxes, got.bboxes)
    partner = shared.argmax(1)
    iou = float(shared.max(1).min())
    if not (iou >= bars.iou and len(set(partner.tolist())) == len(partner)):
        raise ExportError(
            f"{name}: a box in {picture} has an IoU of {iou:.4g} with its source's, the least is {bars.iou:g}"
        )
    if got.landmarks is None or wanted.landmarks is None:
        return iou, None
    shift = float(np.linalg.norm(got.landmarks[partner] - wanted.landmarks, axis=2).max())
    if not shift <= bars.landmarks:
        what = f"a landmark in {picture} is {shift:.3g} px from its source's, the tolerance is {bars.landmarks:g} px"
        raise ExportError(f"{name}: {what}")
    return iou, shift
