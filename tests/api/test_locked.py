"""A mark that meets a locked row gets a 503 that names the lock, not an absent database."""

import psycopg

from tests.fix_api import ApiClient, detail
from tests.fix_postgres import TestDatabase


def test_mark_of_a_locked_row_is_a_503_that_names_the_lock(printer: ApiClient, database: TestDatabase) -> None:
    item = database.add_item(1001)
    assert printer.put(f"/itemdata/{item}").status_code == 200
    with psycopg.connect(**database.parameters) as dba:
        dba.execute("SELECT FROM update_queue FOR UPDATE")
        answer = printer.put(f"/itemdata/{item}")
        dba.rollback()
    assert (answer.status_code, answer.headers["retry-after"].isdigit()) == (503, True)
    assert detail(answer).startswith("Another session of the database has locked a row or table that this needs")
    assert printer.put(f"/itemdata/{item}").status_code == 200
