"""Each role may do as much as SECURITY.md says, and nothing else."""

import re

import psycopg
import pytest

from db.connections import DatabaseUnavailable
from db.schema.rights import ROLES, grant_rights, make_logins
from tests.docs.markdown import table
from tests.fix_postgres import TestDatabase
from tests.fix_roles import AsRole
from tests.fix_signum import Signum

# Of each relation of ours: what a role may do with it as a whole, and what with some of its columns only.
RIGHTS = """
SELECT
    c.relname,
    array(SELECT p FROM unnest(%(privileges)s::text[]) p WHERE has_table_privilege(%(role)s, c.oid, p)),
    array(
        SELECT p FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) p
        WHERE has_any_column_privilege(%(role)s, c.oid, p) AND NOT has_table_privilege(%(role)s, c.oid, p)
    )
FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
"""
PRIVILEGES = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]
DDL = [
    "CREATE TABLE public.mine (x int)",
    "ALTER TABLE update_queue DISABLE TRIGGER ALL",
    "DROP VIEW queue_overview",
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE ROLE mine",
]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_exactly_what_the_page_says(database: TestDatabase, as_role: AsRole, role: str) -> None:
    as_role(role)
    column = 1 + ROLES.index(role)
    said = {
        row[0].strip("`"): set(re.findall(r"[A-Z]+", row[column])) for row in table("SECURITY.md", "Database roles")
    }
    partly = {
        row[0].strip("`"): set(re.findall(r"([A-Z]+)[¹²]", row[column]))
        for row in table("SECURITY.md", "Database roles")
    }
    with database.connect() as owner:
        found = owner.execute(RIGHTS, {"role": role, "privileges": PRIVILEGES}).fetchall()
    assert {name: {*whole, *some} for name, whole, some in found} == said, "a new table or view needs a decision"
    assert {name: set(some) for name, _, some in found} == partly


@pytest.mark.parametrize("role", ROLES)
def test_no_role_may_change_the_schema(as_role: AsRole, role: str) -> None:
    with as_role(role).connect() as connection:
        if connection.info.server_version < 150_000:
            pytest.skip("in PostgreSQL 14 everybody may make tables in the schema public: see SECURITY.md")
        for statement in DDL:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


def test_owner_that_may_make_no_roles_is_told_what_to_do(database: TestDatabase, as_role: AsRole) -> None:
    owner = as_role("signum_reader")
    name = owner.parameters["user"]
    database.fetch(f"ALTER TABLE alembic_version OWNER TO {name}")
    with pytest.raises(DatabaseUnavailable) as refused:
        make_logins(owner.parameters, {"signum_api": "sana"})
    database.fetch("ALTER TABLE alembic_version OWNER TO CURRENT_USER")
    assert f"{name} may not make signum_api or set its password (permission denied" in str(refused.value)
    assert f'"ALTER ROLE {name} CREATEROLE", or make it by hand' in str(refused.value)
    assert str(refused.value).endswith("leave SIGNUM_API_PASSWORD unset")


@pytest.mark.parametrize("role", ["signum_operator", "signum_reader"])
def test_hash_of_a_key_is_seen_by_no_person(
    database: TestDatabase, as_role: AsRole, printer_key: str, role: str
) -> None:
    person = as_role(role)
    shown = "SELECT client_name FROM client WHERE client_type = 'signum-printer' AND revoked_at IS NULL"
    assert person.fetch(shown) == [("desk 1",)]
    for statement in ("SELECT api_key_sha256 FROM client", "SELECT * FROM client", "TABLE client"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            person.fetch(statement)


def test_every_other_column_is_seen_by_the_reader(database: TestDatabase, as_role: AsRole) -> None:
    hidden = database.fetch(
        "SELECT attrelid::regclass::text, attname FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid "
        "WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v') AND attnum > 0 AND NOT attisdropped "
        "AND NOT has_column_privilege(%s, attrelid, attnum, 'SELECT')",
        as_role("signum_reader").parameters["user"],
    )
    assert {table for table, _ in hidden} == {"client", "console_session", "person"}


def test_rights_that_were_given_besides_are_taken_away(database: TestDatabase, as_role: AsRole) -> None:
    reader = as_role("signum_reader")
    database.fetch("GRANT UPDATE ON update_log TO signum_reader")
    database.fetch("GRANT SELECT (api_key_sha256) ON client TO signum_reader")
    assert grant_rights(database.parameters) == list(ROLES)
    for statement in ("UPDATE update_log SET outcome = 'pushed'", "SELECT api_key_sha256 FROM client"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.fetch(statement)


def test_migrate_makes_the_roles_whose_password_it_is_told(
    empty_database: TestDatabase, signum_process: Signum
) -> None:
    if empty_database.server.kind == "TEST_DATABASE_URL":
        pytest.skip("the roles of that server may be in use: their passwords are left alone")
    for password in ("ensimmäinen sana", "toinen"):
        told = empty_database.environment(signum_api_password=password)
        ran = signum_process("migrate", settings=told)
        assert (ran.code, "signum_api" in ran.err) == (0, True), ran.err
        as_api = {**empty_database.parameters, "user": "signum_api", "password": password}
        with psycopg.connect(**as_api) as connection:
            assert connection.execute("SELECT count(*) FROM sierra_item").fetchone() == (0,)
        ((stored,),) = empty_database.fetch("SELECT rolpassword FROM pg_authid WHERE rolname = 'signum_api'")
        assert stored.startswith("SCRAM-SHA-256$")
        assert password not in ran.out + ran.err
    empty_database.fetch("ALTER ROLE signum_api NOLOGIN PASSWORD NULL")
