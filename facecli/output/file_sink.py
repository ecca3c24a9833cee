"""Results as a file in the place of stdout: whole or not at all, with one line that says what was written."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from facecli.errors import UsageError
from facecli.output.sink import Record, Row, Sentence, Sink
from facecli.system.files import check_writable, staged

FORMATS = {".json": "json", ".jsonl": "jsonl", ".csv": "csv"}  # by suffix


class FileSink(Sink):
    """A sink whose document becomes a file, in the format that the file's suffix names.

    chosen: a format that the user has named, too. report: gets the line that says what was written.

    Raises UsageError for a suffix of no format, or of another than the one chosen, and OutputError for a path that can
    not be written.
    """

    def __init__(self, path: Path, chosen: str | None, report: Callable[[str], None]) -> None:
        fmt = FORMATS.get(path.suffix.lower())
        if fmt is None:
            raise UsageError(f"can not write results as {path.suffix or path.name!r}", hint=f"use {', '.join(FORMATS)}")
        if chosen not in (None, fmt):
            message = f"{{output}} {path} is {fmt}, and {{format}} {chosen} is another"
            raise UsageError(message, hint="leave {format} out", about=("output", "format"))
        check_writable(path)
        self._path, self._report, self._staging = path, report, ExitStack()
        temporary = self._staging.enter_context(staged(path, parents=False))
        super().__init__(fmt, temporary.open("w", encoding="utf-8", newline=""), name=str(path))

    def document(
        self,
        document: Record,
        rows: Iterable[Row],
        *,
        title: str | None = None,
        table: Iterable[Row] | None = None,
        sentences: Sequence[Sentence] = (),
    ) -> None:
        """Write one document as the file."""
        listed = list(rows)
        super().document(document, listed, title=title, table=table, sentences=sentences)
        self._finish(len(listed))

    def stream(
        self,
        header: Record,
        key: str,
        records: Iterable[Record],
        columns: Sequence[str],
        csv_rows: Callable[[Record], Iterable[Row]],
        table_rows: Callable[[Record], Iterable[Row]],
    ) -> None:
        """Write a document whose list `key` grows while `records` arrive; the file appears at the end."""
        count = 0

        def counted() -> Iterator[Record]:
            nonlocal count
            try:
                for record in records:
                    count += 1
                    yield record
            finally:
                if isinstance(records, Generator):
                    records.close()

        super().stream(header, key, counted(), columns, csv_rows, table_rows)
        self._finish(count)

    def fail(self, document: Record) -> None:  # noqa: ARG002 # a file has no place for it
        """Leave no file behind."""
        self._stream.close()
        failure = RuntimeError("the command failed")
        self._staging.__exit__(RuntimeError, failure, None)

    def _finish(self, count: int) -> None:
        self._guard(self._stream.close)
        self._staging.close()
        self._report(f"wrote {count} {'record' if count == 1 else 'records'} to {self._path}")
