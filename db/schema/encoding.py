"""The database's encoding: UTF8, for titles are of all scripts. Another one is refused before it loses a title."""

from typing import Any

from psycopg import AsyncConnection, Connection

from db.connections import DatabaseUnavailable


def encoding_problem(connection: Connection[Any] | AsyncConnection[Any]) -> str | None:
    """Why texts can't be kept in this database, and what to do; None if they can. Asks nothing: the server told it."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding in (None, "UTF8"):
        return None
    return (
        f"its encoding is {encoding}, which has no room for all titles: "
        f"make it anew with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
    )


def refuse_other_encodings(connection: Connection[Any] | AsyncConnection[Any]) -> None:
    """DatabaseUnavailable unless it is UTF8."""
    if problem := encoding_problem(connection):
        raise DatabaseUnavailable(problem)
