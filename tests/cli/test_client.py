"""signum client: keys are made, shown once, replaced and refused."""

from hashlib import sha256
from typing import Any

import pytest

from tests.fix_postgres import TestDatabase
from tests.fix_signum import Signum


def key_of(database: TestDatabase, name: str) -> Any:
    (row,) = database.fetch(
        "SELECT api_key_sha256, api_key_prefix, client_type, revoked_at IS NOT NULL FROM client WHERE client_name = %s",
        name,
    )
    return row


def test_add_prints_the_key_alone_on_stdout_and_stores_only_its_sha256(signum: Signum, database: TestDatabase) -> None:
    ran = signum("client", "add", "desk-1", "--type", "signum-printer")
    key = ran.out.strip()
    assert ran.code == 0
    assert key.startswith("sig_")
    assert len(key) == len("sig_") + 43  # 256 bits
    assert key_of(database, "desk-1") == (sha256(key.encode()).digest(), key[:8], "signum-printer", False)


def test_add_as_json_gives_name_type_and_key(signum: Signum) -> None:
    made = signum("client", "add", "etl-1", "--type", "etl", "--json").json
    assert set(made) == {"name", "type", "key"}
    assert (made["name"], made["type"]) == ("etl-1", "etl")


def test_name_that_is_in_use_is_refused_and_its_key_stays(signum: Signum, database: TestDatabase) -> None:
    signum("client", "add", "desk-1", "--type", "signum-printer")
    before = key_of(database, "desk-1")
    again = signum("client", "add", "desk-1", "--type", "etl")
    assert (again.code, again.out) == (1, "")
    assert "desk-1" in again.err
    assert key_of(database, "desk-1") == before


def test_name_of_a_revoked_client_can_be_given_anew(signum: Signum, database: TestDatabase) -> None:
    signum("client", "add", "desk-1", "--type", "signum-printer")
    signum("client", "revoke", "desk-1")
    key = signum("client", "add", "desk-1", "--type", "etl").out.strip()
    assert key_of(database, "desk-1") == (sha256(key.encode()).digest(), key[:8], "etl", False)


def test_rotate_replaces_the_key(signum: Signum, database: TestDatabase) -> None:
    old = signum("client", "add", "desk-1", "--type", "signum-printer").out.strip()
    new = signum("client", "rotate", "desk-1").out.strip()
    assert new != old
    assert key_of(database, "desk-1")[0] == sha256(new.encode()).digest()


def test_rotate_does_not_bring_a_revoked_client_back(signum: Signum, database: TestDatabase) -> None:
    signum("client", "add", "desk-1", "--type", "signum-printer")
    assert signum("client", "revoke", "desk-1").code == 0
    assert signum("client", "revoke", "desk-1").code == 0
    ran = signum("client", "rotate", "desk-1")
    assert (ran.code, ran.out) == (1, "")
    assert key_of(database, "desk-1")[3]


@pytest.mark.parametrize("verb", ["revoke", "rotate"])
def test_unknown_client_is_refused_by_name(signum: Signum, verb: str) -> None:
    ran = signum("client", verb, "desk-9")
    assert ran.code == 1
    assert "desk-9" in ran.err


@pytest.mark.parametrize("name", ["", " desk", "desk\n1", "x" * 101])
def test_name_that_could_be_mistaken_is_wrong_usage(signum: Signum, name: str) -> None:
    assert signum("client", "add", name, "--type", "etl").code == 2


def test_unknown_type_is_wrong_usage(signum: Signum) -> None:
    assert signum("client", "add", "desk-1", "--type", "admin").code == 2


def test_list_shows_clients_and_no_key(signum: Signum) -> None:
    key = signum("client", "add", "desk-1", "--type", "signum-printer").out.strip()
    signum("client", "add", "etl-1", "--type", "etl")
    signum("client", "revoke", "etl-1")
    listed = signum("client", "list", "--json")
    assert [(row["name"], row["type"], row["state"]) for row in listed.json] == [
        ("desk-1", "signum-printer", "valid"),
        ("etl-1", "etl", "revoked"),
    ]
    table = signum("client", "list")
    assert "desk-1" in table.out
    assert key not in table.out + listed.out
