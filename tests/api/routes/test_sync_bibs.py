"""An item on several bibs keeps the class of the highest, also where only a lower one was edited."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from tests.fix_api import ApiClient, detail
from tests.fix_batch import FIRST_ID, Row, Send, row
from tests.fix_postgres import TestDatabase

LOW, HIGH, HIGHER = 420_907_800_051, 420_907_800_551, 420_907_800_999
LATER = "2026-11-20T12:30:00+02:00"
LATEST = "2026-11-20T12:45:00+02:00"


def on(bib: int, class_: str, number: int = 1, **cells: str) -> Row:
    return row(number, bib_record_id=str(bib), classification=class_, **cells)


def item(database: TestDatabase, columns: str = "bib_record_id, classification, bib_record_ids") -> tuple[Any, ...]:
    return database.fetch(f"SELECT {columns} FROM sierra_item WHERE item_record_id = %s", FIRST_ID + 1)[0]


@pytest.fixture
def noted(etl: ApiClient, send: Send) -> None:
    """The full sync brought item 1 on two bibs and item 2 on one, and is complete."""
    etl.get("/sync")
    send([on(LOW, "10"), on(HIGH, "20"), on(LOW, "10", number=2)])
    etl.get("/sync")


@pytest.mark.usefixtures("noted")
def test_full_sync_notes_the_bibs_of_an_item_that_has_several(database: TestDatabase) -> None:
    assert item(database) == (HIGH, "20", [LOW, HIGH])
    assert database.fetch("SELECT bib_record_ids FROM sierra_item ORDER BY item_record_id")[1] == (None,)


@pytest.mark.usefixtures("noted")
def test_change_of_the_lower_bib_changes_nothing(send: Send, database: TestDatabase) -> None:
    before = item(database, "ctid, xmin, updated_at")
    answer = send([on(LOW, "11")], timestamp=LATER).json()
    assert (answer["upserted"], answer["written"], answer["unchanged"]) == (1, 0, 1)
    assert item(database) == (HIGH, "20", [LOW, HIGH])
    assert item(database, "ctid, xmin, updated_at") == before


@pytest.mark.usefixtures("noted")
@pytest.mark.parametrize(
    ("bib", "number"), [(HIGH, 1), (HIGHER, 1), (LOW - 1, 1), (LOW - 1, 2)], ids=["same", "new", "unknown", "only one"]
)
def test_every_other_change_is_taken_and_notes_nothing(
    send: Send, database: TestDatabase, bib: int, number: int
) -> None:
    noted_before = database.fetch("SELECT bib_record_ids FROM sierra_item ORDER BY item_record_id")
    assert send([on(bib, "30", number)], timestamp=LATER).json()["written"] == 1
    stored = "SELECT bib_record_id FROM sierra_item WHERE classification = '30'"
    assert database.fetch(stored) == [(bib,)]
    assert database.fetch("SELECT bib_record_ids FROM sierra_item ORDER BY item_record_id") == noted_before


@pytest.mark.usefixtures("noted")
def test_batch_with_changes_since_is_taken_and_the_note_is_gone(send: Send, database: TestDatabase) -> None:
    send([on(LOW, "11")], timestamp=LATER, changes_since="2026-11-20T12:00:00+02:00")
    assert item(database) == (LOW, "11", None)


@pytest.mark.usefixtures("noted")
def test_unchanged_row_with_changes_since_takes_the_note_away_once(send: Send, database: TestDatabase) -> None:
    for timestamp, written in ((LATER, 1), (LATEST, 0)):
        answer = send([on(HIGH, "20")], timestamp=timestamp, changes_since="2026-11-20T12:00:00+02:00").json()
        assert answer["written"] == written
    assert item(database) == (HIGH, "20", None)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-20T12:00:00", "1700000000"])
def test_changes_since_that_is_no_time_is_refused(send: Send, database: TestDatabase, text: str) -> None:
    answer = send([row(1)], changes_since=text)
    assert answer.status_code == 422
    assert detail(answer)[0]["loc"] == ["body", "changes_since"]
    assert database.fetch("SELECT * FROM sierra_item") == []


@pytest.mark.usefixtures("noted")
def test_next_full_sync_notes_anew_and_rewrites_only_what_is_different(
    etl: ApiClient, send: Send, database: TestDatabase
) -> None:
    for rows, written, ids in (
        ([on(LOW, "10"), on(HIGH, "20")], 0, [LOW, HIGH]),
        ([on(LOW, "10"), on(HIGH, "20"), on(LOW + 1, "15")], 1, [LOW, LOW + 1, HIGH]),
        ([on(HIGH, "20")], 1, None),
    ):
        database.fetch("UPDATE sync_state SET full_sync_requested_at = now()")
        etl.get("/sync")
        assert send(rows, timestamp=LATER).json()["written"] == written
        assert item(database) == (HIGH, "20", ids)


@pytest.mark.usefixtures("noted")
def test_batch_that_answers_a_get_before_the_restart_notes_nothing(send: Send, database: TestDatabase) -> None:
    database.fetch("UPDATE sync_state SET full_sync_requested_at = now()")
    send([on(LOW, "11")], timestamp=LATER)
    assert item(database) == (HIGH, "20", [LOW, HIGH])


def test_bib_whose_row_was_refused_is_noted_too(etl: ApiClient, send: Send, database: TestDatabase) -> None:
    etl.get("/sync")
    send([on(LOW, "10", itype_code_num="x"), on(HIGH, "20")])
    etl.get("/sync")
    send([on(LOW, "11")], timestamp=LATER)
    assert item(database) == (HIGH, "20", [LOW, HIGH])


@pytest.mark.usefixtures("noted")
def test_lower_bib_does_not_stand_in_for_one_that_was_refused_nor_is_the_refusal_forgotten(
    etl: ApiClient, send: Send, database: TestDatabase
) -> None:
    database.fetch("UPDATE sync_state SET full_sync_requested_at = now()")
    etl.get("/sync")
    send([on(LOW, "11"), on(HIGH, "21", itype_code_num="x")], timestamp=LATER)
    etl.get("/sync")
    send([on(LOW, "12")], timestamp=LATEST)
    assert item(database) == (HIGH, "20", [LOW, HIGH])
    assert database.fetch("SELECT reason_code FROM rejected_row") == [("itype_code_num",)]


@pytest.mark.usefixtures("noted")
@pytest.mark.parametrize("low_is_refused", [False, True], ids=["the highest", "all of them"])
def test_bibs_are_noted_also_of_an_item_that_takes_no_row_for_they_were_refused(
    etl: ApiClient, send: Send, database: TestDatabase, low_is_refused: bool
) -> None:
    database.fetch("UPDATE sierra_item SET bib_record_ids = NULL")
    database.fetch("UPDATE sync_state SET full_sync_requested_at = now()")
    etl.get("/sync")
    low = on(LOW, "11", itype_code_num="x" if low_is_refused else "1")
    assert send([low, on(HIGH, "21", itype_code_num="x")], timestamp=LATER).json()["written"] == 0
    etl.get("/sync")
    send([on(LOW, "12")], timestamp=LATEST)
    assert item(database) == (HIGH, "20", [LOW, HIGH])
    assert database.fetch("SELECT reason_code FROM rejected_row") == [("itype_code_num",)]


@pytest.mark.usefixtures("noted")
def test_note_is_gone_also_where_the_row_of_the_only_bib_left_was_refused(
    etl: ApiClient, send: Send, database: TestDatabase
) -> None:
    database.fetch("UPDATE sync_state SET full_sync_requested_at = now()")
    etl.get("/sync")
    send([on(LOW, "11", itype_code_num="x")], timestamp=LATER)
    etl.get("/sync")
    send([on(LOW, "12")], timestamp=LATEST)
    assert item(database) == (LOW, "12", None)


@dataclass
class Shelf:
    """Sierra's bibs of some items, and each bib's class. Edits since the last run are remembered."""

    random: Random
    bibs: dict[int, list[int]]
    classes: dict[int, int] = field(default_factory=dict)
    edited: set[int] = field(default_factory=set)

    def edit(self) -> None:
        """Give some bibs another class."""
        for bib in self.random.sample(sorted({bib for bibs in self.bibs.values() for bib in bibs}), 40):
            self.classes[bib] = self.classes.get(bib, 0) + 1
            self.edited.add(bib)

    def rows(self, bibs_of: dict[int, list[int]]) -> list[Row]:
        """A row for each item and bib."""
        return [on(b, str(self.classes.get(b, 0)), number) for number, bibs in bibs_of.items() for b in bibs]

    def changes(self) -> list[Row]:
        """The rows of the deployed ETL's change run: of each item the highest of those bibs that were edited."""
        found = {number: max(self.edited.intersection(bibs), default=0) for number, bibs in self.bibs.items()}
        self.edited.clear()
        return self.rows({number: [bib] for number, bib in found.items() if bib})


@pytest.mark.parametrize("seed", range(3))
def test_label_has_the_class_of_the_highest_bib_whatever_is_edited(
    etl: ApiClient, send: Send, database: TestDatabase, seed: int
) -> None:
    random = Random(seed)
    shelf = Shelf(
        random, {number: random.sample(range(1, 200), random.choice((1, 1, 2, 3))) for number in range(1, 400)}
    )
    etl.get("/sync")
    send(shelf.rows(shelf.bibs))
    etl.get("/sync")
    for minute in range(1, 8):
        shelf.edit()
        send(shelf.changes(), timestamp=f"2026-11-20T12:{minute:02}:00+02:00")
        highest = {FIRST_ID + number: str(shelf.classes.get(max(bibs), 0)) for number, bibs in shelf.bibs.items()}
        assert dict(database.fetch("SELECT item_record_id, classification FROM sierra_item")) == highest
