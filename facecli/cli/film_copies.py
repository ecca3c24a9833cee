"""Annotated copies of the films that a command follows: when each is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from facecli.film.address import Address

if TYPE_CHECKING:
    from facecli.film.frame import Excerpt, FilmFacts
    from facecli.film.live import Live
    from facecli.film.reading import Film
    from facecli.output.annotated_film import Afterwards, AnnotatedFilm, AsItGoes


@dataclass(frozen=True, slots=True)
class Copies:
    """The annotated copies of a command's films.

    targets: the place of each, by the film's name; a film that is not in it has no copy. codec: of them, None for the
    usual one. sound: whether they have it. max_pixels: of a frame.
    """

    targets: Mapping[str, Path]
    codec: str | None
    sound: bool
    max_pixels: int

    def begun(self, stack: ExitStack, film: Film | Live, address: Address) -> AsItGoes | Afterwards | None:
        """Return what takes events to an annotated copy; that of what can be read once is drawn at once.

        Raises OutputError for sound that the copy can not hold.
        """
        from facecli.film import writing
        from facecli.film.reading import Film
        from facecli.output.annotated_film import Afterwards, AsItGoes

        target = self.targets.get(address.source)
        if target is None:
            return None
        if isinstance(film, Film) and not (film.facts.live or address.pipe):
            if self.sound:
                writing.check_sound(writing.form_of(target), film.sounds())
            return Afterwards()
        return AsItGoes(stack.enter_context(self._copy(target, film.facts, None)))

    def drawn(self, drawing: AsItGoes | Afterwards | None, address: Address, excerpt: Excerpt) -> None:
        """Draw a film that was followed to its end, in a second reading."""
        from facecli.film.reading import Film
        from facecli.output.annotated_film import Afterwards

        target = self.targets.get(address.source)
        if target is None or not isinstance(drawing, Afterwards) or not len(drawing):
            return
        with closing(Film(address, max_pixels=self.max_pixels)) as again:
            sound = address if self.sound else None
            with self._copy(target, again.facts, sound) as copy:
                drawing.draw(copy, again.frames(excerpt))

    def _copy(self, target: Path, facts: FilmFacts, sound: Address | None) -> AnnotatedFilm:
        from facecli.output.annotated_film import AnnotatedFilm

        return AnnotatedFilm(target, facts, self.codec, sound)
