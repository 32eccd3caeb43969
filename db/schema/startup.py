"""The wait of a starting process until the database answers and its schema is ready."""

import asyncio
import logging

import psycopg

from db.connections import DatabaseUnavailable, Parameters, aconnect, one_line, wait_for_database
from db.schema.encoding import refuse_other_encodings
from db.schema.version import schema_problem, warn_if_newer
from runtime.statements import load

log = logging.getLogger("signum.db")

SQL = load("db", "schema")


async def prepare_database(parameters: Parameters, *, migrate: bool, at_most_seconds: float = 60.0) -> None:
    """Return when the database answers and its schema is at head; with `migrate`, bring it there.

    DatabaseUnavailable, with what to do, if that takes longer than `at_most_seconds` (a migration under way is waited
    for a minute), if the database goes away, or if our role may not do it.
    """
    await wait_for_database(parameters, at_most_seconds)
    try:
        problem = await read_schema_problem(parameters)
        if problem and migrate:
            log.info("migrating: %s", problem)
            await asyncio.to_thread(_migrate, parameters)
            problem = await read_schema_problem(parameters)
        end = asyncio.get_running_loop().time() + at_most_seconds
        while problem:
            if asyncio.get_running_loop().time() > end:
                raise DatabaseUnavailable(problem)
            log.warning("waiting for the schema: %s", problem)
            await asyncio.sleep(1.0)
            problem = await read_schema_problem(parameters)
    except psycopg.Error as error:
        raise DatabaseUnavailable(one_line(error)) from error


async def read_schema_problem(parameters: Parameters) -> str | None:
    """The reason why this release can't work with the schema, or None. A newer schema is logged only."""
    async with await aconnect(parameters) as connection:
        refuse_other_encodings(connection)
        try:
            row = await (await connection.execute(SQL["version"])).fetchone()
        except psycopg.errors.UndefinedTable:
            row = None
    revision = row[0] if row else None
    if revision is not None:
        warn_if_newer(revision)
    return schema_problem(revision)


def _migrate(parameters: Parameters) -> None:
    # Alembic takes a third of a second, SQLAlchemy 11 MiB that the notifier needs for nothing else.
    from sqlalchemy.exc import DBAPIError

    from db.schema.migrate import migrate
    from db.schema.rights import grant_rights

    try:
        migrate(parameters)
        grant_rights(parameters)
    except DBAPIError as error:
        raise DatabaseUnavailable(one_line(error)) from error
