"""The processes log all as JSON, and a request can be followed by its id from the header to the push."""

import json
from typing import Any

import httpx

from sandbox.postgres import free_port
from sandbox.processes import Process
from tests.fix_api import add_key
from tests.fix_notifier import eventually
from tests.fix_postgres import TestDatabase
from tests.fix_processes import Start
from tests.fix_sierra import SierraInThread, make_record

FALL_OVER = """
CREATE FUNCTION fall_over() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the wheel came off'; END $$;
CREATE TRIGGER bug BEFORE INSERT ON update_queue FOR EACH ROW EXECUTE FUNCTION fall_over();
"""

NO_NOTIFIER_SURVIVES = """
DROP VIEW queue_detail, shared_barcode, unreadable_barcode CASCADE;
ALTER TABLE sierra_item ALTER item_number TYPE bigint USING item_number::bigint;
INSERT INTO update_queue (item_record_id) SELECT item_record_id FROM sierra_item;
"""


def events(process: Process) -> list[dict[str, Any]]:
    """The lines that the process logged; every line of its stderr is JSON."""
    return [json.loads(line) for line in process.log.read_text().splitlines()]


async def test_every_line_is_json_and_the_request_id_goes_from_the_header_to_the_push(
    database: TestDatabase, sierra: SierraInThread, start: Start
) -> None:
    item, port = database.add_item(2043111), free_port()
    sierra.add(make_record("2043111", "84.2 Jännitys"))
    api = start("api", api_port=port, log_format="json")
    notifier = start("notifier", log_format="json")
    headers = {"x-api-key": add_key(database, "desk 1", "signum-printer"), "X-Request-ID": "desk-1.42"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as station:
        assert (await station.put(f"/itemdata/{item}")).status_code == 200
        await eventually(database, "SELECT request_id FROM update_log", "desk-1.42")
        database.fetch(FALL_OVER)
        assert (await station.put(f"/itemdata/{item}")).status_code == 500
    database.fetch("ALTER TABLE update_queue DISABLE TRIGGER bug")
    database.fetch(NO_NOTIFIER_SURVIVES)
    notifier.wait_until(lambda: notifier.said("ended by"))
    assert api.stop() == 0
    assert notifier.stop() == 4

    (marked, failed) = (event for event in events(api) if event.get("request_id") == "desk-1.42")
    assert (marked["message"], marked["item_record_id"]) == ("item marked", item)
    assert "the wheel came off" in failed["traceback"]
    assert {event["logger"] for event in events(api)} >= {"signum.api", "uvicorn.error"}

    (pushed,) = (event for event in events(notifier) if event.get("request_id") == "desk-1.42")
    assert (pushed["message"], pushed["item_number"]) == ("pushed 84.31 Jännitys", "2043111")
    assert pushed["item_record_id"] == item
    assert "AttributeError" in events(notifier)[-1]["traceback"]
