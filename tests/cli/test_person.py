"""`signum person`: the people who may use the console; the role of the commands may not add to them."""

from hashlib import sha256

from tests.fix_postgres import TestDatabase
from tests.fix_roles import AsRole
from tests.fix_signum import Signum

STORED = "SELECT person_name, role FROM person WHERE key_sha256 = %s AND revoked_at IS NULL"


def test_key_of_a_new_person_is_printed_once(database: TestDatabase, signum: Signum) -> None:
    added = signum("person", "add", "Aino", "--role", "admin")
    assert added.code == 0
    key = added.out.strip()
    assert database.fetch(STORED, sha256(key.encode()).digest()) == [("Aino", "admin")]
    listed = signum("person", "list")
    assert "Aino" in listed.out
    assert key not in listed.out + signum("person", "list", "--json").out


def test_name_is_one_space_with_the_clients(database: TestDatabase, signum: Signum, printer_key: str) -> None:
    refused = signum("person", "add", "desk 1", "--role", "viewer")
    assert (refused.code, "is taken" in refused.err) == (1, True)
    assert signum("person", "add", "Aino", "--role", "viewer").code == 0
    assert signum("client", "add", "Aino", "--type", "etl").code == 1


def test_rotated_key_is_another_and_a_revoked_one_none(database: TestDatabase, signum: Signum) -> None:
    old = signum("person", "add", "Aino", "--role", "viewer").out.strip()
    new = signum("person", "rotate", "Aino").out.strip()
    assert new != old
    assert signum("person", "revoke", "Aino").code == 0
    for key in (old, new):
        assert database.fetch(STORED, sha256(key.encode()).digest()) == []
    assert signum("person", "rotate", "Aino").code == 1
    assert signum("person", "revoke", "nobody").code == 1


def test_operator_can_not_make_himself_an_admin(as_role: AsRole, signum: Signum) -> None:
    refused = signum("person", "add", "Eino", "--role", "admin", settings=as_role("signum_operator").environment())
    assert refused.code == 3
    assert "permission denied for table person: DB_USER is" in refused.err
    assert "which may not do this: use the role that SECURITY.md names" in refused.err
    allowed = signum("person", "add", "Eino", "--role", "admin", settings=as_role("signum_console").environment())
    assert allowed.code == 0
