"""A database that has no room for all titles is refused in a sentence, by whatever meets it first."""

from collections.abc import Iterator

import pytest
from psycopg import sql

from db.connections import DatabaseUnavailable
from db.schema.migrate import migrate
from db.schema.startup import prepare_database
from tests.fix_postgres import Server, TestDatabase
from tests.fix_signum import Signum

MAKE = "CREATE DATABASE {} TEMPLATE template0 ENCODING {} LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C'"
SAID = "its encoding is {}, which has no room for all titles: make it anew with CREATE DATABASE … ENCODING 'UTF8'"


@pytest.fixture(params=["LATIN1", "SQL_ASCII"])
def other(server: Server, empty_database: TestDatabase, request: pytest.FixtureRequest) -> Iterator[TestDatabase]:
    """A database of another encoding."""
    name = f"{empty_database.parameters['dbname']}_{request.param.lower()}"
    server.execute(sql.SQL(MAKE).format(sql.Identifier(name), sql.Literal(request.param)))
    yield TestDatabase({**empty_database.parameters, "dbname": name, "client_encoding": "UTF8"}, server)
    server.drop(name)


def encoding_of(other: TestDatabase) -> str:
    return "LATIN1" if other.parameters["dbname"].endswith("latin1") else "SQL_ASCII"


async def test_no_process_starts_on_it_and_nothing_is_made_there(other: TestDatabase) -> None:
    for may_migrate in (True, False):
        with pytest.raises(DatabaseUnavailable, match=f"its encoding is {encoding_of(other)}"):
            await prepare_database(other.parameters, migrate=may_migrate, at_most_seconds=5)
    with pytest.raises(DatabaseUnavailable, match=f"its encoding is {encoding_of(other)}"):
        migrate(other.parameters)
    assert other.fetch("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace") == []


@pytest.mark.parametrize("command", [["migrate"], ["client", "add", "Ääni", "--type", "etl"], ["queue", "status"]])
def test_each_command_says_so(other: TestDatabase, signum_process: Signum, command: list[str]) -> None:
    ran = signum_process(*command, settings=other.environment())
    assert (ran.code, ran.out) == (3, "")
    assert SAID.format(encoding_of(other)) in ran.err


def test_the_doctor_says_so(other: TestDatabase, signum_process: Signum) -> None:
    ran = signum_process("doctor", "--json", settings=other.environment())
    (found,) = [row for row in ran.json if row["check"] == "database"]
    assert (ran.code, found["level"]) == (3, "problem")
    assert SAID.format(encoding_of(other)) in found["text"]


def test_the_clients_encoding_is_not_what_the_environment_says(
    database: TestDatabase, signum: Signum, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.add_item(1001, best_title="Война и мир")
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    assert signum("queue", "mark", "1001", "--by", "Жанна").code == 0
    (row,) = signum("queue", "list", "--json").json
    assert (row["title"], row["queued_by"]) == ("Война и мир", "Жанна")
