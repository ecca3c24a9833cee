"""The one place that writes results to stdout: as a table, JSON, JSON Lines or CSV.

Commands build documents and rows; a sink renders them in the format that was chosen, and keeps stdout free of whatever
else is printed meanwhile.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TextIO

from facecli.errors import OutputError
from facecli.output import tables
from facecli.system.ending import undisturbed
from facecli.system.spreadsheet import Writer
from facecli.system.streams import one_line, stray_output_on_stderr

FORMATS = ("table", "json", "jsonl", "csv")
Record = dict[str, Any]
Row = Mapping[str, Any]
Sentence = tuple[str, bool | None]  # a line for people; True is good news, False bad, None neither


class Sink:
    """The place that the results of one command go to: a text stream and a format.

    fmt: one of FORMATS; None is a table on a terminal and JSON elsewhere. stream: stdout, if None. name: of the stream,
    in errors.
    """

    def __init__(self, fmt: str | None = None, stream: TextIO | None = None, name: str = "standard output") -> None:
        self._stream, self._name = stream or sys.stdout, name
        self._format_chosen = fmt is not None
        self._begun = self._complete = False
        self.format = fmt or ("table" if self._stream.isatty() else "json")
        if hasattr(self._stream, "reconfigure"):
            # File names may hold bytes that are no UTF-8: they leave as they came.
            self._stream.reconfigure(encoding="utf-8", errors="surrogateescape")

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Keep stdout for data alone while the context lasts: stray prints of plugins and libraries go to stderr."""
        with stray_output_on_stderr(sys.stdout):
            yield

    def document(
        self,
        document: Record,
        rows: Iterable[Row],
        *,
        title: str | None = None,
        table: Iterable[Row] | None = None,
        sentences: Sequence[Sentence] = (),
    ) -> None:
        """Write one document.

        rows: what a table or CSV shows of it. title: above the table. table: other rows for a table than for a CSV.
        sentences: stand in the place of a table.
        """
        if self.format == "json":
            self._write(dumps(document, indent=2) + "\n")
        elif self.format == "jsonl":
            self._write(dumps(document) + "\n")
        elif self.format == "csv":
            listed = list(rows)
            self._csv(listed, tables.names_of(listed))
        elif sentences:
            self._write("".join(f"{self._coloured(*sentence)}\n" for sentence in sentences))
        else:
            self._table(rows if table is None else table, title)
        self._complete = True
        self._flush()

    def stream(
        self,
        header: Record,
        key: str,
        records: Iterable[Record],
        columns: Sequence[str],
        csv_rows: Callable[[Record], Iterable[Row]],
        table_rows: Callable[[Record], Iterable[Row]],
    ) -> None:
        """Write a document whose list `key` grows while `records` arrive; as JSON Lines, one document per record.

        columns: of a CSV; its header line is written before the first record, which may be of a picture that failed.
        csv_rows, table_rows: turn one record into the lines that show it.

        If `records` raises, the JSON list stays unterminated; call `fail` to close it with the error.
        """
        try:
            if self.format == "json":
                self._json_list(header, key, records)
            elif self.format == "jsonl":
                for record in records:
                    self._write(dumps(header | record) + "\n")
                    self._flush()
            elif self.format == "csv":
                self._csv((row for record in records for row in csv_rows(record)), columns)
            else:
                self._table((row for record in records for row in table_rows(record)), None)
        finally:
            if isinstance(records, Generator):
                records.close()  # takes a progress bar away before another line is written
        self._complete = True
        self._flush()

    def fail(self, document: Record) -> None:
        """Write an error for readers of JSON: into the document that has begun, else as a document of its own.

        document: the error's document, whose `error` closes a list that has begun. A complete document is left alone,
        and a format that was not chosen gets no document: its reader may expect another one.
        """
        if self._complete or self.format not in ("json", "jsonl"):
            return
        if self._begun:
            self._close_list(document["error"])
        elif self._format_chosen:
            self._write(dumps(document) + "\n")
        self._complete = True
        self._flush()

    def _json_list(self, header: Record, key: str, records: Iterable[Record]) -> None:
        self._begun = True
        self._write(dumps(header, indent=2).removesuffix("\n}") + f',\n  "{key}": [')
        for number, record in enumerate(records):
            self._write(("," if number else "") + "\n    " + dumps(record))
            self._flush()
        self._close_list(None)

    def _close_list(self, error: Record | None) -> None:
        self._write(f'\n  ],\n  "error": {dumps(error)}\n}}\n')

    def _csv(self, rows: Iterable[Row], columns: Sequence[str]) -> None:
        writer = Writer(self._stream, columns)
        if columns:
            self._guard(writer.header)
        for row in rows:
            self._guard(partial(writer.row, row))

    def _table(self, rows: Iterable[Row], title: str | None) -> None:
        arrived: list[Row] = []
        try:
            arrived.extend(rows)
        finally:  # the rows before a failure are printed all the same
            if arrived:
                self._write(tables.rendered(arrived, title, self._stream))

    def _coloured(self, text: str, good: bool | None) -> str:
        """Return a line in green for good news and in red for bad, where it is read on a terminal that has colours."""
        plain = not self._stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return one_line(text) if good is None or plain else f"\x1b[{32 if good else 31}m{one_line(text)}\x1b[0m"

    def _write(self, text: str) -> None:
        self._guard(lambda: self._stream.write(text))

    def _flush(self) -> None:
        self._guard(self._stream.flush)

    def _guard(self, action: Callable[[], object]) -> None:
        """Run an action on the stream; raise OutputError where the file system refuses it."""
        try:
            with undisturbed():
                action()
        except BrokenPipeError:
            raise
        except OSError as error:
            reason = "no space left" if error.errno == errno.ENOSPC else error.strerror
            message = f"can not write to {self._name}: {reason}"
            raise OutputError(message, hint="see where it leads, or free some space") from error


def dumps(value: object, indent: int | None = None) -> str:
    r"""Return JSON text: UTF-8 unescaped, never NaN; bytes of file names that are no UTF-8 as \udc80 to \udcff."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    return re.sub("[\ud800-\udfff]", lambda match: f"\\u{ord(match[0]):04x}", text)
