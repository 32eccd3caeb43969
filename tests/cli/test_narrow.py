"""Tables on a terminal of any width: no number and no time is broken or cropped, no line is longer than the screen."""

import re
import socket
import sys

import pytest
from rich.cells import cell_len

from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread
from tests.fix_signum import Ran, Signum

BARCODE, NUMBER = "33010002043111", 2043111
WIDTHS = [60, 80, 120, 200]
FILL = f"""
INSERT INTO update_queue (item_record_id, queued_by, due_at, attempts, last_error)
SELECT item_record_id, 'desk 1, children''s department', NULL, 3, 'Sierra refused item {NUMBER}: 400 unknown field: x'
FROM sierra_item WHERE item_number = '{NUMBER}';
INSERT INTO update_queue (item_record_id, due_at) SELECT item_record_id, '2027-01-02 10:04:05+00' FROM sierra_item
WHERE item_number <> '{NUMBER}';
INSERT INTO update_log (
    item_record_id, item_number, barcode, title, queued_at, queued_by, finished_at, finished_by, outcome, attempts,
    call_number_before, call_number_after, error
) VALUES (1, '{NUMBER}', '{BARCODE}', 'x', now(), 'desk 1', '2026-11-25 10:11:12+00', 'n1', 'pushed', 1,
    '84.2 Jännitys, suuraakkoset', '84.31 Jännitys, suuraakkoset', NULL);
INSERT INTO client (client_name, client_type, api_key_sha256, api_key_prefix, internal_hostname, internal_ip_address)
VALUES ('desk 1', 'signum-printer', sha256('x'), 'sig_AbCd', 'children-1.library.example.org', '192.168.100.101');
UPDATE sync_state SET sync_changes_since = '2026-11-25 10:11:12+00',
    gap_from = '2026-11-01 10:11:12+00', gap_until = '2026-11-02 10:11:12+00';
INSERT INTO notifier_state (notifier, mode, breaker, reason, looped_at)
VALUES ('{socket.gethostname()}:4711:beef', 'listening', 'open', 'Sierra is busy: try again in an hour', now());
"""
SHOWN = {
    "queue list": [BARCODE, str(NUMBER), "2043112", "2027-01-02 "],
    f"history {BARCODE}": ["2026-11-25 ", "desk 1", "pushed"],
    "client list": ["192.168.100.101", "sig_AbCd", "children-1.library.example.org"],
    "sync status": ["2026-11-25 ", "2026-11-01 ", "2026-11-02 "],
    "queue status": [f"{socket.gethostname()}:4711:beef", "2027-01-02 "],
    "doctor": ["PostgreSQL"],
    "config": ["signum-savotta@1.0.0+build.4711", "SIERRA_UPDATE_MISFIRE_GRACE_TIME_SECONDS"],
}
WHOLE_TIME = r"\d\d:\d\d:\d\d[+-]\d\d:\d\d"


@pytest.fixture
def run(signum: Signum, sierra: SierraInThread, database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> Signum:
    """Run one of the lines on a terminal of some width, where there is something of everything."""
    title = "Seitsemän veljestä ja heidän " + "pitkä " * 9
    database.add_item(NUMBER, item_record_id=1, barcode=BARCODE, best_title=title)
    database.add_item(2043112, best_title="Kaik Turust")
    for statement in FILL.split(";\n"):
        database.fetch(statement) if statement.strip() else None
    settings = {
        "SIERRA_API_ENDPOINT": sierra.endpoint,
        "SIERRA_API_CLIENT_KEY": sierra.key,
        "SIERRA_API_CLIENT_SECRET": sierra.secret,
        "SENTRY_RELEASE": "signum-savotta@1.0.0+build.4711",
        "TERM": "dumb",
    }

    def run(line: str, width: int) -> Ran:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        return signum(*line.split(), settings={**settings, "COLUMNS": str(width)})

    return run


@pytest.mark.parametrize("line", SHOWN)
def test_numbers_and_times_are_whole_at_any_width(run: Signum, line: str) -> None:
    for width in WIDTHS:
        shown = run(line, width).out
        assert [text for text in SHOWN[line] if text not in shown] == [], f"{width}: {shown}"
        times = [text for text in SHOWN[line] if re.fullmatch(r"\d{4}-\d\d-\d\d ", text)]
        assert [text for text in times if not re.search(text + WHOLE_TIME, shown)] == [], f"{width}: {shown}"
        assert [one for one in shown.splitlines() if cell_len(one) > width] == [], width


def test_on_a_narrow_terminal_each_item_is_a_block_without_its_empty_fields(run: Signum) -> None:
    wide, narrow = run("queue list", 400).out, run("queue list", 80).out
    assert len(wide.splitlines()) == 3
    assert f"\nbarcode      {BARCODE}\n" in narrow
    assert "revert of" not in narrow


def test_a_sentence_that_has_not_its_line_is_broken_between_its_words(run: Signum) -> None:
    found = run("doctor --json", 60).json
    words = {word for row in found for word in f"{row['text']} {row['advice']}".split() if word.isalpha()}
    shown = run("doctor", 60).out
    assert len(shown.splitlines()) > len(found) + 1
    assert {word for word in words if word not in shown} == set()
