"""The pages of the persons and of what they did: who may use the console is an admin's, who did what an operator's."""

import hashlib

import pytest

from tests.fix_console import ConsoleClient, SignIn, add_person
from tests.fix_postgres import TestDatabase

ACT = "SELECT person, action, target, number, result FROM act ORDER BY act_id DESC LIMIT 1"


def key_in(page: str) -> str:
    return page.partition('<code class="key">')[2].partition("<")[0]


def test_new_person_can_sign_in_with_the_key_that_is_shown_once(
    admin: ConsoleClient, console: ConsoleClient, database: TestDatabase
) -> None:
    page = admin.act("/people", act="add", name="Aino", role="operator")
    key = key_in(page)
    assert "Aino may use the console" in page
    assert key not in admin.page("/people")
    assert console.submit("/sign-in", key=key).status_code == 303
    assert database.fetch(ACT) == [
        ("admin", "person add", {"name": "Aino", "role": "operator"}, 1, "Aino may use the console")
    ]


@pytest.mark.parametrize("taken", ["admin", "desk 1"])
def test_name_of_a_person_or_client_is_given_once(
    admin: ConsoleClient, database: TestDatabase, printer_key: str, taken: str
) -> None:
    assert "that name is taken" in admin.act("/people", act="add", name=taken, role="viewer")
    assert "that name is taken" in admin.act("/stations", act="add", name=taken, type="etl")
    assert database.fetch("SELECT count(*) FROM act WHERE number = 0") == [(2,)]


def test_rotated_and_revoked_persons_are_signed_out_at_once(admin: ConsoleClient, sign_in: SignIn) -> None:
    aino, eino = sign_in("Aino", "viewer"), sign_in("Eino", "viewer")
    key = key_in(admin.act("/people", act="rotate", name="Aino"))
    admin.act("/people", act="revoke", name="Eino")
    assert [one.get("/").status_code for one in (aino, eino)] == [303, 303]
    assert aino.submit("/sign-in", key=key).status_code == 303
    assert aino.get("/").status_code == 200


def test_revoked_name_can_be_given_anew_with_another_role(admin: ConsoleClient, database: TestDatabase) -> None:
    old = add_person(database, "Aino", "admin")
    admin.act("/people", act="revoke", name="Aino")
    assert "Aino may use the console" in admin.act("/people", act="add", name="Aino", role="viewer")
    row = database.fetch("SELECT role, revoked_at, key_sha256 FROM person WHERE person_name = 'Aino'")
    assert row[0][:2] == ("viewer", None)
    assert row[0][2] != hashlib.sha256(old.encode()).digest()


def test_admin_can_not_lock_the_door_from_within(admin: ConsoleClient, database: TestDatabase) -> None:
    assert "ask another admin" in admin.act("/people", act="revoke", name="admin")
    assert database.fetch("SELECT revoked_at FROM person") == [(None,)]


def test_acts_are_shown_by_person_and_page_by_page(operator: ConsoleClient, database: TestDatabase) -> None:
    database.fetch(
        "INSERT INTO act (person, through, os_user, action, target, number, result) "
        "SELECT CASE WHEN mod(n, 2) = 0 THEN 'Aino' ELSE 'Eino' END, 'command', 'root', 'queue retry', "
        "jsonb_build_object('barcodes', ARRAY['330' || n]), 1, 'retried <b>' || n FROM generate_series(1, 150) n"
    )
    newest = operator.page("/acts")
    assert "retried <b>150" in newest
    assert "retried <b>51" in newest
    assert "retried <b>50" not in newest
    assert "<b>" not in operator.get("/acts").text
    older = operator.page("/acts?" + newest.partition('href="?')[2].partition('"')[0])
    assert "retried <b>50" in older
    assert "Older acts" not in older
    assert "Eino" not in operator.page("/acts?person=Aino")
    for odd in ("x", "9" * 30, "-1", "²"):
        assert operator.get("/acts", params={"before": odd}).status_code == 400
    assert operator.get("/acts", params={"before": "9" * 30}).status_code == 400


def test_who_only_looks_sees_neither_persons_nor_their_acts(viewer: ConsoleClient) -> None:
    assert [viewer.get(path).status_code for path in ("/people", "/acts")] == [403, 403]
    page = viewer.page("/stations")
    assert 'href="/people"' not in page
    assert 'href="/acts"' not in page
