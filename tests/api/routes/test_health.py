"""The health routes' answers, and every route's while the database is away."""

import contextlib
import time
from collections.abc import Iterator

import pytest
from psycopg import sql

from tests.fix_api import ApiClient, StartApi, add_key, detail
from tests.fix_postgres import TestDatabase


@contextlib.contextmanager
def away(database: TestDatabase) -> Iterator[None]:
    """Keep every session out of the database, and end those that there are."""
    name = database.parameters["dbname"]
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    end = sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}").format(name)
    database.server.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
    try:
        database.server.execute(end)
        yield
    finally:
        database.server.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


@pytest.mark.parametrize("path", ["/healthz", "/healthz/", "/readiness", "/readiness/"])
def test_healthy_process_says_ok_to_anyone(api: ApiClient, path: str) -> None:
    answer = api.get(path)
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


def test_database_away_is_503_everywhere_and_heals_by_itself(printer: ApiClient, database: TestDatabase) -> None:
    item = database.add_item(1, barcode="1231231230012")
    report = {"internal_hostname": "a", "internal_ip_address": "None"}
    requests = [
        ("GET", "/itemdata/1231231230012", {}),
        ("PUT", f"/itemdata/{item}", {}),
        ("POST", "/status", report),
        ("GET", "/readiness", {}),
    ]
    with away(database):
        for method, path, form in requests:
            answer = printer.request(method, path, data=form)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
            assert detail(answer).startswith("The database does not answer: ")
        assert printer.get("/healthz").status_code == 200
    assert [printer.request(method, path, data=form).status_code for method, path, form in requests] == [200] * 4


def test_connections_that_died_while_idle_are_not_noticed_by_clients(
    printer: ApiClient, database: TestDatabase
) -> None:
    database.add_item(1, barcode="1231231230012")
    assert printer.get("/itemdata/1231231230012").status_code == 200
    database.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'signum api'")
    assert printer.get("/itemdata/1231231230012").status_code == 200


def test_mark_that_can_not_be_made_in_time_is_503_within_the_clients_5_seconds(
    printer: ApiClient, database: TestDatabase
) -> None:
    item = database.add_item(1)
    assert printer.put(f"/itemdata/{item}").status_code == 200
    began = time.monotonic()
    with database.connect() as connection, connection.transaction():
        connection.execute("SELECT FROM update_queue FOR UPDATE")
        assert printer.put(f"/itemdata/{item}").status_code == 503
    assert time.monotonic() - began < 5
    assert printer.put(f"/itemdata/{item}").status_code == 200


def test_log_names_the_item_whose_mark_was_not_made(
    printer: ApiClient, database: TestDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    item = database.add_item(1)
    with away(database):
        printer.put(f"/itemdata/{item}")
    (record,) = (record for record in caplog.records if "request was not done" in record.getMessage())
    assert (vars(record)["method"], vars(record)["path"]) == ("PUT", f"/itemdata/{item}")


def test_schema_that_is_behind_is_not_ready_and_says_what_to_do(api: ApiClient, database: TestDatabase) -> None:
    database.fetch("UPDATE alembic_version SET version_num = '0001'")
    answer = api.get("/readiness")
    assert answer.status_code == 503
    assert "schema is at revision 0001" in detail(answer)
    assert "signum migrate" in detail(answer)


def test_database_without_a_schema_is_not_ready_and_says_what_to_do(
    start_api: StartApi, empty_database: TestDatabase
) -> None:
    answer = start_api(**empty_database.settings()).get("/readiness")
    assert answer.status_code == 503
    assert "signum migrate" in detail(answer)


def test_newer_schema_is_ready_and_warned_of_once(
    api: ApiClient, database: TestDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    database.fetch("UPDATE alembic_version SET version_num = '9998'")
    assert [api.get("/readiness").status_code for _ in range(3)] == [200] * 3
    assert [record.getMessage() for record in caplog.records] == ["schema is newer than this release: carrying on"]


def test_newer_schema_still_serves_print_stations(api: ApiClient, database: TestDatabase) -> None:
    key = add_key(database, "desk", "signum-printer")
    database.fetch("UPDATE alembic_version SET version_num = '9999'")
    assert api.get("/itemdata/1231231230012", headers={"x-api-key": key}).status_code == 404
