"""Four database roles with least rights, for installations that don't want one role for everything.

Their rights stand in db/sql/rights.sql. A role that the server hasn't got is passed over: all are optional.
"""

from collections.abc import Mapping

import psycopg
from psycopg import sql

from db.connections import Parameters, connect
from runtime.statements import load

SQL = load("db", "rights")

ROLES = ("signum_api", "signum_notifier", "signum_operator", "signum_reader")


def grant_rights(parameters: Parameters) -> list[str]:
    """Give the existing roles exactly their rights on the schema as it is now. Return the roles."""
    with connect(parameters) as connection:
        connection.execute(SQL["one_at_a_time"])
        there = _find_roles(connection)
        for role in there:
            connection.execute(SQL[role])
    return there


def make_logins(parameters: Parameters, passwords: Mapping[str, str]) -> None:
    """Make each of these roles, or set its password. Only the password's hash goes over the wire."""
    with connect(parameters) as connection:
        connection.execute(SQL["one_at_a_time"])
        there = _find_roles(connection)
        for role, password in passwords.items():
            hashed = connection.pgconn.encrypt_password(password.encode(), role.encode()).decode()
            verb = sql.SQL("ALTER" if role in there else "CREATE")
            statement = sql.SQL("{} ROLE {} LOGIN PASSWORD {}")
            connection.execute(statement.format(verb, sql.Identifier(role), sql.Literal(hashed)))


def _find_roles(connection: psycopg.Connection) -> list[str]:
    return [name for (name,) in connection.execute(SQL["find_roles"], {"names": list(ROLES)})]
