"""The page of the stations: who may call the API, and an admin's acts on their keys."""

import hashlib

from tests.fix_console import ConsoleClient
from tests.fix_postgres import TestDatabase

ACT = "SELECT person, through, action, target->>'name', number, result FROM act ORDER BY act_id DESC LIMIT 1"


def test_clients_are_listed_without_their_keys(viewer: ConsoleClient, printer_key: str) -> None:
    page = viewer.page("/stations")
    assert "desk 1" in page
    assert printer_key[:8] in page
    assert printer_key not in page


def test_who_only_looks_gets_no_button(viewer: ConsoleClient, printer_key: str) -> None:
    assert 'name="act"' not in viewer.page("/stations")


def test_new_clients_key_is_shown_once_and_is_valid(admin: ConsoleClient, database: TestDatabase) -> None:
    page = admin.act("/stations", act="add", name="desk 2", type="signum-printer")
    assert "desk 2 is added" in page
    key = page.partition('<code class="key">')[2].partition("<")[0]
    stored = database.fetch("SELECT client_name FROM client WHERE api_key_sha256 = %s", _sha256(key))
    assert stored == [("desk 2",)]
    assert key not in admin.page("/stations")
    assert database.fetch(ACT) == [("admin", "console", "client add", "desk 2", 1, "desk 2 is added")]
    assert database.fetch("SELECT count(*) FROM act WHERE act::text LIKE %s", f"%{key}%") == [(0,)]


def test_act_that_came_to_nothing_says_so_and_leaves_its_row(
    admin: ConsoleClient, database: TestDatabase, printer_key: str
) -> None:
    assert "that name is taken" in admin.act("/stations", act="add", name="desk 1", type="etl")
    assert database.fetch(ACT)[0][2:5] == ("client add", "desk 1", 0)


def test_rotated_key_is_another(admin: ConsoleClient, database: TestDatabase, printer_key: str) -> None:
    page = admin.act("/stations", act="rotate", name="desk 1")
    assert "desk 1 has a new key" in page
    assert database.fetch("SELECT count(*) FROM client WHERE api_key_sha256 = %s", _sha256(printer_key)) == [(0,)]


def test_revoked_client_has_no_more_buttons(admin: ConsoleClient, database: TestDatabase, printer_key: str) -> None:
    page = admin.act("/stations", act="revoke", name="desk 1")
    assert "The key of desk 1 is refused from now on" in page
    assert 'value="rotate"' not in page
    assert database.fetch("SELECT revoked_at IS NOT NULL FROM client") == [(True,)]


def _sha256(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
