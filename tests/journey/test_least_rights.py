"""Each process can do its work with its role's rights: the api all its routes, the notifier all of the protocol."""

import gzip
from typing import Any

import httpx

from api.metrics import DatabaseCollector
from db import acts, history, notifiers, queue
from runtime.settings import ApiSettings
from tests.fix_api import ApiClient, StartApi
from tests.fix_batch import FIRST_ID, TIMESTAMP, row, tsv
from tests.fix_notifier import Notifier, eventually, mark
from tests.fix_postgres import TestDatabase
from tests.fix_queue import LEASE
from tests.fix_roles import AsRole
from tests.fix_sierra import SierraInThread, make_record


def sync(api: ApiClient, *rows: dict[str, str]) -> httpx.Response:
    """The api's answer to a batch."""
    file = ("data.tsv.gz", gzip.compress(tsv(rows)), "application/gzip")
    return api.post("/sync", data={"timestamp": TIMESTAMP}, files={"file": file}, timeout=60)


def test_api_serves_every_route(as_role: AsRole, start_api: StartApi, printer_key: str, etl_key: str) -> None:
    api = start_api(**as_role("signum_api").settings())
    tried = set()

    def ask(method: str, path: str, template: str, **more: Any) -> None:
        tried.add((method.lower(), template))
        answer = api.request(method, path, **more)
        assert answer.status_code == 200, answer.text

    api.headers["x-api-key"] = etl_key
    for rows in ([row(1), row(2, item_number="?")], [row(1, best_title="Toinen"), row(2)]):
        ask("GET", "/sync", "/sync")
        answer = sync(api, *rows)
        assert (answer.status_code, answer.json()["written"]) == (
            200,
            len([r for r in rows if r["item_number"] != "?"]),
        )
    tried.add(("post", "/sync"))
    api.headers["x-api-key"] = printer_key
    ask("GET", "/itemdata/33010000000001", "/itemdata/{barcode}")
    for _ in range(2):
        ask("PUT", f"/itemdata/{FIRST_ID + 1}", "/itemdata/{item_record_id}")
    ask("POST", "/status", "/status", data={"internal_hostname": "a", "internal_ip_address": "None"})
    for path in ("/healthz", "/readiness"):
        ask("GET", path, path)
    described = api.get("/openapi.json").json()["paths"]
    assert {(method, path) for path, methods in described.items() for method in methods} == tried


def test_api_tells_its_metrics(as_role: AsRole) -> None:
    settings = ApiSettings(**as_role("signum_api").settings())
    told = {family.name: family for family in DatabaseCollector(settings).collect()}
    assert told["signum_database_up"].samples[0].value == 1


async def test_notifier_pushes(
    database: TestDatabase, as_role: AsRole, notifier: Notifier, sierra: SierraInThread
) -> None:
    item = database.add_item(2043111)
    sierra.add(make_record("2043111", "84.2 Jännitys"))
    async with notifier(sierra_update_interval_seconds=3600, **as_role("signum_notifier").settings()):
        await eventually(database, "SELECT mode FROM notifier_state", "listening")
        mark(database, item)
        await eventually(database, "SELECT string_agg(outcome, ',') FROM update_log", "pushed")
    assert sierra.call_numbers("2043111") == ["84.31 Jännitys"]


async def test_notifier_follows_the_whole_protocol(database: TestDatabase, as_role: AsRole) -> None:
    mark(database, *(database.add_item(number) for number in range(5)))
    database.fetch(
        "INSERT INTO notifier_state (notifier, mode, breaker, seen_at) VALUES ('old', 'stopped', 'closed', 'epoch')"
    )
    async with await as_role("signum_notifier").aconnect() as connection:
        claims = await queue.claim(connection, "n1", 5, LEASE)
        mark(database, claims[4].item_record_id)
        pushes = [queue.Pushed(claim, "pushed", "84.2", "84.31", None, 12) for claim in (claims[0], claims[4])]
        assert len(await queue.finish(connection, "n1", pushes)) == 2
        assert await queue.postpone(connection, "n1", claims[1], 60, "busy")
        assert await queue.reject(connection, "n1", claims[2], "gone")
        await queue.release(connection, "n1", [claims[3]])
        for claim in claims[:2]:
            await queue.recheck(connection, "n1", claim.item_record_id)
        assert await queue.give_back(connection, "n1", []) == []
        assert await queue.next_wake(connection) is not None
        await notifiers.heartbeat(connection, "n1", "listening", "closed", None, succeeded=True, looped_seconds_ago=1)
        assert await notifiers.find_notifier(connection, "n1") is None
        await notifiers.forget_notifiers(connection)
        assert await history.prune_history(connection, -1) == 3
        assert await acts.prune_acts(connection, -1) == 0
    assert database.fetch("SELECT notifier FROM notifier_state") == [("n1",)]
