"""Five database roles with least rights, for installations that don't want one role for everything.

Their rights stand in db/sql/rights.sql. A role that the server hasn't got is passed over: all are optional.
"""

from collections.abc import Mapping

import psycopg
from psycopg import sql

from db.connections import DatabaseUnavailable, Parameters, connect, one_line
from runtime.statements import load

SQL = load("db", "rights")

ROLES = ("signum_api", "signum_console", "signum_notifier", "signum_operator", "signum_reader")
CONSOLE = "signum_console"
OF_CONSOLE = ("signum_operator", "signum_reader")  # that it takes for a transaction


def grant_rights(parameters: Parameters) -> list[str]:
    """Give the existing roles exactly their rights on the schema as it is now. Return the roles."""
    with connect(parameters) as connection:
        connection.execute(SQL["one_at_a_time"])
        there = _find_roles(connection)
        for role in there:
            connection.execute(SQL[role])
        if CONSOLE in there:
            _join_console_to_roles(connection)
    return there


def _join_console_to_roles(connection: psycopg.Connection) -> None:
    """Let the console take the roles that it needs for a transaction. Nothing to do where it may."""
    if connection.execute(SQL["console_has_roles"], {"names": list(OF_CONSOLE)}).fetchone() == (True,):
        return
    try:
        connection.execute(SQL["join_console_to_roles"])
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedObject) as error:
        raise DatabaseUnavailable(
            f"signum_console is no member of signum_operator and signum_reader ({one_line(error)}): make them and run "
            '"GRANT signum_operator, signum_reader TO signum_console" as a superuser, then "signum migrate"'
        ) from error


def make_logins(parameters: Parameters, passwords: Mapping[str, str]) -> None:
    """Make each of these roles, or set its password. Only the password's hash goes over the wire.

    The console takes two other roles for its transactions: they are made with it, and let nobody in.
    """
    with connect(parameters) as connection:
        connection.execute(SQL["one_at_a_time"])
        there = _find_roles(connection)
        for role, password in passwords.items():
            hashed = connection.pgconn.encrypt_password(password.encode(), role.encode()).decode()
            verb = sql.SQL("ALTER" if role in there else "CREATE")
            statement = sql.SQL("{} ROLE {} LOGIN PASSWORD {}")
            try:
                connection.execute(statement.format(verb, sql.Identifier(role), sql.Literal(hashed)))
            except psycopg.errors.InsufficientPrivilege as error:
                owner = connection.info.user
                raise DatabaseUnavailable(
                    f"{owner} may not make {role} or set its password ({one_line(error)}): as a superuser run "
                    f'"ALTER ROLE {owner} CREATEROLE", or make it by hand and leave {role.upper()}_PASSWORD unset'
                ) from error
        if CONSOLE in passwords:
            for role in set(OF_CONSOLE) - set(there) - passwords.keys():
                connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))


def _find_roles(connection: psycopg.Connection) -> list[str]:
    return [name for (name,) in connection.execute(SQL["find_roles"], {"names": list(ROLES)})]
