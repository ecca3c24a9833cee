"""Writing results to stdout: JSON, JSON Lines, CSV or a table; the one place that does."""

from __future__ import annotations

import contextlib
import errno
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TextIO

from facecli.errors import OutputError

FORMATS = ("table", "json", "jsonl", "csv")
Record = dict[str, Any]
Row = Mapping[str, Any]


class Output:
    """A sink for one command's results. While it is open, whatever else prints goes to stderr."""

    def __init__(self, fmt: str | None = None, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self.format = fmt or ("table" if self._stream.isatty() else "json")
        if hasattr(self._stream, "reconfigure"):
            # File names may hold bytes that are no UTF-8: they leave as they came.
            self._stream.reconfigure(encoding="utf-8", errors="surrogateescape")

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """Keep stdout for data alone: stray prints of plugins and libraries go to stderr."""
        with contextlib.redirect_stdout(sys.stderr):
            yield

    def document(self, document: Record, rows: Iterable[Row], *, title: str | None = None) -> None:
        """Write one document; `rows` are what a table or CSV shows of it."""
        if self.format == "json":
            self._write(dumps(document, indent=2) + "\n")
        elif self.format == "jsonl":
            self._write(dumps(document) + "\n")
        else:
            self._rows(rows, title)
        self._flush()

    def stream(
        self,
        header: Record,
        key: str,
        records: Iterable[Record],
        csv_rows: Callable[[Record], Iterable[Row]],
        table_rows: Callable[[Record], Iterable[Row]],
    ) -> None:
        """Write a document whose list `key` grows while `records` arrive; as JSON Lines, a document per record."""
        if self.format == "json":
            self._write(dumps(header, indent=2).removesuffix("\n}") + f',\n  "{key}": [')
            for number, record in enumerate(records):
                self._write(("," if number else "") + "\n    " + dumps(record))
                self._flush()
            self._write("\n  ]\n}\n")
        elif self.format == "jsonl":
            for record in records:
                self._write(dumps(header | record) + "\n")
                self._flush()
        else:
            rows = csv_rows if self.format == "csv" else table_rows
            self._rows((row for record in records for row in rows(record)), None)
        self._flush()

    def _rows(self, rows: Iterable[Row], title: str | None) -> None:
        if self.format == "csv":
            self._csv(rows)
        else:
            self._table(list(rows), title)

    def _csv(self, rows: Iterable[Row]) -> None:
        import csv

        writer = None
        for row in rows:
            if writer is None:
                writer = csv.DictWriter(self._stream, list(row), lineterminator="\n", extrasaction="ignore")
                self._guard(writer.writeheader)
            self._guard(partial(writer.writerow, row))

    def _table(self, rows: Sequence[Row], title: str | None) -> None:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title, title_justify="left")
        names = list(dict.fromkeys(name for row in rows for name in row))
        for name in names:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*(Text(_cell(row.get(name))) for name in names))  # Text: brackets are no markup
        if rows:
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


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
