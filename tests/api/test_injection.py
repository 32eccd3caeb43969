"""Text from outside stays text, wherever it goes in: nothing of it becomes a part of a statement."""

import pytest

from db.items import find_items
from db.requests import Database
from tests.fix_api import ApiClient
from tests.fix_batch import FIRST_ID, Send, row
from tests.fix_postgres import TestDatabase
from tests.fix_signum import Signum

HOSTILE = [
    "' OR '1'='1",
    "'; DROP TABLE client; --",
    '" OR ""="',
    "\\'; DELETE FROM sierra_item; --",
    "%(barcode)s %s %%",
    "$1 :barcode {0}",
    "$$; SELECT pg_sleep(9); $$",
    "%' OR last_error LIKE '%",
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_barcode_finds_the_item_that_has_it_and_no_other(
    database: TestDatabase, api_database: Database, printer: ApiClient, printer_key: str, text: str
) -> None:
    database.add_item(1)
    item = database.add_item(2, barcode=text)
    ((key,),) = database.fetch("SELECT api_key_sha256 FROM client")
    found = await find_items(api_database, key, text)
    assert [one["item_record_id"] for one in found or ()] == [item]
    assert printer.get(f"/itemdata/{text}").status_code == 422, "the route takes no such barcode"


def test_what_a_print_station_and_the_etl_say_is_stored_as_they_say_it(
    database: TestDatabase, send: Send, etl: ApiClient, printer_key: str
) -> None:
    names = (
        "barcode",
        "best_author",
        "best_title",
        "item_type_name",
        "material_code",
        "material_name",
        "classification",
    )
    send([row(number, **dict.fromkeys(names, text)) for number, text in enumerate(HOSTILE)])
    stored = database.fetch(f"SELECT {', '.join(names)} FROM sierra_item ORDER BY item_record_id")
    assert stored == [(text,) * len(names) for text in HOSTILE]
    for text in HOSTILE:
        told = {"internal_hostname": text, "internal_ip_address": text}
        assert etl.post("/status", data=told, headers={"x-api-key": printer_key}).status_code == 200
        said = "SELECT internal_hostname, internal_ip_address FROM client WHERE client_type = 'signum-printer'"
        assert database.fetch(said) == [(text, text)]
        assert etl.put(f"/itemdata/{FIRST_ID}{text}", headers={"x-api-key": printer_key}).status_code == 422
        assert etl.post("/sync", data={"timestamp": text}, files={"file": b"x"}).status_code == 422


def test_what_an_operator_types_is_a_name_and_nothing_else(database: TestDatabase, signum: Signum) -> None:
    database.fetch(
        "INSERT INTO update_queue (item_record_id, due_at, last_error) VALUES (%s, NULL, 'no')", database.add_item(1)
    )
    for text in HOSTILE:
        for words in (["--barcode", text], ["--reason", text], ["--", text]):
            assert signum("queue", "retry", *words).code == 1
        assert signum("history", text).code == 1
        assert signum("client", "add", text, "--type", "etl").code == 0
    assert database.fetch("SELECT due_at FROM update_queue") == [(None,)]
    assert {name for (name,) in database.fetch("SELECT client_name FROM client")} == set(HOSTILE)
