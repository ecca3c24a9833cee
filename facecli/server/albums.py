"""Clusters of the faces in an album that was sent, or in the gallery, as the job of a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from facecli.api.clustering import Gathering
from facecli.output import clusterings, records
from facecli.output.records import Record
from facecli.pictures.sources import Source
from facecli.server.job import Job
from facecli.server.looks import Looks


@dataclass(frozen=True, slots=True)
class ClusterWish:
    """The way to make clusters: threshold, or the one that was measured at fmr; min_faces of somebody unnamed."""

    threshold: float | None = None
    fmr: float | None = None
    min_faces: int = 2


def clustered(looks: Looks, pictures: Sequence[Source], wish: ClusterWish, job: Job) -> Record:
    """Return the document of `facecli cluster` with the server's gallery.

    pictures: empty for the gallery's own faces. Raises UsageError for a wish that can not be fulfilled, StoppedError.
    """
    gathering = Gathering(looks.gallery.engine, looks.gallery)
    gathering.rule(wish.threshold, wish.fmr)  # which may be refused: before the work
    if pictures:
        for _ in gathering.pictures(pictures):
            job.step()
    clustering = gathering.clustered(wish.threshold, wish.fmr, wish.min_faces)
    tools = gathering.tools()
    detector, recognizer = records.described(tools, tools.detector_plugin), records.embedder(tools)
    parts = {"gallery": looks.described(), "detector": detector, "recognizer": recognizer}
    return clusterings.document(clustering, parts)
