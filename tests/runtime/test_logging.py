"""A log line is one line, whatever is in it."""

import io
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from runtime.logging import JsonFormatter, LineFormatter, configure_logging, request_id

log = logging.Logger("signum.test")  # apart from all others: pytest's report can't carry all that is tried here


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """The text that is logged, as it is written where there is no terminal."""
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    handler.setFormatter(LineFormatter(for_a_terminal=False))
    log.addHandler(handler)
    yield heard
    log.removeHandler(handler)


def test_event_is_a_line_with_its_ids(lines: io.StringIO) -> None:
    log.info("item %s", "marked", extra={"item_record_id": 450972567890, "client": "desk 1"})
    when, rest = lines.getvalue().split(" ", 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", when)
    assert rest == 'INFO signum.test item marked item_record_id=450972567890 client="desk 1"\n'


def test_request_under_way_is_named(lines: io.StringIO) -> None:
    token = request_id.set("9f0c1d")
    log.info("item marked")
    request_id.reset(token)
    log.info("swept")
    first, second = lines.getvalue().splitlines()
    assert first.endswith(" item marked request_id=9f0c1d")
    assert second.endswith(" swept")


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\u2028b", "\x1b[31mred", "a\0b", "\udc80", 'say "x=1"', ""])
def test_nothing_in_a_message_or_field_can_end_the_line(lines: io.StringIO, text: str) -> None:
    log.info("heard %s", text, extra={"text": text})
    (line,) = lines.getvalue().splitlines()
    assert line.isprintable()


def test_field_in_quotes_can_be_read_back(lines: io.StringIO) -> None:
    log.info("heard", extra={"text": 'a "b"=c\n'})
    assert json.loads(lines.getvalue().partition("text=")[2]) == 'a "b"=c\n'


def test_error_is_one_line_with_its_traceback(lines: io.StringIO) -> None:
    try:
        raise ValueError("no\nsuch item")
    except ValueError:
        log.exception("push failed", extra={"item_number": "2043111"})
    (line,) = lines.getvalue().splitlines()
    assert 'ERROR signum.test push failed item_number=2043111 traceback="Traceback' in line
    assert "ValueError: no" in line


def test_terminal_gets_colours_and_tracebacks_as_we_know_them() -> None:
    record = logging.makeLogRecord({"msg": "push failed", "levelname": "ERROR", "item_number": "2043111"})
    try:
        raise ValueError("no such item")
    except ValueError:
        record.exc_info = sys.exc_info()
    first, *others = LineFormatter(for_a_terminal=True).format(record).splitlines()
    assert "\033[31mERROR" in first
    assert "item_number=2043111" in first
    assert others[0] == "Traceback (most recent call last):"
    assert others[-1] == "ValueError: no such item"


def as_json(**parts: Any) -> dict[str, Any]:
    """The event as a log collector reads it."""
    line = JsonFormatter().format(logging.makeLogRecord({"name": "signum.test", "levelname": "INFO", **parts}))
    assert "\n" not in line
    event: dict[str, Any] = json.loads(line, parse_constant=pytest.fail)
    return event


def test_event_as_json_has_its_ids_as_members_and_its_traceback_in_one() -> None:
    try:
        raise ValueError("no\nsuch item")
    except ValueError:
        event = as_json(msg="push %s", args=("failed",), item_number="2043111", attempts=3, exc_info=sys.exc_info())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event.pop("time"))
    assert event.pop("traceback").splitlines()[-2:] == ["ValueError: no", "such item"]
    assert event == {
        **{"level": "INFO", "logger": "signum.test", "message": "push failed"},
        **{"item_number": "2043111", "attempts": 3},
    }


@pytest.mark.parametrize("odd", [float("nan"), object(), {(1, 2): 3}, "\udc80", "a\nb", b"\xff", datetime.now(UTC)])
def test_no_field_keeps_an_event_from_being_json(odd: object) -> None:
    assert isinstance(as_json(msg="heard", field=odd)["field"], str | dict)


def test_no_field_takes_the_place_of_what_every_event_has() -> None:
    assert as_json(msg="heard", level="high", logger="me", time=0)["level"] == "INFO"


SPEAK = """
import logging, warnings
from runtime.logging import configure_logging
configure_logging("{level}")
migrations, plugins = "alembic.runtime.migration", "alembic.runtime.plugins"
for name in ("signum.api", "uvicorn.error", migrations, "httpx", "sqlalchemy.engine", plugins):
    for level in (10, 20, 30, 40):
        logging.getLogger(name).log(level, "heard")
warnings.warn("old", DeprecationWarning, stacklevel=1)
print("answer")
"""


@pytest.mark.parametrize(
    ("level", "ours", "others"),
    [
        ("DEBUG", ["DEBUG", "INFO", "WARNING", "ERROR"], ["WARNING", "ERROR"]),
        ("WARNING", ["WARNING", "ERROR"], ["WARNING", "ERROR"]),
        ("ERROR", ["ERROR"], ["ERROR"]),
    ],
)
def test_level_is_ours_and_libraries_are_heard_from_warning_on(level: str, ours: list[str], others: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SPEAK.format(level=level)], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "answer\n"
    heard = [line.split(" ")[1:3] for line in done.stderr.splitlines() if line.endswith(" heard")]
    expected = dict.fromkeys(("signum.api", "uvicorn.error", "alembic.runtime.migration"), ours)
    expected |= dict.fromkeys(("httpx", "sqlalchemy.engine", "alembic.runtime.plugins"), others)
    assert heard == [[level, name] for name, levels in expected.items() for level in levels]
    assert all(re.match(r"\d{4}-", line) for line in done.stderr.splitlines())


def test_configuring_twice_says_things_once(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", root.handlers)
    for _ in range(2):
        configure_logging("INFO")
    assert len(root.handlers) == 1
