"""The database's encoding: UTF8, for titles are of all scripts. Another encoding is refused before a title is lost."""

from typing import Any

from psycopg import AsyncConnection, Connection

from db.connections import DatabaseUnavailable


def encoding_problem(connection: Connection[Any] | AsyncConnection[Any]) -> str | None:
    """The reason why this database can't store all texts, and what to do; None if it can. No statement is sent."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding in (None, "UTF8"):
        return None
    return (
        f"its encoding is {encoding}, which has no room for all titles: "
        f"make it anew with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
    )


def refuse_other_encodings(connection: Connection[Any] | AsyncConnection[Any]) -> None:
    """Raise DatabaseUnavailable unless the encoding is UTF8."""
    if problem := encoding_problem(connection):
        raise DatabaseUnavailable(problem)
