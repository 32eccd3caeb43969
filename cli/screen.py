"""How is an answer shown? As a table for a person, or as JSON for a script, which then gets every field there is."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")]
Row = Mapping[str, Any]


def show_rows(rows: Sequence[Row], as_json: bool, columns: Sequence[str], *, if_none: str = "") -> None:
    """Rows below headings made of `columns`; `if_none` where there are none. As JSON: an array, maybe empty."""
    if as_json:
        show_json([dict(row) for row in rows])
    elif not rows:
        say(if_none)
    else:
        table = Table(*(_heading(column) for column in columns), header_style="bold", box=None, pad_edge=False)
        for row in rows:
            table.add_row(*(_cell(column, row[column]) for column in columns))
        _console().print(table)


def show_record(row: Row, as_json: bool) -> None:
    """One record, a line per field. As JSON: an object."""
    if as_json:
        show_json(dict(row))
        return
    table = Table.grid("", "", padding=(0, 2))
    for column, value in row.items():
        table.add_row(Text(_heading(column), style="bold"), _cell(column, value))
    _console().print(table)


def show_json(answer: object) -> None:
    """Exactly one JSON value on the standard output; times as ISO 8601."""
    all_of_unicode = "utf" in str(getattr(sys.stdout, "encoding", "")).lower()
    typer.echo(json.dumps(answer, ensure_ascii=not all_of_unicode, indent=2, default=datetime.isoformat))


def show_what_can_be() -> None:
    """From now on a character that the terminal's encoding has not is shown as `?`; in JSON it is escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def say(sentence: str) -> None:
    """The answer as a line."""
    typer.echo(sentence)


def aside(sentence: object) -> None:
    """A line for a person, apart from the answer: on the standard error."""
    typer.echo(str(sentence), err=True)


def _console() -> Console:
    """As wide as the terminal; in a pipe so wide that no line is broken."""
    shown_at_once = sys.stdout is not None and sys.stdout.isatty()  # None: it was closed before we began
    return Console(highlight=False, width=None if shown_at_once else 10_000)


def _heading(column: str) -> str:
    return column.removesuffix("_seconds").removesuffix("_at").replace("_", " ")


def _cell(column: str, value: object) -> Text:
    """A value as a person reads it: local time, ages in one unit, nothing that could steer the terminal."""
    if value is None:
        shown = ""
    elif isinstance(value, datetime):
        shown = f"{value.astimezone():%Y-%m-%d %H:%M:%S}"
    elif column.endswith("_seconds") and isinstance(value, int | float):
        shown = span(value)
    else:
        shown = "".join(character if character.isprintable() else "\ufffd" for character in str(value))
    return Text(shown, overflow="fold", no_wrap=isinstance(value, datetime))


def span(seconds: float) -> str:
    """A length of time in its largest unit: `85 ms`, `45 s`, `12 min`, `3 h`, `5 d`."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 2 else f"{seconds * 1000:.0f} ms"
