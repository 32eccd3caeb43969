"""One line per event, to stderr: when, how bad, which logger, what happened, and the ids.

    2026-11-22T23:30:00.123Z INFO signum.api item marked item_record_id=450972567890 client="desk 1" request_id=9f0c1d…

On a terminal the same with the local time, in colours, and tracebacks as we know them; for a log collector
(LOG_FORMAT=json) one JSON object, with the ids and a traceback as members. Ids are given as
`extra={"item_record_id": …}`; the id of the HTTP request under way is added by itself. The process never waits for
the reader of its log: see runtime/stderr.py.
"""

import json
import logging
from contextvars import Context, ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

from runtime.stderr import DROPPED, write_stderr_in_background

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)

_OURS = ("signum", "uvicorn", "alembic.runtime.migration")  # heard from LOG_LEVEL on; all others from WARNING on
_NO_FIELDS = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "color_message"}
_COLOURS = {"DEBUG": "2", "INFO": "32", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;31"}


def configure_logging(level: str, form: Literal["text", "json"] = "text") -> None:
    """Log from `level` on. Libraries log from WARNING on: below that they are verbose, and may log secrets."""
    stderr = write_stderr_in_background()
    formatter = JsonFormatter() if form == "json" else LineFormatter(for_a_terminal=stderr.isatty())
    stderr.describe_dropped = lambda count: _dropped_line(formatter, count)
    handler = logging.StreamHandler(stderr)
    handler.setFormatter(formatter)
    lowest: int = logging.getLevelNamesMapping()[level]
    handler.setLevel(lowest)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(lowest, logging.WARNING))
    for name in _OURS:
        logging.getLogger(name).setLevel(lowest)
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # at an outage: each try of each connection
    logging.captureWarnings(True)


def _dropped_line(formatter: logging.Formatter, count: int) -> str:
    """The line with the number of dropped lines, formatted as part of no request; written at any LOG_LEVEL."""
    about = {"name": "signum.log", "levelno": logging.WARNING, "levelname": "WARNING", "msg": DROPPED, "args": (count,)}
    return Context().run(formatter.format, logging.makeLogRecord(about))


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """The event's ids: the record's `extra`, and the request under way if there is one."""
    found = {name: value for name, value in vars(record).items() if name not in _NO_FIELDS}
    under_way = request_id.get()
    if under_way is not None:
        found.setdefault("request_id", under_way)
    return found


class LineFormatter(logging.Formatter):
    """An event as one line. No message or field can end the line or begin another."""

    def __init__(self, *, for_a_terminal: bool) -> None:
        super().__init__()
        self._for_a_terminal = for_a_terminal

    def format(self, record: logging.LogRecord) -> str:
        """The event as a line."""
        return self._for_people(record) if self._for_a_terminal else self._plain(record)

    def _plain(self, record: logging.LogRecord) -> str:
        found = fields(record)
        if record.exc_info:
            found["traceback"] = self.formatException(record.exc_info)
        return " ".join((_moment(record), record.levelname, record.name, one_line(record.getMessage()), *_pairs(found)))

    def _for_people(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S.%f")[:-3]
        level = f"\033[{_COLOURS.get(record.levelname, '0')}m{record.levelname:<8}\033[0m"
        pairs = " ".join(_pairs(fields(record)))
        line = f"{moment} {level} {one_line(record.getMessage())}" + (f"  \033[2m{pairs}\033[0m" if pairs else "")
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """An event as a JSON object on one line: time, level, logger, message, traceback if there is one, and the ids."""

    def format(self, record: logging.LogRecord) -> str:
        """The event as a line. Values that JSON has no form for are written as text."""
        event = {
            "time": _moment(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            event["traceback"] = self.formatException(record.exc_info)
        event = {**event, **fields(record), **event}  # these names are ours, whatever an id is called
        try:
            return json.dumps(event, default=str, allow_nan=False)
        except (TypeError, ValueError):  # keys that are no text, circles, NaN
            return json.dumps({name: str(value) for name, value in event.items()})


def _moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def one_line(text: str) -> str:
    """The text with everything escaped that is not printable: line ends, control characters, lone surrogates."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _pairs(found: dict[str, Any]) -> list[str]:
    return [f"{name}={_quoted(str(value))}" for name, value in found.items()]


def _quoted(value: str) -> str:
    """The value as it is where it is one plain word, else in double quotes."""
    plain = value and value.isprintable() and not any(c in value for c in ' "=')
    return value if plain else one_line(json.dumps(value, ensure_ascii=False))
