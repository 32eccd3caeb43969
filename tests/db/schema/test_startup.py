"""A process that starts gets a database that is ready, or a sentence that says why there is none."""

import psycopg
import pytest

from db.connections import DatabaseUnavailable
from db.schema.startup import prepare_database
from db.schema.version import known_revisions
from tests.fix_postgres import TestDatabase

VERSION = "SELECT version_num FROM alembic_version"


async def test_an_empty_database_is_brought_to_head(empty_database: TestDatabase) -> None:
    await prepare_database(empty_database.parameters, migrate=True)
    assert empty_database.fetch(VERSION) == [(known_revisions()[-1],)]


async def test_a_schema_that_is_never_made_is_waited_for_and_then_named(empty_database: TestDatabase) -> None:
    with pytest.raises(DatabaseUnavailable, match="signum migrate"):
        await prepare_database(empty_database.parameters, migrate=False, at_most_seconds=0.5)


async def test_a_role_that_may_not_migrate_is_told_so(empty_database: TestDatabase) -> None:
    name, password = f"reader_of_{empty_database.parameters['dbname']}", "only to look"
    with empty_database.connect() as owner:
        if owner.info.server_version < 150_000:
            pytest.skip("in PostgreSQL 14 everybody may make tables in the schema public: see SECURITY.md")
        owner.execute(
            psycopg.sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(psycopg.sql.Identifier(name), password)
        )
    try:
        with pytest.raises(DatabaseUnavailable, match="permission denied"):
            await prepare_database({**empty_database.parameters, "user": name, "password": password}, migrate=True)
    finally:
        empty_database.fetch(f"DROP ROLE {name}")
