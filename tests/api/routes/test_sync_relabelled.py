"""A batch says of each item whether it is relabelled: whether an update would change nothing in its call number."""

import pytest

from api.ingest.rows import COLUMNS
from tests.fix_batch import Send, row, tsv
from tests.fix_postgres import TestDatabase
from tests.fix_sync import items

LATER = "2026-11-20T12:30:00+02:00"
LATEST = "2026-11-20T12:45:00+02:00"

pytestmark = pytest.mark.usefixtures("in_changes")


def file(call_number: str, classification: str = "84.31") -> bytes:
    cells = row(1, classification=classification) | {"item_call_number": call_number}
    return tsv([cells], [*COLUMNS, "item_call_number"])


def relabelled(database: TestDatabase) -> bool | None:
    (found,) = items(database, "is_relabelled")[0]
    assert found is None or isinstance(found, bool)
    return found


@pytest.mark.parametrize(
    ("call_number", "classification", "found"),
    [
        ("84.31 Jännitys", "84.31", True),
        (" 84.31", "84.31", True),
        ("84.2 Jännitys", "84.31", False),
        ("84.311", "84.31", False),
        ("", "84.31", False),
        ("84.31", "", None),
    ],
)
def test_item_is_relabelled_where_its_call_number_has_the_class_in_front(
    send: Send, database: TestDatabase, call_number: str, classification: str, found: bool | None
) -> None:
    assert send(file(call_number, classification), timestamp=LATER).json()["written"] == 1
    assert relabelled(database) is found
    assert send(file(call_number, classification), timestamp=LATEST).json()["written"] == 0


def test_another_call_number_or_class_is_judged_anew(send: Send, database: TestDatabase) -> None:
    send(file("84.2"), timestamp=LATER)
    send(file("84.31"), timestamp=LATER)
    assert relabelled(database) is True
    send(file("84.31", "85"), timestamp=LATER)
    assert relabelled(database) is False


def test_file_without_call_numbers_leaves_it_as_long_as_the_class_is_the_same(
    send: Send, database: TestDatabase
) -> None:
    send(file("84.31"), timestamp=LATER)
    send([row(1, classification="84.31", best_title="Edited")], timestamp=LATER)
    assert relabelled(database) is True
    send([row(1, classification="85")], timestamp=LATER)
    assert relabelled(database) is None
    send(file("84.31", "85"), timestamp=LATER)
    assert relabelled(database) is False


def test_what_an_older_release_left_is_put_right_when_the_item_comes_again(send: Send, database: TestDatabase) -> None:
    send(file("84.31"), timestamp=LATER)
    for left in ("NULL", "false"):
        database.fetch(f"UPDATE sierra_item SET is_relabelled = {left}")
        assert send(file("84.31"), timestamp=LATER).json()["written"] == 1
        assert relabelled(database) is True
