"""The console as a process, and as the role that `signum migrate` makes for it: with no superuser anywhere."""

import os
import secrets
import signal
import socket
import subprocess
import sys
from dataclasses import replace

import httpx
import pytest
from psycopg import sql

from db.connections import DatabaseUnavailable
from db.schema.migrate import migrate
from db.schema.rights import grant_rights, make_logins
from sandbox.postgres import free_port
from tests.docs.markdown import HOUSE
from tests.fix_console import StartConsole, add_person
from tests.fix_postgres import TestDatabase

LIMIT_SECONDS = 60.0


@pytest.fixture
def database(own_database: TestDatabase) -> TestDatabase:
    """A database on a server of the module's own: roles are made and changed there."""
    return own_database


def owned(database: TestDatabase) -> TestDatabase:
    """The database as its owner sees it, who may make roles and is no superuser."""
    name, password = database.parameters["dbname"] + "_owner", secrets.token_urlsafe()
    given = {"owner": sql.Identifier(name), "password": sql.Literal(password)}
    with database.connect() as superuser:
        superuser.execute(sql.SQL("CREATE ROLE {owner} LOGIN CREATEROLE PASSWORD {password}").format(**given))
        superuser.execute("DROP SCHEMA public CASCADE")
        superuser.execute(sql.SQL("CREATE SCHEMA public AUTHORIZATION {owner}").format(**given))
        superuser.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
        statement = sql.SQL("ALTER DATABASE {} OWNER TO {owner}")
        superuser.execute(statement.format(sql.Identifier(database.parameters["dbname"]), **given))
    owner = replace(database, parameters={**database.parameters, "user": name, "password": password})
    migrate(owner.parameters)
    return owner


def test_role_that_migrate_makes_shows_pages_and_acts_and_can_no_more(
    database: TestDatabase, start_console: StartConsole
) -> None:
    owner = owned(database)
    for _ in range(2):  # a migration is repeated with every release
        make_logins(owner.parameters, {"signum_console": "sana"})
        grant_rights(owner.parameters)
    least = replace(database, parameters={**database.parameters, "user": "signum_console", "password": "sana"})
    console = start_console(**least.settings())
    console.submit("/sign-in", key=add_person(owner, "aino", "admin"))
    assert "desk 3 is added" in console.act("/stations", act="add", name="desk 3", type="etl")
    assert "Eino may use the console" in console.act("/people", act="add", name="Eino", role="viewer")
    assert console.get("/").status_code == 200
    for beyond in ("SELECT count(*) FROM update_queue", "UPDATE client SET revoked_at = now()", "SELECT * FROM client"):
        with pytest.raises(Exception, match="permission denied"):
            least.fetch(beyond)


def test_one_role_for_everything_does_without_the_others(database: TestDatabase, start_console: StartConsole) -> None:
    owner = owned(database)
    console = start_console(**owner.settings())
    console.submit("/sign-in", key=add_person(owner, "aino", "admin"))
    assert "desk 3 is added" in console.act("/stations", act="add", name="desk 3", type="etl")
    assert console.get("/").status_code == 200


class Console:
    """A console process."""

    def __init__(self, port: int, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from cli.main import run; run()", "console"],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(HOUSE), "CONSOLE_PORT": str(port), **environment},
            stderr=subprocess.PIPE,
            text=True,
        )

    def hear(self, words: str) -> None:
        """Return when the log has had the words."""
        assert self._process.stderr is not None
        heard = []
        for line in self._process.stderr:
            heard.append(line)
            if words in line:
                return
        raise AssertionError(f"{words} was not heard, but: {''.join(heard)}")

    def end(self, how: signal.Signals | None = None) -> tuple[int, str]:
        """Its exit code and the rest of its log, once it has had the signal."""
        if how is not None:
            self._process.send_signal(how)
        _, rest = self._process.communicate(timeout=LIMIT_SECONDS)
        return self._process.returncode, rest


def test_process_answers_until_it_is_told_to_stop(database: TestDatabase) -> None:
    port = free_port()
    console = Console(port, database.environment())
    console.hear("Uvicorn running")
    assert httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).text == "ok"
    code, said = console.end(signal.SIGTERM)
    assert (code, "Finished server process" in said, "before it served" in said) == (0, True, False), said


def test_port_that_is_taken_ends_it_with_a_line_that_says_so(database: TestDatabase) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, said = Console(taken.getsockname()[1], database.environment()).end()
    assert (code, "address already in use" in said) == (1, True), said


def test_header_that_anybody_may_send_is_refused_before_it_starts(database: TestDatabase) -> None:
    given = {"CONSOLE_USER_HEADER": "X-Forwarded-User", "CONSOLE_FORWARDED_ALLOW_IPS": "*"}
    code, said = Console(8080, {**database.environment(), **given}).end()
    assert (code, "name the proxies" in said) == (2, True), said


def test_owner_that_may_not_join_the_roles_is_told_how(database: TestDatabase) -> None:
    owner = owned(database)
    with database.connect() as superuser:
        superuser.execute("DROP ROLE IF EXISTS signum_console")
        superuser.execute("CREATE ROLE signum_console LOGIN NOINHERIT")
    with pytest.raises(DatabaseUnavailable, match="GRANT signum_operator, signum_reader TO signum_console"):
        grant_rights(owner.parameters)
