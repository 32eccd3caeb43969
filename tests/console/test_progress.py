"""The page of the progress: the counts, the pace and the end, or why none is told; charts have their numbers beside."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from console.charts import columns, stack
from console.pages.progress import NO_END
from tests.fix_console import ConsoleClient
from tests.fix_postgres import TestDatabase

TODAY = datetime.now(UTC).date()


@pytest.fixture
def counted(database: TestDatabase) -> None:
    """Two collections, and two days with a day of rest between them."""
    database.fetch(
        "INSERT INTO progress_count VALUES"
        " ('Helsinki', 'Kirja', '<b>Kirja</b>', 3000, 900, 1, 0), ('Espoo', 'Lehti', 'Lehti', 1000, 100, 0, 0)"
    )
    for ago, desk, pushed in ((1, "desk 1", 140), (3, "desk 1", 70), (3, "", 7)):
        database.fetch("INSERT INTO progress_day VALUES (%s, %s, %s, %s)", TODAY - timedelta(ago), desk, pushed, pushed)


@pytest.mark.usefixtures("counted")
def test_counts_pace_and_end_are_those_of_the_view(viewer: ConsoleClient, database: TestDatabase) -> None:
    ((ends_on, a_day),) = database.fetch("SELECT ends_on, a_day FROM progress_overview")
    page = viewer.page("/progress")
    assert f"{a_day:,} a day, all will be relabelled on {ends_on.day} {ends_on:%b %Y}" in page.replace("Sept", "Sep")
    assert "80.0%" in page.replace(" ", "").replace("\u00a0", "")
    assert ("Helsinki" in page, "3,000" in page, "by hand" in page) == (True, True, True)


@pytest.mark.usefixtures("counted")
def test_each_part_has_its_address(viewer: ConsoleClient) -> None:
    assert "Helsinki" not in viewer.page("/progress?by=item_type")
    page = viewer.get("/progress?by=collection").text
    assert ("Helsinki" in page, "&lt;b&gt;Kirja" in page, "<b>" in page) == (True, True, False)
    assert viewer.get("/progress?by=weather").status_code == 400


def test_why_no_end_is_told_is_said(viewer: ConsoleClient, database: TestDatabase) -> None:
    assert "No end is told: nothing has been counted yet." in viewer.page("/progress")
    database.fetch("INSERT INTO progress_count VALUES ('', '', '', 0, 0, 0, 9)")
    assert "the ETL brings no call numbers, so only what was pushed is known" in viewer.page("/progress")


def test_each_reason_of_the_view_is_translated(database: TestDatabase) -> None:
    ((view,),) = database.fetch("SELECT pg_get_viewdef('progress_overview')")
    assert set(re.findall("THEN '(.+?)'::text", view)) == set(NO_END)


def test_days_without_labels_stand_in_the_chart_too(viewer: ConsoleClient, counted: None) -> None:
    assert viewer.page("/progress").count('<rect class="done"') == 1 + 3


def test_a_day_in_the_chart_is_as_wide_in_the_first_week_as_in_the_fourth(viewer: ConsoleClient, counted: None) -> None:
    (chart,) = re.findall(r'<svg class="chart" viewBox="0 0 560 120".+?</svg>', viewer.page("/progress"), re.DOTALL)
    assert re.findall(r' x="(.+?)" .+? width="(.+?)"', chart) == [(f"{day * 20.0}", "16.0") for day in (25, 26, 27)]


def test_columns_fill_the_chart_and_shares_the_line() -> None:
    assert [bar[1:] for bar in columns([1, 0, 2], 30, 10)] == [(5, 8, 5), (10, 8, 0), (0, 8, 10)]
    assert [bar[0] for bar in columns([1, 0, 2], 30, 10)] == [0, 10, 20]
    assert [bar[::2] for bar in stack([3, 1], 40, 10)] == [(0, 30), (30, 10)]
    assert (columns([], 30, 10), [bar.height for bar in columns([0], 30, 10)]) == ([], [0])
    assert [bar.width for bar in stack([0, 0], 40, 10)] == [0, 0]
