"""The api's metrics: a bounded number of series, the same from all workers, and the database's figures."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from api.metrics import api_metrics_served
from runtime.settings import ApiSettings
from sandbox.postgres import free_port
from tests.fix_api import ApiClient
from tests.fix_batch import Send, row
from tests.fix_metrics import Scraped
from tests.fix_postgres import TestDatabase
from tests.fix_processes import Start


@contextmanager
def told(database: TestDatabase, **others: Any) -> Iterator[int]:
    """The port of an api's metrics."""
    settings = ApiSettings(**{**database.settings(), "api_metrics_port": free_port(), **others})
    with api_metrics_served(settings) as port:
        assert port is not None
        yield port


def test_requests_are_counted_by_their_routes_template(printer: ApiClient, database: TestDatabase) -> None:
    item = database.add_item(1, barcode="1231231230012")
    with told(database) as port:
        before = Scraped(port)
        for path in ("/itemdata/1231231230012", "/itemdata/1231231230012/", "/itemdata/1231231239999"):
            printer.get(path)
        printer.raw(b"POST //status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        printer.put(f"/itemdata/{item}")
        printer.get("/nowhere/1231231230012")
        printer.raw(b"PROPFIND /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        after = Scraped(port)
    count = "signum_http_requests_total"
    counted = {}
    for sample in after.families["signum_http_requests"].samples:
        if sample.name == count and (new := sample.value - (before.value(count, **sample.labels) or 0)):
            counted[sample.labels["method"], sample.labels["route"], sample.labels["status"]] = new
    assert counted == {
        ("GET", "/itemdata/{barcode}", "200"): 2,
        ("GET", "/itemdata/{barcode}", "404"): 1,
        ("PUT", "/itemdata/{item_record_id}", "200"): 1,
        ("POST", "/status", "401"): 1,
        ("GET", "none", "404"): 1,
        ("other", "none", "404"): 1,
    }


def test_batches_are_counted_with_their_rows_and_seconds(send: Send, database: TestDatabase) -> None:
    with told(database) as port:
        before = Scraped(port)
        send([row(1), row(2, item_record_id="x")])
        after = Scraped(port)

    def new(name: str, **labels: str) -> float:
        return (after.value(name, **labels) or 0) - (before.value(name, **labels) or 0)

    assert new("signum_batch_rows_total", result="written") == 1
    assert new("signum_batch_rows_total", result="rejected") == 1
    assert new("signum_batch_size_rows_sum") == 2
    assert new("signum_batch_seconds_count", result="taken") == 1


def test_database_tells_queue_sync_and_notifiers(database: TestDatabase) -> None:
    items = [database.add_item(number) for number in range(1, 5)]
    database.fetch(
        "INSERT INTO update_queue (item_record_id, due_at) SELECT unnest(%s::bigint[]), "
        "unnest(ARRAY[now() - interval '10 minutes', now(), now() + interval '1 hour', NULL])",
        items,
    )
    database.fetch("INSERT INTO notifier_state (notifier, mode, breaker) VALUES ('a', 'polling', 'closed')")
    with told(database) as port:
        empty = Scraped(port)
        database.fetch(
            "UPDATE sync_state SET last_sync_run_completed_at = to_timestamp(1700000000), "
            "gap_from = now() - interval '1 day', gap_until = now(), last_synced_id = 1"
        )
        database.fetch("UPDATE queue_control SET paused_at = now()")
        told_now = Scraped(port)
    states = {"waiting": 2, "in flight": 0, "postponed": 1, "rejected": 1}
    assert {state: told_now.value("signum_queue_items", state=state) for state in states} == states
    assert 600 <= (told_now.value("signum_queue_oldest_age_seconds", state="waiting") or 0) < 700
    modes = {"listening": 0, "polling": 1, "starting": 0}
    assert {mode: told_now.value("signum_notifiers", mode=mode) for mode in modes} == modes
    assert empty.value("signum_sync_last_batch_timestamp_seconds") is None
    assert told_now.value("signum_sync_last_batch_timestamp_seconds") == 1_700_000_000
    assert empty.value("signum_sync_behind_seconds") is None
    assert (told_now.value("signum_sync_behind_seconds") or 0) > 86_400
    for name in ("signum_sync_gap", "signum_queue_paused"):
        assert (empty.value(name), told_now.value(name)) == (0, 1)


def test_database_away_is_a_metric_and_the_others_go_on(database: TestDatabase) -> None:
    with told(database, db_port=free_port()) as port:
        away = Scraped(port)
    assert away.value("signum_database_up") == 0
    assert "signum_http_requests" in away.families
    assert "signum_queue_items" not in away.families


def test_metrics_have_a_port_of_their_own_and_nothing_else_is_there(api: ApiClient, database: TestDatabase) -> None:
    assert api.get("/metrics").status_code == 404
    with told(database) as port:
        assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 404


def test_port_that_is_taken_is_warned_of(database: TestDatabase, caplog: pytest.LogCaptureFixture) -> None:
    with told(database) as port:
        settings = ApiSettings(**{**database.settings(), "api_metrics_port": port})
        with api_metrics_served(settings) as second:
            assert second is None
    (record,) = caplog.records
    assert "metrics disabled" in record.getMessage()


def test_several_workers_are_added_up(database: TestDatabase, start: Start) -> None:
    port, metrics_port = free_port(), free_port()
    start("api", api_port=port, api_metrics_port=metrics_port, api_workers=2)
    before = Scraped(metrics_port)
    for _ in range(20):  # a connection each, so that both workers get some
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    after = Scraped(metrics_port)
    healthz = {"method": "GET", "route": "/healthz", "status": "200"}
    name = "signum_http_requests_total"
    assert (after.value(name, **healthz) or 0) - (before.value(name, **healthz) or 0) == 20
