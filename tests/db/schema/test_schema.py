"""The schema is what the migrations make; models and db/schema.sql say the same.

To renew db/schema.sql after a migration: `make schema`.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlmodel import SQLModel

import db.models
from db.schema.migrate import alembic_config, downgrade, migrate
from db.schema.version import known_revisions, schema_problem
from sandbox.postgres import programs
from tests.fix_postgres import TestDatabase
from tests.fix_renewal import assert_is_as_made

SCHEMA = Path(db.models.__file__).with_name("schema.sql")
HEADER = "-- The schema at head, for reading. Made by `make schema`; a test keeps it true.\n\n"
UNCOMMENTED = """
    SELECT kind, name FROM (
        SELECT 'relation' AS kind, c.oid::regclass::text AS name, obj_description(c.oid, 'pg_class') AS comment
        FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'i')
        UNION ALL
        SELECT 'column', a.attrelid::regclass || '.' || attname, col_description(attrelid, attnum)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v') AND attnum > 0 AND NOT attisdropped
        UNION ALL
        SELECT 'function', oid::regprocedure::text, obj_description(oid, 'pg_proc')
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL
        SELECT 'trigger', tgname::text, obj_description(oid, 'pg_trigger') FROM pg_trigger WHERE NOT tgisinternal
    ) AS things
    WHERE comment IS NULL AND name NOT LIKE 'alembic_version%%'
"""


def dump(parameters: dict[str, Any], *options: str) -> str:
    """The schema of a database as pg_dump writes it, without what is new in every dump."""
    command_line = [str(programs() / "pg_dump"), "--schema-only", "--no-owner", "--no-privileges", *options]
    where = ["-h", parameters["host"], "-p", str(parameters["port"]), "-U", parameters["user"], parameters["dbname"]]
    environment = {**os.environ, "PGPASSWORD": parameters["password"]}
    text = subprocess.run([*command_line, *where], env=environment, check=True, capture_output=True, text=True).stdout
    lines = [line for line in text.splitlines() if not line.startswith(("--", "\\", "SET ", "SELECT pg_catalog."))]
    return re.sub(r"\n{2,}", "\n\n", "\n".join(lines)).strip() + "\n"


def tables_of(schema: str) -> str:
    """Tables, columns, constraints, indexes and their comments: what models can say."""
    statements = re.split(r";\n", schema.replace("$$", ""))
    not_theirs = [
        "alembic_version",
        *(f"COMMENT ON COLUMN {view}." for view in re.findall(r"CREATE VIEW (\S+)", schema)),
    ]
    kept = [
        statement.strip()
        for statement in statements
        if re.match(r"(CREATE (UNIQUE )?(TABLE|INDEX)|ALTER TABLE|COMMENT ON (TABLE|COLUMN))", statement.strip())
        and not any(text in statement for text in not_theirs)
    ]
    return ";\n".join(sorted(kept))


def test_schema_sql_is_the_dump_of_head(database: TestDatabase) -> None:
    with database.connect() as connection:
        if connection.info.server_version < 160_000:
            pytest.skip("PostgreSQL 14 and 15 write views in another way")
    assert_is_as_made(SCHEMA, HEADER + dump(database.parameters))


def test_models_make_the_tables_that_the_migrations_make(database: TestDatabase, empty_database: TestDatabase) -> None:
    SQLModel.metadata.create_all(create_engine("postgresql+psycopg://", connect_args=empty_database.parameters))
    assert tables_of(dump(empty_database.parameters)) == tables_of(dump(database.parameters))


def test_alembic_finds_nothing_to_do_after_head(database: TestDatabase) -> None:
    config = alembic_config()
    with create_engine("postgresql+psycopg://", connect_args=database.parameters).connect() as connection:
        config.attributes["connection"] = connection
        command.check(config)


def test_up_down_up_gives_the_same_schema(empty_database: TestDatabase) -> None:
    nothing = dump(empty_database.parameters)
    dumps = {}
    for revision in known_revisions():
        migrate(empty_database.parameters, revision)
        dumps[revision] = dump(empty_database.parameters)
    for revision in reversed(known_revisions()[:-1]):
        downgrade(empty_database.parameters, revision)
        assert dump(empty_database.parameters) == dumps[revision]
    downgrade(empty_database.parameters, "base")
    assert dump(empty_database.parameters, "--exclude-table=alembic_version") == nothing
    migrate(empty_database.parameters)
    assert dump(empty_database.parameters) == dumps[known_revisions()[-1]]


def test_everything_in_the_schema_has_a_comment(database: TestDatabase) -> None:
    assert database.fetch(UNCOMMENTED) == []


def test_revisions_known_from_file_names_are_alembics_own() -> None:
    script = ScriptDirectory.from_config(alembic_config())
    assert known_revisions() == tuple(reversed([step.revision for step in script.walk_revisions()]))


def test_only_a_schema_behind_head_is_a_problem() -> None:
    *earlier, head = known_revisions()
    assert schema_problem(head) is None
    assert schema_problem("9999") is None, "a newer release's migrations keep this one running"
    assert "signum migrate" in (schema_problem(None) or "")
    for revision in earlier:
        assert "behind" in (schema_problem(revision) or "")


def test_a_second_migrator_waits_for_the_first(empty_database: TestDatabase) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "cli.main", "migrate"],
            env={**os.environ, **empty_database.environment()},
            stderr=subprocess.PIPE,
        )
        for _ in range(3)
    ]
    results = [(process.communicate(timeout=60)[1], process.returncode) for process in processes]
    assert [code for _, code in results] == [0, 0, 0], results
    assert empty_database.fetch("SELECT version_num FROM alembic_version") == [(known_revisions()[-1],)]
