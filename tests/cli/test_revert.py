"""signum revert: a push is queued to be undone, or it is said why not and what to do."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.fix_postgres import TestDatabase
from tests.fix_signum import Signum

QUEUED = "SELECT item_record_id, queued_by, revert_of FROM update_queue ORDER BY 1"
CALL_NUMBERS = ("84.2 Jännitys", "84.31 Jännitys")


@pytest.fixture
def log(database: TestDatabase) -> Callable[..., str]:
    """Write a row of history of a new item; its id."""

    def write(number: int, outcome: str = "pushed", before: str = CALL_NUMBERS[0], after: str = CALL_NUMBERS[1]) -> str:
        item = database.add_item(number, item_record_id=number)
        ((update_log_id,),) = database.fetch(
            "INSERT INTO update_log (item_record_id, item_number, barcode, queued_at, queued_by, finished_by, outcome,"
            " attempts, call_number_before, call_number_after)"
            " VALUES (%s, %s, %s, now(), 'desk-1', 'notifier', %s, 1, %s, %s) RETURNING update_log_id",
            *(item, str(number), f"3301{number:010}", outcome, before, after),
        )
        return str(update_log_id)

    return write


def test_pushes_are_queued_to_be_undone_in_the_persons_name(
    signum: Signum, database: TestDatabase, log: Callable[..., str]
) -> None:
    ran = signum("revert", log(1001), log(1002))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "".join(
        f"item {number} gets '84.2 Jännitys' back for '84.31 Jännitys'\n" for number in (1001, 1002)
    )
    assert database.fetch(QUEUED) == [(1001, "aino", 1), (1002, "aino", 2)]
    assert "revert of" in signum("queue", "list").out


def test_the_id_is_the_one_that_history_shows(signum: Signum, database: TestDatabase, log: Callable[..., str]) -> None:
    undone = log(1001)
    shown = signum("history", "33010000001001").out.splitlines()
    assert shown[0].split()[:3] == ["update", "log", "id"]
    assert shown[1].split()[0] == undone
    (answer,) = signum("revert", undone, "--by", "Eino", "--json").json
    assert (answer["item_number"], answer["call_number_before"], answer["queued"]) == ("1001", "84.2 Jännitys", True)
    assert database.fetch(QUEUED) == [(1001, "Eino", int(undone))]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"outcome": "unchanged"}, "row 1 is unchanged: only what was pushed can be undone, find its row"),
        (
            {"before": "84.31", "after": "84.31"},
            "row 1 left the call number of item 1001 as it was: there is nothing to undo",
        ),
        (
            {"before": None},
            "item 1001 had no call number before, and Sierra's API can't take one away: delete it in Sierra",
        ),
    ],
)
def test_push_that_can_not_be_undone_is_refused_with_advice_and_the_others_are_queued(
    signum: Signum, database: TestDatabase, log: Callable[..., str], row: dict[str, Any], sentence: str
) -> None:
    ran = signum("revert", log(1001, **row), log(1002))
    assert (ran.code, ran.err) == (1, f"{sentence}\n")
    assert ran.out.startswith("item 1002 gets")
    assert [item for item, *_ in database.fetch(QUEUED)] == [1002]


def test_an_item_that_is_queued_already_is_left_as_it_is(
    signum: Signum, database: TestDatabase, log: Callable[..., str]
) -> None:
    undone = log(1001)
    signum("queue", "mark", "1001")
    ran = signum("revert", undone)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == ("item 1001 is in the queue: let it be pushed first, or dismiss it (signum queue dismiss 1001)\n")
    assert database.fetch(QUEUED) == [(1001, "aino", None)]


def test_an_item_that_has_left_the_catalogue_is_refused(
    signum: Signum, database: TestDatabase, log: Callable[..., str]
) -> None:
    undone = log(1001)
    database.fetch("DELETE FROM sierra_item")
    assert signum("revert", undone).err == "item 1001 is not in the catalogue any more: change it in Sierra\n"


def test_a_row_that_history_has_not_is_told(signum: Signum) -> None:
    ran = signum("revert", "4711", "--json")
    assert (ran.code, ran.json) == (1, [])
    assert ran.err == "history has no row 4711, or not any more: find the ids with signum history\n"
    for wrong in ("33010002043111x", "0", str(2**63)):
        assert signum("revert", wrong).code == 2
