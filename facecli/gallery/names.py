"""Names of people: which texts can be one, when two are the same, and which name was probably meant."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable

from facecli.errors import UsageError
from facecli.redaction import shortened

LONGEST = 200  # characters


def clean(text: str) -> str:
    """Return a name as it is kept: NFC, blanks at its ends gone, one blank between words.

    Raises UsageError for a text that can not be a name: empty, too long, or with what can not be seen in a line: line
    ends, tabs and other control characters, marks that turn the direction, broken UTF-8.
    """
    composed = unicodedata.normalize("NFC", text)
    if unseen := next((one for one in composed if not one.isprintable() and unicodedata.category(one) != "Zs"), None):
        message = f"a person's name is one line of visible characters, without {unseen!r}: {shortened(composed, 60)!r}"
        raise UsageError(message, hint="leave it out of the name, or of the folder's name")
    name = " ".join(composed.split())
    if not name or len(name) > LONGEST:
        raise UsageError(f"a person's name has 1 to {LONGEST} characters, not {len(name)}", hint="choose another name")
    return name


def key(name: str) -> str:
    """Return the form in which names are compared: "ADA Lovelace" and "Ada  lovelace" are one person."""
    return unicodedata.normalize("NFC", clean(name).casefold())


def listed(texts: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return the names that texts list, with commas between them.

    A text that is a known name as a whole is that name, whatever commas it has. Raises UsageError for no name at all.
    """
    keys = {key(one) for one in known}
    parts: list[str] = []
    for text in texts:
        whole = text.strip() and len(text) <= LONGEST and key(text) in keys
        parts += [text] if whole else [part for part in text.split(",") if part.strip()]
    if not parts:
        raise UsageError("no name is given", hint="name people, with commas between them")
    return parts


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """Return the names that are most like one, at most three, best first."""
    by_key = {key(one): one for one in names}
    return [by_key[found] for found in difflib.get_close_matches(key(name), by_key, 3)]
