"""Prints results: for a person a table, or a block per row; for a script JSON with every field.

Every line that a command prints goes through here. An unprintable character is shown as an escape (`\\x1b`), so that no
text of Sierra's, the ETL's or PostgreSQL's can control the terminal or begin a line.
"""

import json
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from io import TextIOWrapper
from operator import methodcaller
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from runtime.logging import one_line
from runtime.spreadsheet import csv_lines

AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="As CSV, for a spreadsheet: with every field, as --json.")]
Row = Mapping[str, Any]

GAP = 2
NARROWEST_SENTENCE = 24  # where a table can't leave a sentence so many columns, there are blocks instead


def show_rows(
    rows: Sequence[Row], as_json: bool, columns: Sequence[str], *, if_none: str = "", as_csv: bool = False
) -> None:
    """Print rows below headings made of `columns`; a block per row where the terminal is too narrow for a table.

    Print `if_none` where there are no rows. As JSON: an array, maybe empty. In a pipe each row is one line. As CSV:
    headings and every field; of no rows, the `columns`.
    """
    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other")
    if as_csv:
        names = list(rows[0]) if rows else list(columns)
        for line in csv_lines([names, *([row[name] for name in names] for row in rows)]):
            typer.echo(line, nl=False)
    elif as_json:
        show_json([dict(row) for row in rows])
    elif not rows:
        print_out(if_none)
    else:
        headings = [Text(_heading(column)) for column in columns]
        cells = [[_cell(column, row[column]) for column in columns] for row in rows]
        widths = _fit([headings, *cells], _screen_width())
        if widths:
            _print_table(headings, cells, widths)
        else:
            _print_blocks(headings, cells)


def show_record(row: Row, as_json: bool) -> None:
    """Print one record, a line per field. As JSON: an object."""
    if as_json:
        show_json(dict(row))
    else:
        _print_block([(Text(_heading(column)), _cell(column, value)) for column, value in row.items()])


def show_json(result: object) -> None:
    """Print exactly one JSON value on the standard output: times as ISO 8601, unprintable characters escaped."""
    all_of_unicode = "utf" in str(getattr(sys.stdout, "encoding", "")).lower()
    text = json.dumps(
        result, ensure_ascii=not all_of_unicode, allow_nan=False, indent=2, default=methodcaller("isoformat")
    )
    typer.echo(re.sub(r"[^\n -~]", lambda found: _escaped_for_json(found[0]), text))


def _escaped_for_json(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


def replace_unencodable() -> None:
    """Show a character that the terminal's encoding lacks as `?` from now on; JSON escapes it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def print_out(*lines: str) -> None:
    """Print the result's lines on the standard output."""
    for line in lines:
        typer.echo(one_line(line))


def print_err(*lines: object) -> None:
    """Print lines for a person on the standard error, apart from the result."""
    for line in lines:
        typer.echo(one_line(str(line)), err=True)


def confirm(question: str, *, on_stderr: bool) -> None:
    """Ask a person, and exit with 1 unless the answer is yes. `on_stderr`: ask on the standard error."""
    typer.confirm(one_line(question), abort=True, err=on_stderr)


def clock(moment: datetime) -> str:
    """The local time with its offset, to the second."""
    return moment.astimezone().isoformat(sep=" ", timespec="seconds")


def span(seconds: float) -> str:
    """A length of time in its largest unit: `85 ms`, `45 s`, `12 min`, `3 h`, `5 d`."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 2 else f"{seconds * 1000:.0f} ms"


def _screen_width() -> int | None:
    """The columns of the terminal; None where the output is no terminal, so that lines may have any length."""
    is_terminal = sys.stdout is not None and sys.stdout.isatty()  # None: it was closed before we started
    return shutil.get_terminal_size().columns if is_terminal else None


def _heading(column: str) -> str:
    return column.removesuffix("_seconds").removesuffix("_at").replace("_", " ")


def _cell(column: str, value: object) -> Text:
    """A value for a person: local time with its offset, an age in one unit. Neither is broken over two lines."""
    if value is None:
        return Text("")
    if isinstance(value, datetime):
        return Text(clock(value), no_wrap=True)
    if column.endswith("_seconds") and isinstance(value, int | float):
        return Text(span(value), no_wrap=True)
    return Text(one_line(str(value)))


def _fit(rows: Sequence[Sequence[Text]], room: int | None) -> list[int] | None:
    """The width of each column of a table, or None if more than sentences would have to be broken."""
    columns = list(zip(*rows, strict=True))
    widths = [max(cell.cell_len for cell in column) for column in columns]
    if room is None:
        return widths
    room -= GAP * (len(columns) - 1)
    least = [max(_narrowest(cell) for cell in column) for column in columns]
    if sum(least) > room:
        return None
    widths = [min(width, room) for width in widths]
    while sum(widths) > room:
        widest = max((width, column) for column, width in enumerate(widths) if width > least[column])[1]
        widths[widest] -= 1
    return widths


def _narrowest(cell: Text) -> int:
    """The least width of a cell: a sentence can be broken between its words, all else can't."""
    is_sentence = " " in cell.plain and not cell.no_wrap
    return min(cell.cell_len, NARROWEST_SENTENCE) if is_sentence else cell.cell_len


def _print_table(headings: Sequence[Text], cells: Sequence[Sequence[Text]], widths: Sequence[int]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for heading, width in zip(headings, widths, strict=True):
        table.add_column(heading, width=width, overflow="fold")
    for row in cells:
        table.add_row(*row)
    _print(table, sum(widths) + GAP * len(widths))


def _print_blocks(headings: Sequence[Text], cells: Sequence[Sequence[Text]]) -> None:
    for row in cells:
        _print_block([(heading, cell) for heading, cell in zip(headings, row, strict=True) if cell.plain])
        print_out("")


def _print_block(fields: Sequence[tuple[Text, Text]]) -> None:
    """Print a line per field, the values below each other, broken only where one is wider than the terminal."""
    label = max((heading.cell_len for heading, _ in fields), default=0)
    value = max((cell.cell_len for _, cell in fields), default=0)
    room = _screen_width()
    if room is not None:
        value = min(value, max(room - label - GAP, NARROWEST_SENTENCE))
    table = Table.grid(padding=(0, GAP, 0, 0))
    table.add_column(width=label, style="bold")
    table.add_column(width=value, overflow="fold")
    for field in fields:
        table.add_row(*field)
    _print(table, label + value + 2 * GAP)


def _print(table: Table, width: int) -> None:
    """Print the table without trailing blanks."""
    # Given a width without a height, rich takes every dumb terminal for one of 80 columns.
    console = Console(highlight=False, width=width, height=25)
    with console.capture() as shown:
        console.print(table)
    for line in shown.get().splitlines():
        console.file.write(f"{line.rstrip()}\n")
