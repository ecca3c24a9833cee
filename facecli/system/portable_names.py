"""Any text as the name of a file or folder: one that is allowed on every system, and leads nowhere else.

The one rule for people and films whose names become parts of paths: sorted pictures, crops of tracks, exported crops.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 200  # bytes of UTF-8, of 255 that most file systems allow: there is room for a number, a hash or a suffix
SIGNS = '/\\:*?"<>|'  # of paths, or refused by Windows
# Devices of Windows, with any suffix: "Naming Files, Paths, and Namespaces" in its documentation.
DEVICES = re.compile(r"(?i:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])[ ]*(?:\..*)?")


def portable(text: str) -> str:
    """Return a text as one part of a path; empty if nothing of it can be.

    Signs of paths and what can not be seen (control characters, marks that turn the direction, bytes that are no
    UTF-8) become "_", accents are composed (NFC), dots and blanks at its ends go, and so does what is beyond LONGEST.
    """
    composed = unicodedata.normalize("NFC", text)
    plain = "".join("_" if one in SIGNS or not one.isprintable() else one for one in composed).strip(" .")
    plain = f"_{plain}" if DEVICES.fullmatch(plain) else plain
    return shortened(plain).rstrip(" .")


def shortened(name: str) -> str:
    """Return the beginning of a name that has at most LONGEST bytes; no letter is cut in two."""
    data = name.encode("utf-8", "surrogateescape")
    return data[:LONGEST].decode("utf-8", "ignore") if len(data) > LONGEST else name


class PortableNames:
    """The names that several texts have in one folder: one for each, also where systems take two names for one.

    taken: names that something else in the folder has.
    """

    def __init__(self, *taken: str) -> None:
        self._taken = set(map(_key, taken))
        self._own: dict[tuple[str, str], str] = {}

    def of(self, text: str, mark: str = "") -> str:
        """Return the name of a text, the same whenever it is asked for.

        mark: tells texts apart that would have one name, and stands behind it then; without one a number does.
        """
        if (text, mark) not in self._own:
            name = plain = portable(text) or "_"
            if mark and _key(name) in self._taken:
                name = f"{plain} {mark}"
            number = 1
            while _key(name) in self._taken:
                number += 1
                name = f"{plain} {number}"
            self._taken.add(_key(name))
            self._own[text, mark] = name
        return self._own[text, mark]


def _key(name: str) -> str:
    """Return what two names have in common that are one on some system: in capitals, or with composed accents."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
