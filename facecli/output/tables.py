"""Tables for people: as wide as the terminal, with names shortened from the left and no number cut in two."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from facecli.system.streams import one_line

if TYPE_CHECKING:
    from rich.table import Table

Row = Mapping[str, object]
NAMES = ("source", "picture", "path", "file", "a", "b")  # columns whose end tells more than their beginning
CUT = ("summary",)  # columns whose beginning tells enough
LEAST = 16  # characters that such a cell keeps
FRAME = 3  # characters around a cell


def names_of(rows: Iterable[Row]) -> list[str]:
    """Return the names of all columns that occur in the rows, in the order of their first row."""
    return list(dict.fromkeys(name for row in rows for name in row))


def rendered(rows: Sequence[Row], title: str | None, stream: TextIO) -> str:
    """Return rows as a table of no more characters than the terminal behind a stream is wide, 80 where there is none.

    Where even the least of each column is wider, each row becomes several, of fields and values.
    """
    from rich.console import Console

    console = Console(file=stream)
    columns = {name: [_cell(row.get(name)) for row in rows] for name in names_of(rows)}
    with console.capture() as printed:  # rich itself would end the process with 1 when nobody reads any more
        console.print(_arranged(columns, title, console.width))
    return printed.get()


def _arranged(columns: Mapping[str, list[str]], title: str | None, width: int) -> Table:
    widths = {name: max(map(_wide, (name, *cells))) for name, cells in columns.items()}
    least = {name: min(own, _least(name, columns[name])) for name, own in widths.items()}
    room = width - FRAME * len(widths) - 1
    if sum(least.values()) <= room or len(widths) < 3:
        return _table(columns, _fitted(widths, least, room), title)
    fields: dict[str, list[str]] = {"field": [], "value": []}
    ends, wide = set(), width - 2 * FRAME - 1 - max(map(len, columns))
    for cells in zip(*columns.values(), strict=True):
        for name, cell in zip(columns, cells, strict=True):
            if cell:
                fields["field"].append(name)
                fields["value"].append(_shortened(name, cell, wide))
        ends.add(len(fields["field"]) - 1)
    return _table(fields, {"field": max(map(len, columns)), "value": wide}, title, ends)


def _least(name: str, cells: Sequence[str]) -> int:
    """Return how wide a column must be: a name can be shortened, a text wrapped, numbers neither."""
    if name in NAMES or name in CUT:
        return max(len(name), LEAST)
    texts = any(" " in cell and any(map(str.isalpha, cell)) for cell in cells)
    return max(_wide(word) for cell in (name, *cells) for word in (cell.split() if texts else [cell]) or [""])


def _fitted(widths: Mapping[str, int], least: Mapping[str, int], room: int) -> dict[str, int]:
    """Return the width of each column: the one furthest above its least gives a character, until all fit."""
    fitted = dict(widths)
    while (excess := sum(fitted.values()) - room) > 0:
        above = {name: fitted[name] - least[name] for name in fitted}
        giver = max(above, key=lambda name: above[name])
        if above[giver] == 0:  # a word is longer than all there is: the widest column breaks it
            widest = max(fitted, key=lambda name: fitted[name])
            fitted[widest] = max(1, fitted[widest] - excess)
            break
        fitted[giver] -= 1
    return fitted


def _table(
    columns: Mapping[str, list[str]], widths: Mapping[str, int], title: str | None, ends: Collection[int] = ()
) -> Table:
    """Return a table with columns of these widths. ends: rows with a line below."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(Text(one_line(name)), overflow="fold", width=max(1, widths[name]))
    for number, cells in enumerate(zip(*columns.values(), strict=True)):
        pairs = zip(columns, cells, strict=True)
        shown = (Text(_shortened(name, cell, widths[name])) for name, cell in pairs)  # Text: brackets are no markup
        table.add_row(*shown, end_section=number in ends)
    return table


def _shortened(name: str, cell: str, width: int) -> str:
    """Return a name without the beginning, a summary without the end that does not fit; other cells are wrapped."""
    if _wide(cell) <= width or name not in (*NAMES, *CUT):
        return cell
    kept = cell
    while _wide(kept) > width - 1:
        kept = kept[1:] if name in NAMES else kept[:-1]
    return f"…{kept}" if name in NAMES else f"{kept.rstrip()}…"


def _wide(text: str) -> int:
    """Return how many columns of a terminal a text takes: a Chinese character takes two."""
    from rich.cells import cell_len

    return cell_len(text)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {text}" for key, inner in value.items() if (text := _cell(inner)))
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_cell, value))
    return f"{value:.4g}" if isinstance(value, float) else one_line(str(value))
