"""Writing results to stdout: JSON, JSON Lines, CSV or a table; the one place that does."""

from __future__ import annotations

import contextlib
import errno
import json
import re
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TextIO

from facecli.errors import OutputError
from facecli.system.streams import clean, kept_for_data

FORMATS = ("table", "json", "jsonl", "csv")
Record = dict[str, Any]
Row = Mapping[str, Any]


class Output:
    """A sink for one command's results. While it is open, whatever else prints goes to stderr."""

    def __init__(self, fmt: str | None = None, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._asked = fmt is not None
        self._begun = self._done = False
        self.format = fmt or ("table" if self._stream.isatty() else "json")
        if hasattr(self._stream, "reconfigure"):
            # File names may hold bytes that are no UTF-8: they leave as they came.
            self._stream.reconfigure(encoding="utf-8", errors="surrogateescape")

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Keep stdout for data alone: stray prints of plugins and libraries go to stderr."""
        with kept_for_data(self._stream):
            yield

    def document(self, document: Record, rows: Iterable[Row], *, title: str | None = None) -> None:
        """Write one document; `rows` are what a table or CSV shows of it."""
        if self.format == "json":
            self._write(dumps(document, indent=2) + "\n")
        elif self.format == "jsonl":
            self._write(dumps(document) + "\n")
        elif self.format == "csv":
            listed = list(rows)
            self._csv(listed, _names(listed))
        else:
            self._table(rows, title)
        self._done = True
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
        """Write a document whose list `key` grows while `records` arrive; as JSON Lines, a document per record.

        columns: those of a CSV, known before the first record, which may be of a picture that failed. A document whose
        `records` raise stays open, until `fail` closes it.
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
                records.close()  # takes a progress bar away before somebody else writes
        self._done = True
        self._flush()

    def fail(self, document: Record) -> None:
        """Tell a failure where JSON is read: in the document that was begun, else as `document`, its own.

        Nothing where a document is complete: stdout has one.
        """
        if self._done or self.format not in ("json", "jsonl"):
            return
        if self._begun:
            self._close_list(document["error"])
        elif self._asked:
            self._write(dumps(document) + "\n")
        self._done = True
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
        import csv

        writer = csv.DictWriter(self._stream, columns, lineterminator="\n", extrasaction="raise")
        if columns:
            self._guard(writer.writeheader)
        for row in rows:
            self._guard(partial(writer.writerow, row))

    def _table(self, rows: Iterable[Row], title: str | None) -> None:
        known: list[Row] = []
        try:
            known.extend(rows)
        finally:  # what was done before a failure is shown all the same
            if known:
                self._print(known, title)

    def _print(self, rows: Sequence[Row], title: str | None) -> None:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title, title_justify="left")
        names = _names(rows)
        for name in names:
            table.add_column(Text(clean(name)), overflow="fold")
        for row in rows:
            table.add_row(*(Text(_cell(row.get(name))) for name in names))  # Text: brackets are no markup
        self._guard(lambda: Console(file=self._stream).print(table))

    def _write(self, text: str) -> None:
        self._guard(lambda: self._stream.write(text))

    def _flush(self) -> None:
        self._guard(self._stream.flush)

    def _guard(self, action: Callable[[], object]) -> None:
        try:
            action()
        except BrokenPipeError:
            raise
        except OSError as error:
            reason = "no space left" if error.errno == errno.ENOSPC else error.strerror
            raise OutputError(f"can not write to standard output: {reason}") from error


def dumps(value: object, indent: int | None = None) -> str:
    """JSON text: UTF-8 as it is, never NaN; bytes of file names that are no UTF-8 become escapes."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    return re.sub("[\ud800-\udfff]", lambda match: f"\\u{ord(match[0]):04x}", text)


def _names(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else clean(str(value))
