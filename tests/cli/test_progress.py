"""signum progress: how much of the relabelling is done, by collection, day and desk, and when it ends."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.fix_postgres import TestDatabase
from tests.fix_signum import Signum


def today() -> date:
    return datetime.now(UTC).date()


@pytest.fixture
def counted(database: TestDatabase) -> None:
    """Two collections and a day's work."""
    database.fetch(
        "INSERT INTO progress_count VALUES"
        " ('Helsinki', 'Kirja', 'Kirja', 5, 10, 1, 0), ('Helsinki', 'Lehti', 'Lehti', 1, 20, 0, 0),"
        " ('Espoo', 'Kirja', 'Kirja', 7, 12, 0, 0)"
    )
    database.fetch("INSERT INTO progress_day VALUES (%s, 'desk 1', 30, 21)", today() - timedelta(1))


@pytest.mark.usefixtures("counted")
def test_overview_tells_pace_and_end(signum: Signum) -> None:
    told = signum("progress", "--json").json
    assert (told["done"], told["to_do"], told["pushed"], told["relabelled"]) == (13, 42, 30, 21)
    assert (told["a_day"], told["ends_on"]) == (21.0, str(today() + timedelta(2)))
    assert str(today() + timedelta(2)) in signum("progress").out


@pytest.mark.usefixtures("counted")
@pytest.mark.parametrize(
    ("by", "column", "to_do"),
    [
        ("location", "location", {"Helsinki": 30, "Espoo": 12}),
        ("item-type", "item_type", {"Kirja": 22, "Lehti": 20}),
        ("material", "material", {"Kirja": 22, "Lehti": 20}),
    ],
)
def test_counts_are_told_by_each_part_the_most_to_do_first(
    signum: Signum, by: str, column: str, to_do: dict[str, int]
) -> None:
    rows = signum("progress", "--by", by, "--json").json
    assert [(row[column], row["to_do"]) for row in rows] == list(to_do.items())
    assert all(row["counted_at"] for row in rows)
    assert len(signum("progress", "--by", "collection", "--json").json) == 3


@pytest.mark.usefixtures("counted")
def test_days_are_told_by_desk(signum: Signum) -> None:
    day = {"day": str(today() - timedelta(1)), "desk": "desk 1", "pushed": 30, "relabelled": 21}
    assert signum("progress", "--by", "day", "--json").json == [day]
    assert signum("progress", "--by", "day", "--days", "1", "--json").json == []


@pytest.mark.usefixtures("counted")
def test_each_part_is_a_file_for_a_spreadsheet(signum: Signum) -> None:
    head, *rows = signum("progress", "--by", "location", "--csv").out.splitlines()
    assert head.startswith('"location","done","to_do",')
    assert [row.partition(",")[0] for row in rows] == ['"Helsinki"', '"Espoo"']
    assert signum("progress", "--csv").out.count("\n") == 2
    assert f'"{today() - timedelta(1)}","desk 1",30,21' in signum("progress", "--by", "day", "--csv").out


def test_before_the_first_count_that_is_said(signum: Signum) -> None:
    assert "nothing has been counted yet" in signum("progress").out
    assert "a notifier does that" in signum("progress", "--by", "location").out
