"""Files that are still growing: the bytes fetched so far, with a note of the version that their server gave them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from facecli.errors import OutputError
from facecli.redaction import without_secrets


class Partial:
    """A file that grows at `path`, and beside it, as JSON, the URL and version that its bytes are of."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._notes = path.with_suffix(".json")

    @property
    def length(self) -> int:
        """The number of bytes on the disk."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def validator(self, url: str) -> str | None:
        """Return the noted version for an If-Range header, None unless the bytes are known to come from `url`."""
        try:
            notes = json.loads(self._notes.read_bytes())
            same = notes["url"] == without_secrets(url)
            return str(notes["validator"]) if same and notes["validator"] else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def note(self, url: str, headers: Mapping[str, str]) -> None:
        """Write down the version of `url` that the bytes are of. Raises OutputError.

        headers: the response's. A weak ETag does not promise equal bytes; Last-Modified is noted instead.
        """
        tag = headers.get("ETag", "")
        version = headers.get("Last-Modified") if tag.startswith("W/") or not tag else tag
        with writing_to(self._notes):
            self._notes.write_text(json.dumps({"url": without_secrets(url), "validator": version}), "utf-8")

    def discard(self) -> None:
        """Delete the bytes and the note."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
        self.drop_note()

    def drop_note(self) -> None:
        """Delete the note alone: the file is complete, and is about to be moved away."""
        with suppress(OSError):
            self._notes.unlink(missing_ok=True)


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turn file-system errors of the block into OutputError. Errors of requests, OSErrors without a number, pass."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OutputError(f"can not write {path}: {error.strerror or error}", hint="free some space") from error
