"""The part of `facecli.Faces` that is about films: faces followed through them, and copies in which nobody is known."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from facecli.api.engine import Engine
from facecli.hosting.choice import TRACKER

if TYPE_CHECKING:  # imported by the methods: models load while OpenCV and the rest of the pipeline are imported
    from facecli.anonymise.result import Anonymised
    from facecli.api.gallery import Gallery
    from facecli.api.reading import Readable
    from facecli.film.frame import Excerpt
    from facecli.tracking.events import Event


class Footage:
    """Follows faces through films and covers them. engine: of the Faces."""

    engine: Engine

    def track(  # the door
        self,
        film: str | os.PathLike[str],
        *,
        gallery: Gallery | None = None,
        tracker: str | None = None,
        every: int = 1,
        join: bool = True,
        attributes: Sequence[str] = (),
        window: float = 1.0,
        excerpt: Excerpt | None = None,
        retries: int | None = None,
        face: str | int | None = None,
        crops_per_track: int = 1,
    ) -> Iterator[Event]:
        """Return an iterator of the events of a film, as they happen; their types are in facecli.tracking.events.

        film: a path, `camera:0`, or the URL of a film or stream. gallery: whose people are named. tracker: a plugin,
        `sort` by default. every: detect in each Nth frame, follow between. join: join tracks of one person by their
        faces. attributes: as in `analyze`, averaged over `window` seconds. excerpt: the part to read. retries: how
        often a lost stream is tried again, None for ever. crops_per_track: how many of its best looks a track's end
        has. Raises FacecliError for what can not be read at all; the last event, StreamEnded, has the `error` of a film
        that breaks off.
        """
        from facecli.api.films import FilmWish, followed

        wish = FilmWish(tracker or TRACKER, every, join, tuple(attributes), window, face, crops_per_track)
        return followed(self.engine, gallery, os.fspath(film), wish, excerpt, retries)

    def anonymize(  # the door
        self,
        picture: Readable,
        output: str | os.PathLike[str] | None = None,
        *,
        method: Literal["pixelate", "blur", "mask"] = "pixelate",
        cells: int = 6,
        margin: float = 0.2,
        shape: Literal["box", "ellipse"] = "box",
        only: str | Sequence[str] = (),
        except_: str | Sequence[str] = (),
        gallery: Gallery | None = None,
        tracks: str | os.PathLike[str] | None = None,
        check: bool = False,
        tracker: str | None = None,
        codec: Literal["h264", "av1", "vp9", "mpeg4"] | None = None,
        audio: Literal["none", "copy"] = "none",
    ) -> Anonymised:
        """Cover the faces of a picture or a film so that nobody is recognised, and return what was done.

        picture: in any form, or the path of a film. output: the file to write, which holds no metadata; a film needs
        one. A picture's covered pixels are in `.pixels`, (H, W, 3) uint8 RGB, also without a file. method, cells,
        margin, shape: of what covers a face, as `facecli anonymize` has them. only, except_: people of the gallery who
        alone are covered, or are left alone. tracks: the film's faces, as `facecli track --frames --json` writes them.
        check: whether all installed recognizers look at each covered face, and nothing is written if one still knows
        it. tracker, codec, audio: of films. Raises FacecliError; nothing is written then.
        """
        from facecli.anonymise import document
        from facecli.anonymise.choice import Chosen
        from facecli.anonymise.veil import Veil
        from facecli.api.anonymising import Anonymizer, AnonymousWish
        from facecli.film.frame import MAX_PIXELS

        names = (frozenset((one,) if isinstance(one, str) else one) for one in (only, except_))
        wish = AnonymousWish(
            Veil(method, cells, margin, shape),
            Chosen(*names),
            tracker or TRACKER,
            check,
            codec,
            audio == "copy",
            self.engine.workload.max_pixels or MAX_PIXELS,
            {} if tracks is None else document.read(Path(tracks)),
        )
        return Anonymizer(self.engine, wish, gallery).copy(picture, None if output is None else Path(output))
