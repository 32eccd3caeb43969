"""An ETL that brings what Sierra shows: columns are kept, and a push whose call number comes back is noted as shown."""

from datetime import UTC, datetime
from typing import Any

import pytest

from api.ingest.rows import COLUMNS, FURTHER_COLUMNS
from tests.fix_batch import FIRST_ID, Send, row, tsv
from tests.fix_postgres import TestDatabase
from tests.fix_sync import items

LATER = "2026-11-20T12:30:00+02:00"
LATEST = "2026-11-20T12:45:00+02:00"
SHOWN = {
    "item_call_number": "84.2 JÄN",
    "item_updated_at": "2026-11-20T11:00:00+02:00",
    "location_code": "hki",
    "location_name": "Helsinki",
}
STORED = ("84.2 JÄN", datetime(2026, 11, 20, 9, tzinfo=UTC), "hki", "Helsinki")
THE_FOUR = ", ".join(FURTHER_COLUMNS)


def file(*numbers: int, without: str = "", **cells: str) -> bytes:
    """Rows with the further columns, but one; `cells` says what is different about them."""
    further = {name: text for name, text in SHOWN.items() if name != without}
    changed = {name: text for name, text in cells.items() if name in COLUMNS}
    changed_further = {name: text for name, text in cells.items() if name in further}
    rows = [row(number, **changed) | further | changed_further for number in numbers]
    return tsv(rows, [*COLUMNS, *further])


def push(database: TestDatabase, number: int, after: str, outcome: str = "pushed") -> int:
    """A row of history of an item that was pushed with this call number."""
    ((update_log_id,),) = database.fetch(
        "INSERT INTO update_log"
        " (item_record_id, outcome, queued_at, queued_by, finished_by, attempts, call_number_before, call_number_after)"
        " VALUES (%s, %s, now(), 'a', 'n', 1, '1', %s) RETURNING update_log_id",
        FIRST_ID + number,
        outcome,
        after,
    )
    return int(update_log_id)


def shown(database: TestDatabase) -> list[Any]:
    return [found for (found,) in database.fetch("SELECT update_log_id FROM update_history WHERE shown_at <= now()")]


@pytest.mark.usefixtures("in_changes")
def test_columns_are_kept_and_come_back_unchanged_without_a_write(send: Send, database: TestDatabase) -> None:
    assert send(file(1), timestamp=LATER).json()["written"] == 1
    assert items(database, THE_FOUR)[0] == STORED
    assert send(file(1), timestamp=LATEST).json()["written"] == 0


@pytest.mark.usefixtures("in_changes")
def test_empty_cells_are_none(send: Send, database: TestDatabase) -> None:
    send(file(1), timestamp=LATER)
    send(file(1, **dict.fromkeys(SHOWN, "")), timestamp=LATEST)
    assert items(database, THE_FOUR)[0] == (None, None, None, None)


@pytest.mark.usefixtures("in_changes")
@pytest.mark.parametrize("column", FURTHER_COLUMNS)
def test_column_that_a_file_lacks_stays(send: Send, database: TestDatabase, column: str) -> None:
    send(file(1), timestamp=LATER)
    send(file(1, without=column, best_title="Edited", **dict.fromkeys(SHOWN, "")), timestamp=LATEST)
    kept = tuple(stored if name == column else None for name, stored in zip(FURTHER_COLUMNS, STORED, strict=True))
    assert items(database, THE_FOUR)[0] == kept


@pytest.mark.usefixtures("in_changes")
def test_files_of_the_deployed_etl_leave_them_all(send: Send, database: TestDatabase) -> None:
    send(file(1), timestamp=LATER)
    send([row(1, best_title="Edited")], timestamp=LATEST)
    assert items(database, "best_title, " + THE_FOUR)[0] == ("Edited", *STORED)


@pytest.mark.usefixtures("in_changes")
def test_loan_changes_nothing_here(send: Send, database: TestDatabase) -> None:
    send(file(1), timestamp=LATER)
    loan = file(1, item_updated_at="2026-11-20T12:40:00+02:00")
    assert send(loan, timestamp=LATEST).json()["written"] == 0
    send(file(1, item_updated_at="2026-11-20T12:41:00+02:00", location_code="tku"), timestamp=LATEST)
    assert items(database, "item_updated_at")[0] == (datetime(2026, 11, 20, 10, 41, tzinfo=UTC),)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("item_updated_at", "yesterday"),
        ("item_updated_at", "2026-11-20T12:00:00"),
        ("item_updated_at", "9999-12-31T23:59:59+00:00"),
        ("item_call_number", "84.2\0"),
        ("location_name", "\ud800"),
    ],
)
def test_cell_that_can_not_be_stored_refuses_its_row_alone(
    send: Send, database: TestDatabase, column: str, text: str
) -> None:
    answer = send(file(1, **{column: text}) + file(2).split(b"\n", 1)[1]).json()
    assert (answer["rejected"], answer["written"]) == (1, 1)
    assert column in answer["reasons"][0]


@pytest.mark.usefixtures("in_changes")
@pytest.mark.parametrize("timestamp", [LATER, "2026-11-20T09:00:00+02:00"], ids=["newer", "older"])
def test_push_whose_call_number_comes_back_is_shown(send: Send, database: TestDatabase, timestamp: str) -> None:
    pushed = push(database, 1, "84.2 JÄN")
    push(database, 2, "84.2 JÄN")
    assert send(file(1), timestamp=timestamp).json()["shown"] == 1
    assert shown(database) == [pushed]
    before = database.fetch("SELECT shown_at FROM update_log ORDER BY 1")
    assert send(file(1), timestamp=LATEST).json()["shown"] == 0
    assert database.fetch("SELECT shown_at FROM update_log ORDER BY 1") == before


@pytest.mark.usefixtures("in_changes")
def test_of_an_items_pushes_the_newest_with_the_text_is_shown(send: Send, database: TestDatabase) -> None:
    push(database, 1, "84.2 JÄN")
    second = push(database, 1, "84.2 JÄN")
    newest = push(database, 1, "85")
    push(database, 1, "84.2 JÄN", outcome="unchanged")
    send(file(1), timestamp=LATER)
    assert shown(database) == [second]
    send(file(1, item_call_number="85"), timestamp=LATEST)
    assert shown(database) == [second, newest]


@pytest.mark.usefixtures("in_changes")
def test_nothing_is_shown_by_another_text_an_empty_one_or_a_refused_row(send: Send, database: TestDatabase) -> None:
    push(database, 1, "84.2 JÄN")
    push(database, 2, "")
    for content in (file(1, item_call_number="84.2"), file(2, item_call_number=""), file(1, itype_code_num="x")):
        assert send(content, timestamp=LATER).json()["shown"] == 0
    assert send([row(1)], timestamp=LATER).json()["shown"] == 0
    assert shown(database) == []
