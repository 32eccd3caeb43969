"""One PUT, all the way, with real processes: from the print station's request to Sierra's record."""

import time
from collections.abc import Callable

import httpx

from sandbox.postgres import free_port
from tests.fix_metrics import Scraped
from tests.fix_notifier import eventually
from tests.fix_postgres import TestDatabase
from tests.fix_processes import Start
from tests.fix_sierra import SierraInThread, make_record

EMPTY = "SELECT count(*) = 0 FROM update_queue"


async def test_a_printed_label_reaches_sierra_by_notification(
    database: TestDatabase, sierra: SierraInThread, start: Start, api_url: str, add_client: Callable[[str], str]
) -> None:
    item = database.add_item(2043111)
    sierra.add(make_record("2043111", "84.2 Jännitys"))
    metrics_port = free_port()
    start("notifier", sierra_update_interval_seconds=3600, notifier_metrics_port=metrics_port)
    station = httpx.AsyncClient(base_url=api_url, headers={"x-api-key": add_client("signum-printer")})
    shown = (await station.get("/itemdata/33010002043111")).json()
    assert (shown["item_record_id"], shown["classification"], shown["in_update_queue"]) == (item, "84.31", False)
    assert (await station.put(f"/itemdata/{item}")).json() == {"updated": True}
    (put,) = await sierra.until(lambda journal: journal.puts("2043111"))
    assert put.call_numbers == ["84.31 Jännitys"]
    await eventually(database, EMPTY)
    assert (await station.get("/itemdata/33010002043111")).json()["in_update_queue"] is False
    (logged,) = database.fetch("SELECT outcome, queued_by, request_id IS NOT NULL FROM update_log")
    assert logged == ("pushed", "test signum-printer", True)
    told = Scraped(metrics_port)
    assert told.value("signum_notify_to_claim_seconds_count") == 1, "it was heard of, and not found by a sweep"
    assert told.value("signum_outcomes_total", outcome="pushed") == 1


async def test_the_sweep_catches_what_a_notification_missed(
    database: TestDatabase, sierra: SierraInThread, start: Start, api_url: str, add_client: Callable[[str], str]
) -> None:
    item = database.add_item(2043111)
    sierra.add(make_record("2043111", "84.2 Jännitys"))
    database.fetch("ALTER TABLE update_queue DISABLE TRIGGER USER")
    start("notifier", sierra_update_interval_seconds=0.5)
    station = httpx.AsyncClient(base_url=api_url, headers={"x-api-key": add_client("signum-printer")})
    assert (await station.put(f"/itemdata/{item}")).status_code == 200
    await sierra.until(lambda journal: journal.puts("2043111"))
    assert sierra.call_numbers("2043111") == ["84.31 Jännitys"]
    await eventually(database, EMPTY)


def test_a_notifier_that_is_told_to_stop_exits_with_0(
    database: TestDatabase, sierra: SierraInThread, start: Start
) -> None:
    process = start("notifier")
    began = time.monotonic()
    assert process.stop() == 0
    assert time.monotonic() - began < 10
    assert database.fetch("SELECT mode FROM notifier_state") == [("stopped",)]
