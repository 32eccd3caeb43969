"""Sentry is told one update's times: one trace from the mark to the push, if it is in the sample."""

import httpx

from sandbox.postgres import free_port
from tests.fix_api import add_key
from tests.fix_notifier import eventually
from tests.fix_postgres import TestDatabase
from tests.fix_processes import Start
from tests.fix_sentry import Receiver
from tests.fix_sierra import SierraInThread, make_record


async def test_the_push_goes_on_with_the_trace_of_the_mark(
    database: TestDatabase, sierra: SierraInThread, start: Start, receiver: Receiver
) -> None:
    item, port = database.add_item(2043111), free_port()
    sierra.add(make_record("2043111", "84.2 Jännitys"))
    sampled = {"sentry_dsn": receiver.dsn, "sentry_traces_sample_rate": 1}
    api, notifier = start("api", api_port=port, **sampled), start("notifier", **sampled)
    headers = {"x-api-key": add_key(database, "desk 1", "signum-printer"), "X-Request-ID": "desk-1.42"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as station:
        assert (await station.put(f"/itemdata/{item}")).status_code == 200
    await eventually(database, "SELECT count(*) FROM update_log", 1)
    assert (api.stop(), notifier.stop()) == (0, 0)
    mark, push = sorted(receiver.transactions(), key=lambda transaction: transaction["start_timestamp"])
    assert (mark["transaction"], push["transaction"]) == ("mark", "push")
    of_mark, of_push = mark["contexts"]["trace"], push["contexts"]["trace"]
    assert of_push["trace_id"] == of_mark["trace_id"]
    assert of_push["parent_span_id"] == of_mark["span_id"]
    assert [span["op"] for span in push["spans"]] == ["read", "write", "finish"]
    times = [(span["start_timestamp"], span["timestamp"]) for span in push["spans"]]
    assert sorted(times) == times
    assert push["start_timestamp"] <= times[0][0] <= times[-1][1] <= push["timestamp"]
    assert (mark["tags"]["request_id"], push["tags"]["item_number"]) == ("desk-1.42", "2043111")
    assert not {"request", "user", "breadcrumbs"} & (mark.keys() | push.keys())
