"""Clustering for Python and for the commands: faces gathered from where they are, and made people."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.api.engine import Engine
from facecli.api.gallery import REQUEST, Gallery
from facecli.api.picture import Picture
from facecli.api.reading import Readable, sources
from facecli.clustering import rule
from facecli.clustering.album import Album
from facecli.clustering.clusters import Clustering, cluster
from facecli.clustering.reading import HashedPictures
from facecli.errors import UsageError
from facecli.gallery.space import Space
from facecli.gallery.store.faces import kept
from facecli.matching import stored, stored_job
from facecli.matching.stored import StoredEmbeddings
from facecli.output.clusterings import read_ids

if TYPE_CHECKING:
    from facecli.clustering.rule import Rule
    from facecli.hosting.toolbox import Toolbox

SUFFIX = ".npz"


@dataclass(slots=True)
class Gathering:
    """Faces on their way to be clustered. gallery: whose people are recognised first, or None.

    album: what is gathered. files: the stored embeddings among that. given: whether the caller has named any pictures;
    without, the gallery's own faces are clustered.
    """

    engine: Engine
    gallery: Gallery | None = None
    album: Album = field(default_factory=Album)
    files: list[StoredEmbeddings] = field(default_factory=list)
    given: bool = False

    def __post_init__(self) -> None:
        if self.gallery is not None:
            self.gallery.store()  # whose plugins are the engine's where the caller names none
            self.engine = self.gallery.engine

    def tools(self) -> Toolbox:
        """Return the plugins that embed faces; their loading begins now. Raises UsageError for another gallery's."""
        tools = self.engine.tools(REQUEST)
        if self.gallery is not None and (own := self.gallery.store().space) is not None:
            own.check(self.gallery.space())
        return tools

    def pictures(self, pictures: Readable | Iterable[Readable], face: str | int | None = None) -> Iterator[Picture]:
        """Yield each picture as soon as its faces are gathered; a failure is in its `.error`."""
        flow = self.engine.flow(REQUEST, face)
        self.given = True
        hashed = HashedPictures(sources(pictures, flow.limits))
        for result in self.engine.pipeline(self.tools(), flow).run(iter(hashed)):
            self.album.add(result, hashed.take())
            yield Picture.of(result)

    def stored(self, names: Sequence[str], max_bytes: int) -> None:
        """Gather stored embeddings. Raises InputError; UsageError for files, or a gallery, that were made otherwise."""
        self.given = True
        for name in names:
            file = stored_job.read(name, max_bytes) if stored_job.is_job(name) else stored.read(Path(name), max_bytes)
            if self.files:
                stored.check_comparable(self.files[0], file)
            self.files.append(file)
            self.album.add_stored(file)
        own = None if self.gallery is None else self.gallery.store().space
        if own is not None:
            own.check(Space(self.files[0].identity, self.files[0].rows.shape[1]))

    def clustered(
        self,
        threshold: float | None = None,
        fmr: float | None = None,
        least: int = 2,
        earlier: Mapping[str, str] | None = None,
    ) -> Clustering:
        """Return the people of all faces gathered. The arguments are those of `facecli.Faces.cluster`."""
        decided = self.rule(threshold, fmr)
        if self.gallery is not None:
            self.album.add_kept(kept(self.gallery.store()), asked=not self.given)
        return cluster(self.album, decided, least, earlier)

    def ids_of(self, earlier: Clustering | str | os.PathLike[str] | None) -> dict[str, str]:
        """Return the ids of an earlier result, or of its JSON file: face's hash -> id. Raises InputError."""
        if earlier is None or isinstance(earlier, Clustering):
            return {} if earlier is None else earlier.ids
        return read_ids(Path(earlier), self.engine.flow(REQUEST).limits.max_bytes)

    def rule(self, threshold: float | None, fmr: float | None) -> Rule:
        """Return the rule for what is gathered. Raises UsageError where there is none."""
        wished = rule.wish(threshold, fmr)
        if self.files:
            return rule.for_stored(self.files[0], wished, self.engine.loader.registry)
        tools = self.tools()
        assert tools.recognizer_plugin is not None
        return rule.for_plugin(tools, tools.recognizer_plugin, wished)


def gathered(
    engine: Engine, gallery: Gallery | None, pictures: Readable | Iterable[Readable], face: str | int | None
) -> Gathering:
    """Return the gathered faces of pictures, or of the files of embeddings that are named in their place."""
    gathering = Gathering(engine, gallery)
    # A list may be looked at before it is read, an iterator of a million pictures not.
    named: Sequence[object] = pictures if isinstance(pictures, (list, tuple)) else (pictures,)
    if names_stored(named):
        gathering.stored([os.fsdecode(str(one)) for one in named], engine.flow(REQUEST).limits.max_bytes)
    elif named:
        for _ in gathering.pictures(pictures, face):
            pass
    elif gallery is None:
        raise UsageError("no input", hint="name pictures, or a {gallery}", about="gallery")
    return gathering


def names_stored(inputs: Sequence[object]) -> bool:
    """Return whether the inputs are embeddings, in files or in folders of jobs. Raises UsageError for a mixture."""
    found = {isinstance(one, (str, os.PathLike)) and _is_stored(one) for one in inputs}
    if len(found) > 1:
        message = "pictures and stored embeddings are not clustered together"
        raise UsageError(message, hint="embed the pictures, too, with `facecli embed`")
    return found == {True}


def _is_stored(name: str | os.PathLike[str]) -> bool:
    return os.fsdecode(name).lower().endswith(SUFFIX) or stored_job.is_job(name)
