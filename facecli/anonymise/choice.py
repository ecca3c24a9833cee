"""The people whose faces are covered: all, only some, or all but some."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from facecli.errors import UsageError


@dataclass(frozen=True, slots=True)
class Chosen:
    """The people to cover: all; or `only` these; or all `but` these. In doubt a face is covered.

    Raises UsageError if both are named.
    """

    only: frozenset[str] = frozenset()
    but: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.only and self.but:
            raise UsageError(
                "{only} and {except} exclude each other", hint="give one of them", about=("only", "except")
            )

    @property
    def everybody(self) -> bool:
        """True if no name matters."""
        return not (self.only or self.but)

    def covers(self, words: frozenset[str]) -> bool:
        """Return whether to cover a face that goes by these words: names and numbers of tracks."""
        if self.only:
            return bool(words & self.only)
        names = {word for word in words if not word.startswith("#")}
        # A track that is two people by its joins is left alone only if both are to be.
        return not (words & self.but) or bool(names - self.but and names & self.but)

    def refuse_unknown(self, known: Iterable[str], place: str) -> None:
        """Raise UsageError for a name that nobody has: a mistyped one would leave or cover the wrong faces.

        known: all names. place: where they stand.
        """
        known = set(known)
        for setting, names in (("only", self.only), ("except", self.but)):
            if missing := sorted(names - known):
                message = f"{{{setting}}} {missing[0]}: nobody in {place} has this name"
                raise UsageError(message, hint=_there_is(sorted(known)), about=setting)


def _there_is(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"there is {', '.join(names[:5])}{more}" if names else "it has no names"
