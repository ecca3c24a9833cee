"""The one place that writes results to stdout: as a table, JSON, JSON Lines or CSV.

Commands build documents and rows; a sink renders them in the format that was chosen, and keeps stdout free of whatever
else is printed meanwhile.
"""

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
from facecli.system.ending import undisturbed
from facecli.system.streams import one_line, stray_output_on_stderr

FORMATS = ("table", "json", "jsonl", "csv")
Record = dict[str, Any]
Row = Mapping[str, Any]


class Sink:
    """The place that the results of one command go to: a text stream and a format.

    fmt: one of FORMATS; None is a table on a terminal and JSON elsewhere. stream: stdout, if None.
    """

    def __init__(self, fmt: str | None = None, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._format_chosen = fmt is not None
        self._begun = self._complete = False
        self.format = fmt or ("table" if self._stream.isatty() else "json")
        if hasattr(self._stream, "reconfigure"):
            # File names may hold bytes that are no UTF-8: they leave as they came.
            self._stream.reconfigure(encoding="utf-8", errors="surrogateescape")

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Keep stdout for data alone while the context lasts: stray prints of plugins and libraries go to stderr."""
        with stray_output_on_stderr(self._stream):
            yield

    def document(self, document: Record, rows: Iterable[Row], *, title: str | None = None) -> None:
        """Write one document. rows: what a table or CSV shows of it. title: above the table."""
        if self.format == "json":
            self._write(dumps(document, indent=2) + "\n")
        elif self.format == "jsonl":
            self._write(dumps(document) + "\n")
        elif self.format == "csv":
            listed = list(rows)
            self._csv(listed, _names(listed))
        else:
            self._table(rows, title)
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
        import csv

        writer = csv.DictWriter(self._stream, columns, lineterminator="\n", extrasaction="raise")
        if columns:
            self._guard(writer.writeheader)
        for row in rows:
            self._guard(partial(writer.writerow, row))

    def _table(self, rows: Iterable[Row], title: str | None) -> None:
        arrived: list[Row] = []
        try:
            arrived.extend(rows)
        finally:  # the rows before a failure are printed all the same
            if arrived:
                self._print(arrived, title)

    def _print(self, rows: Sequence[Row], title: str | None) -> None:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title, title_justify="left")
        names = _names(rows)
        for name in names:
            table.add_column(Text(one_line(name)), overflow="fold")
        for row in rows:
            table.add_row(*(Text(_cell(row.get(name))) for name in names))  # Text: brackets are no markup
        console = Console(file=self._stream)
        with console.capture() as printed:  # rich itself would end the process with 1 when nobody reads any more
            console.print(table)
        self._write(printed.get())

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
            raise OutputError(f"can not write to standard output: {reason}") from error


def dumps(value: object, indent: int | None = None) -> str:
    r"""Return JSON text: UTF-8 unescaped, never NaN; bytes of file names that are no UTF-8 as \udc80 to \udcff."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    return re.sub("[\ud800-\udfff]", lambda match: f"\\u{ord(match[0]):04x}", text)


def _names(rows: Iterable[Row]) -> list[str]:
    """Return the names of all columns that occur in the rows, in the order of their first row."""
    return list(dict.fromkeys(name for row in rows for name in row))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else one_line(str(value))
