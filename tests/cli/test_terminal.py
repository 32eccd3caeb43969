"""No text from elsewhere steers the terminal, whichever command shows it; in JSON it is exactly what it is."""

import json
import re
import shlex
import socket

import pytest

from cli import output
from tests.cli.test_json import commands
from tests.docs.markdown import HOUSE
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread, make_record
from tests.fix_signum import Signum

RED = "\x1b[31mred\x9b1m\u202ered\u2028\r\n\t\u200b"  # as a title of the catalogue's or a reason of Sierra's may be
BARCODE, NUMBER = "12312312300001", "2043111"
STEERS = re.compile(r"[^\n -~\xa1-\U0010ffff]|[\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
LINES = {
    ("config",): "",
    ("doctor",): "",
    ("preview",): BARCODE,
    ("history",): BARCODE,
    ("revert",): "1",
    ("acts",): "",
    ("progress",): "--by location",
    ("queue", "list"): "",
    ("queue", "mark"): f"--barcode {BARCODE} --by aino",
    ("queue", "retry"): "--reason red",
    ("queue", "dismiss"): "--reason red --yes",
    ("queue", "not-shown"): "",
    ("queue", "status"): "",
    ("queue", "pause"): "--reason x --by 'a\x1bb'",
    ("queue", "resume"): "",
    ("client", "list"): "",
    ("client", "add"): "'desk\x1b' --type etl",
    ("client", "revoke"): "'desk\x1b'",
    ("client", "rotate"): "'desk\x1b'",
    ("person", "list"): "",
    ("person", "add"): "'aino\x1b' --role viewer",
    ("person", "revoke"): "'aino\x1b'",
    ("person", "rotate"): "'aino\x1b'",
    ("sync", "status"): "",
    ("sync", "restart"): "",
    ("sync", "allow-deletions"): "--yes",
    ("notifier",): "--check",
}
# `api` and `console` print nothing; the others have tests of their own, and print by the same functions.
ELSEWHERE = {
    ("api",),
    ("console",),
    ("migrate",),
    ("import-predecessor",),
    ("etl", "once"),
    ("etl", "doctor"),
    ("etl", "export"),
}
FILL = f"""
INSERT INTO progress_count VALUES (%(red)s, '', '', 0, 1, 0, 0);
INSERT INTO update_queue (item_record_id, queued_by, due_at, last_error) SELECT item_record_id, %(red)s, NULL, %(red)s
FROM sierra_item;
INSERT INTO update_log (
    item_record_id, item_number, barcode, title, queued_at, queued_by, finished_by, outcome, attempts,
    call_number_before, call_number_after, error
) VALUES (1, %(red)s, '{BARCODE}', %(red)s, now(), %(red)s, %(red)s, 'pushed', 1, %(red)s, %(red)s || '2', %(red)s);
INSERT INTO client (client_name, client_type, api_key_sha256, api_key_prefix, internal_hostname)
VALUES (%(red)s, 'etl', sha256('x'), 'sig_', %(red)s);
UPDATE queue_control SET paused_at = now(), paused_by = %(red)s, reason = %(red)s;
INSERT INTO act (person, through, action, target, number, result)
VALUES (%(red)s, 'command', %(red)s, jsonb_build_object(%(red)s::text, %(red)s::text), 1, %(red)s);
INSERT INTO notifier_state (notifier, mode, breaker, reason, looped_at)
VALUES ('{socket.gethostname()}:' || %(red)s, 'polling', 'open', %(red)s, now());
"""


@pytest.fixture
def run(signum: Signum, sierra: SierraInThread, database: TestDatabase) -> Signum:
    """Run one of the lines, where every text there is would steer a terminal."""
    database.add_item(int(NUMBER), item_record_id=1, barcode=BARCODE, best_title=RED, classification="84.31" + RED)
    sierra.add(make_record(NUMBER, "84.2 " + RED))
    with database.connect() as connection:
        for statement in FILL.split(";\n"):
            connection.execute(statement, {"red": RED})
    settings = {
        "SIERRA_API_ENDPOINT": sierra.endpoint,
        "SIERRA_API_CLIENT_KEY": sierra.key,
        "SIERRA_API_CLIENT_SECRET": sierra.secret,
        "SENTRY_RELEASE": RED.strip(),
    }
    return lambda words, *more: signum(*words, *shlex.split(LINES[words]), *more, settings=settings)


def test_every_command_is_tried_here() -> None:
    assert {words for words, _ in commands()} == {*LINES} | ELSEWHERE


@pytest.mark.parametrize("words", LINES, ids=" ".join)
def test_output_of_a_command_does_not_steer_the_terminal(run: Signum, words: str) -> None:
    ran = run(words)
    assert STEERS.findall(ran.out + ran.err) == []
    as_json = run(words, "--json")
    assert STEERS.findall(as_json.out + as_json.err) == []
    if as_json.out:
        json.loads(as_json.out)


def test_in_json_a_text_is_exactly_what_it_is_and_else_its_escapes_are_seen(run: Signum) -> None:
    (row,) = run(("queue", "list"), "--json").json
    assert (row["title"], row["reason"], row["queued_by"]) == (RED, RED, RED)
    assert r"\x1b[31mred\x9b1m\u202ered\u2028\r\n\t\u200b" in run(("queue", "list")).out


def test_message_of_postgresql_does_not_steer_the_terminal(signum: Signum) -> None:
    ran = signum("queue", "list", settings={"DB_NAME": "no\x1b[31mne"})
    assert (ran.code, STEERS.findall(ran.err)) == (3, [])
    assert r"no\x1b[31mne" in ran.err


def test_all_that_the_commands_print_goes_through_one_module() -> None:
    printing = re.compile(r"\b(?:print|typer\.echo|typer\.secho|typer\.confirm|\.write)\(")
    files = [file for file in sorted((HOUSE / "cli").glob("*.py")) if printing.search(file.read_text(encoding="utf-8"))]
    assert [file.name for file in files] == [f"{output.__name__.partition('.')[2]}.py"]
