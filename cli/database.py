"""How does a command reach the database? With one connection, for as long as it asks.

SQLAlchemy is imported only then: it takes longer to load than `signum --help` to answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction, UndefinedColumn, UndefinedTable

from cli.fence import Unreachable
from db.queue import Connection
from runtime.settings import DatabaseSettings, read_settings

Answer = TypeVar("Answer")


def ask(work: Callable[[Connection], Awaitable[Answer]], settings: DatabaseSettings | None = None) -> Answer:
    """What `work` answers, given a connection on which each statement is its own commit. Else Unreachable."""
    database = settings or read_settings(DatabaseSettings)
    with reaching(database):
        return asyncio.run(_ask(work, database))


async def _ask(work: Callable[[Connection], Awaitable[Answer]], settings: DatabaseSettings) -> Answer:
    from db.engine import connection_parameters

    parameters: dict[str, Any] = connection_parameters(settings, "signum")
    async with await psycopg.AsyncConnection.connect(**parameters, autocommit=True) as connection:
        return await work(connection)


@contextmanager
def reaching(settings: DatabaseSettings) -> Iterator[None]:
    """What keeps us from the database becomes Unreachable, with its address. Other errors are bugs and stay."""
    from sqlalchemy.exc import DBAPIError

    from db.engine import DatabaseUnavailable, one_line

    try:
        yield
    except (psycopg.Error, DBAPIError, DatabaseUnavailable) as error:
        match error.orig if isinstance(error, DBAPIError) else error:
            case UndefinedTable() | UndefinedColumn():
                reason = 'the schema is not up to date: run "signum migrate"'
            case (
                psycopg.OperationalError() | InsufficientPrivilege() | ReadOnlySqlTransaction() | DatabaseUnavailable()
            ) as cause:
                reason = one_line(cause)
            case _:
                raise
        where = f"{settings.db_name} at {settings.db_host}:{settings.db_port}"
        raise Unreachable(f"database {where}: {reason}") from error
