"""Fixture `as_role`: the test's database as one of our roles sees it, by a login of its own that is a member.

The roles belong to the server, not to the database: they stay. Logins are made and dropped by test; nobody's password
is touched.
"""

import contextlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql

from db.schema.rights import CONSOLE, ROLES, grant_rights
from tests.fix_postgres import TestDatabase

AsRole = Callable[[str], TestDatabase]


@pytest.fixture
def as_role(database: TestDatabase) -> Iterator[AsRole]:
    """The database as a member of that role sees it."""
    with database.connect() as owner:
        for role in ROLES:
            with contextlib.suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
                inherits = sql.SQL("NOINHERIT" if role == CONSOLE else "INHERIT")
                owner.execute(sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(role), inherits))
    grant_rights(database.parameters)
    made: dict[str, TestDatabase] = {}

    def member_of(role: str) -> TestDatabase:
        if role not in made:
            login, password = f"{database.parameters['dbname']}_{role}_{secrets.token_hex(4)}", secrets.token_urlsafe()
            statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE {}")
            with database.connect() as owner:
                owner.execute(statement.format(sql.Identifier(login), sql.Literal(password), sql.Identifier(role)))
            parameters = {**database.parameters, "user": login, "password": password}
            made[role] = replace(database, parameters=parameters)
        return made[role]

    yield member_of
    with database.connect() as owner:
        for member in made.values():
            owner.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(member.parameters["user"])))
