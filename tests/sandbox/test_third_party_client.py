"""The simulator is Sierra enough for a client that others wrote: `sierra-ils-utils`, as its own pages use it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sierra_ils_utils import SierraDate, SierraDateTime, SierraRESTClient, get_max_record_id

from sandbox.catalogue import Oddity, make_catalogue
from tests.fix_sierra import SierraInThread, make_record

ITEMS = 120
DELETED_ON = "2026-11-20"


@pytest.fixture
def client(sierra: SierraInThread) -> Iterator[SierraRESTClient]:
    """That client, of a Sierra with the sandbox's catalogue and a deleted item behind it."""
    items = make_catalogue(ITEMS)
    sierra.add(*items, make_record(str(items[-1].number + 10), deleted_at=DELETED_ON))
    with SierraRESTClient(f"{sierra.endpoint}/", sierra.key, sierra.secret, trust_env=False) as client:
        yield client


def entries(client: SierraRESTClient, **query: Any) -> list[dict[str, Any]]:
    """The list's entries, read as the client's page on polling reads them: 404 is none."""
    answer = client.request("GET", "items/", params=query)
    if answer.status_code == 404:
        return []
    answer.raise_for_status()
    found: list[dict[str, Any]] = answer.json()["entries"]
    return found


@pytest.mark.parametrize("start", [0, 1_000_000, 90_000_000])
def test_highest_number_is_found_from_below_and_from_above(
    sierra: SierraInThread, client: SierraRESTClient, start: int
) -> None:
    highest = max(int(number) for number in sierra.run(lambda: list(sierra._sierra.records.by_number)))
    assert get_max_record_id(client, "items/", start=start) == highest


def test_changes_are_polled_by_a_window_of_time_and_the_last_number(
    sierra: SierraInThread, client: SierraRESTClient
) -> None:
    now = datetime.now(UTC)  # from Python 3.13 on a SierraDateTime can't be counted from
    changed = [item for item in make_catalogue(ITEMS) if item.oddity in (None, Oddity.LENT)][:5]
    for item in changed:
        sierra.edit(str(item.number), {"varFields": [{"fieldTag": "x", "content": "seen"}]})
    begin, end = (SierraDateTime.from_datetime(now + timedelta(minutes=minutes)) for minutes in (-1, 10))
    window = f"[{begin},{end}]"
    polled: list[str] = []
    first = 0
    while page := entries(client, deleted="false", updatedDate=window, id=f"[{first},]", limit=2, fields="default"):
        polled += [entry["id"] for entry in page]
        first = int(page[-1]["id"]) + 1
    assert polled == [str(item.number) for item in changed]


def test_deletions_are_polled_by_whole_days(client: SierraRESTClient) -> None:
    day = SierraDate.from_iso(DELETED_ON)
    (gone,) = entries(client, deleted="true", deletedDate=f"[{day - timedelta(days=1)},{day}]")
    assert (gone["deleted"], gone["deletedDate"]) == (True, DELETED_ON)
    assert entries(client, deleted="true", deletedDate=str(day + timedelta(days=1))) == []


def test_token_that_died_early_is_renewed(sierra: SierraInThread, client: SierraRESTClient) -> None:
    assert len(entries(client)) == 50
    sierra.expire_tokens()
    assert len(entries(client, limit=2000)) == ITEMS + 1
