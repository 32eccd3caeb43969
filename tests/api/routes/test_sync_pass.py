"""A pass compares all items: what a range lacks is deleted, unless it has changed since or nothing at all was found."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from api.ingest.rows import COLUMNS, DELETED_ON
from tests.fix_api import ApiClient, detail
from tests.fix_batch import FIRST_ID, TIMESTAMP, Row, Send, row, tsv
from tests.fix_postgres import TestDatabase
from tests.fix_signum import Signum
from tests.fix_sync import items, rows, state

EARLIER = "2026-11-20T11:59:00+02:00"
LATER = "2026-11-20T12:30:00+02:00"
LATEST = "2026-11-20T12:45:00+02:00"
DAY = "2026-11-20"
ALL = (0, (1 << 63) - 1)
MANY = 101

Pass = Callable[..., dict[str, Any]]


@pytest.fixture
def six(etl: ApiClient, send: Send) -> None:
    """Changes are asked for; there are items 1 to 6."""
    etl.get("/sync")
    send(rows(1, 2, 3, 4, 5, 6))
    etl.get("/sync")


@pytest.fixture
def compare(send: Send) -> Pass:
    """Send a range of a pass, from behind one item to another one; the answer."""

    def post(above: int, to: int, content: list[Row] | bytes, timestamp: str = LATER, **fields: str) -> dict[str, Any]:
        edges = {"all_from_id": FIRST_ID + above, "all_to_id": FIRST_ID + to, **fields}
        answer = send(content, timestamp=timestamp, changes_since=EARLIER, changes_until=EARLIER, fields=edges)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    return post


def counts(answer: dict[str, Any]) -> tuple[int, int]:
    return answer["deleted"], answer["deletions_held"]


def deleted(database: TestDatabase) -> list[int]:
    found = database.fetch(
        "SELECT item_record_id - %s FROM sierra_item WHERE deleted_on = %s ORDER BY 1", FIRST_ID, DAY
    )
    return [number for (number,) in found]


def held(database: TestDatabase) -> list[int]:
    found = database.fetch("SELECT item_record_id - %s FROM sierra_item WHERE deletion_held_on IS NOT NULL", FIRST_ID)
    return sorted(number for (number,) in found)


@pytest.mark.usefixtures("six")
def test_items_that_a_range_lacks_are_deleted_and_those_beside_it_are_not(
    compare: Pass, database: TestDatabase
) -> None:
    assert counts(compare(1, 5, rows(3))) == (3, 0)
    assert deleted(database) == [2, 4, 5]


@pytest.mark.usefixtures("six")
def test_an_item_that_never_came_is_found(compare: Pass, database: TestDatabase) -> None:
    answer = compare(0, 9, [*rows(1, 2, 3, 4, 5), row(6, item_type_name="Nide"), *rows(7)])
    assert (answer["written"], answer["deleted"]) == (2, 0)
    assert items(database, "item_type_name")[5:] == [("Nide",), ("Kirja",)]


@pytest.mark.usefixtures("six")
def test_an_item_changed_since_the_reading_is_left_alone(send: Send, compare: Pass, database: TestDatabase) -> None:
    send([row(2, best_title="Edited"), *rows(7)], timestamp=LATEST)
    assert counts(compare(0, 9, rows(1, 3, 4, 5))) == (1, 0)
    assert deleted(database) == [6]


@pytest.mark.usefixtures("six")
def test_an_older_pass_deletes_nothing(compare: Pass, database: TestDatabase) -> None:
    assert counts(compare(0, 9, rows(1), EARLIER)) == (0, 0)
    assert deleted(database) == []


@pytest.mark.usefixtures("six")
def test_a_repeated_range_changes_nothing(compare: Pass, database: TestDatabase) -> None:
    compare(0, 9, rows(1, 2), pass_complete="true")
    before = items(database, "ctid, xmin"), state(database, "passed_at")
    assert counts(compare(0, 9, rows(1, 2), pass_complete="true")) == (0, 0)
    assert (items(database, "ctid, xmin"), state(database, "passed_at")) == before


@pytest.mark.usefixtures("six")
def test_position_never_moves_by_a_pass(etl: ApiClient, send: Send, database: TestDatabase) -> None:
    before = etl.get("/sync").json()
    edges = {"all_from_id": FIRST_ID, "all_to_id": FIRST_ID + 6}
    for since in (None, TIMESTAMP, LATER):
        send(rows(1, 2), timestamp=LATEST, changes_since=since, changes_until=since, fields=edges)
        assert etl.get("/sync").json() == before
    assert state(database, "gap_from", "all_changes_until") == (None, None)


def test_a_range_is_no_page_of_a_full_sync(etl: ApiClient, send: Send) -> None:
    before = etl.get("/sync").json()
    assert send(rows(1), fields={"all_from_id": FIRST_ID, "all_to_id": FIRST_ID + 6}).json()["written"] == 1
    assert etl.get("/sync").json() == before


@pytest.mark.usefixtures("six")
def test_a_row_that_is_refused_is_there_and_one_without_a_readable_id_may_be_any(
    compare: Pass, database: TestDatabase
) -> None:
    assert counts(compare(0, 3, [row(1), row(2, itype_code_num="x")])) == (1, 0)
    assert deleted(database) == [3]
    assert counts(compare(3, 6, [row(4), row(5, item_record_id="x")])) == (0, 0)


@pytest.mark.usefixtures("six")
def test_a_row_with_a_deletion_is_no_item_that_was_found(compare: Pass, database: TestDatabase) -> None:
    gone = {**dict.fromkeys(COLUMNS, ""), "item_record_id": str(FIRST_ID + 1), DELETED_ON: DAY}
    assert counts(compare(0, 9, tsv([gone], [*COLUMNS, DELETED_ON]))) == (0, 6)
    assert held(database) == [1, 2, 3, 4, 5, 6]


@pytest.mark.usefixtures("six")
@pytest.mark.parametrize("others", [[], [9]])
def test_a_range_of_which_nothing_was_found_is_held_not_obeyed(
    compare: Pass, database: TestDatabase, caplog: pytest.LogCaptureFixture, others: list[int]
) -> None:
    with caplog.at_level(logging.WARNING, "signum.sync"):
        assert counts(compare(3, 6, rows(*others))) == (0, 3)
    (warning,) = [record.getMessage() for record in caplog.records]
    assert (
        f"3 deletions are held, for a pass found no item at all above item_record_id {FIRST_ID + 3}, up to" in warning
    )
    assert (deleted(database), held(database)) == ([], [4, 5, 6])
    compare(3, 6, rows(4, 5), LATEST)
    assert held(database) == [6]


@pytest.mark.usefixtures("six")
def test_a_range_that_is_empty_here_too_holds_nothing(compare: Pass, database: TestDatabase) -> None:
    assert counts(compare(6, 9, [])) == (0, 0)


def test_too_many_are_held_until_they_are_allowed(
    etl: ApiClient, send: Send, compare: Pass, signum: Signum, database: TestDatabase
) -> None:
    etl.get("/sync")
    send(rows(*range(1, 151)))
    assert counts(compare(0, 150, rows(*range(1 + MANY, 151)))) == (0, MANY)
    assert counts(compare(0, 150, rows(*range(1 + MANY, 151)), LATEST)) == (0, 0)
    signum("sync", "allow-deletions", "--yes")
    assert deleted(database) == list(range(1, 1 + MANY))


@pytest.mark.usefixtures("six")
def test_the_end_of_a_pass_is_handed_out_again(etl: ApiClient, compare: Pass, database: TestDatabase) -> None:
    assert "all_from_id" in etl.get("/sync").json()["accepts"]
    compare(0, 3, rows(1, 2, 3))
    assert etl.get("/sync").json()["passed_at"] is None
    compare(3, 9, rows(4, 5, 6), LATEST, pass_complete="true")
    assert etl.get("/sync").json()["passed_at"] in ("2026-11-20T10:45:00+00:00", LATEST)
    assert database.fetch("SELECT passed_at = %s FROM sync_overview", LATEST) == [(True,)]
    database.fetch("UPDATE sync_state SET full_sync_requested_at = now()")
    assert etl.get("/sync").json()["passed_at"] is not None


@pytest.mark.usefixtures("six")
def test_the_row_of_a_pass_is_of_the_highest_bib(compare: Pass, database: TestDatabase) -> None:
    database.fetch("UPDATE sierra_item SET bib_record_ids = ARRAY[1, bib_record_id]")
    compare(0, 1, [row(1, bib_record_id="1")])
    assert items(database, "bib_record_id, bib_record_ids")[0] == (1, None)


@pytest.mark.parametrize(
    ("fields", "named", "why"),
    [
        ({"all_from_id": "1"}, "all_to_id", "Field required beside all_from_id"),
        ({"all_to_id": "1"}, "all_from_id", "Field required beside all_to_id"),
        ({"all_from_id": "7", "all_to_id": "6"}, "all_to_id", "not above all_from_id"),
        ({"all_from_id": "7", "all_to_id": "7"}, "all_to_id", "not above all_from_id"),
        ({"all_from_id": "1_0", "all_to_id": "7"}, "all_from_id", "no whole number of 64 bits"),
        ({"all_from_id": "1", "all_to_id": str(1 << 63)}, "all_to_id", "no whole number of 64 bits"),
        ({"pass_complete": "true"}, "pass_complete", "needs all_from_id and all_to_id"),
        ({"all_from_id": "1", "all_to_id": "7", "pass_complete": "1"}, "pass_complete", "neither true nor false"),
        (
            {"all_from_id": "1", "all_to_id": "7", "changes_since": TIMESTAMP, "changes_until": LATER},
            "changes_until",
            "a pass moves no position",
        ),
        ({"all_from_id": "1", "all_to_id": "7", "changes_until": LATER}, "changes_until", "a pass moves no position"),
    ],
)
def test_half_a_range_and_contradictions_are_refused_and_nothing_is_stored(
    send: Send, database: TestDatabase, fields: dict[str, str], named: str, why: str
) -> None:
    answer = send(rows(1), timestamp=LATER, fields=fields)
    assert answer.status_code == 422
    assert detail(answer)[0]["loc"] == ["body", named]
    assert why in detail(answer)[0]["msg"]
    assert items(database) == []
