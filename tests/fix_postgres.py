"""The tests meet a real PostgreSQL: TEST_DATABASE_URL's, else a container, else the embedded one.

Each test that asks for `database` gets a database of its own, made from a migrated template: a test that commits can
hear its notifications, and none sees another's rows.
"""

import asyncio
import contextlib
import itertools
import os
import secrets
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import docker
import psycopg
import pytest
from docker.errors import DockerException
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from pydantic import BeforeValidator
from pydantic_settings import BaseSettings
from testcontainers.community.postgres import PostgresContainer

from db.schema.migrate import migrate
from sandbox.postgres import EmbeddedPostgres, Version

TEMPLATE = f"signum_template_{os.getpid()}"  # several runs may share a server
ROOM_BYTES = 4 << 30
numbers = itertools.count(1)


class PostgresChoice(BaseSettings):
    """The tests' PostgreSQL as the environment names it: a libpq URL of a superuser's, or which version ours is."""

    test_database_url: str | None = None
    test_postgres_version: Annotated[Version, BeforeValidator(int)] = 18


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server for the whole run."""

    kind: str
    parameters: dict[str, Any]
    embedded: EmbeddedPostgres | None = None

    def execute(self, *statements: sql.Composed, dbname: str = "postgres") -> None:
        """Run the statements, each by itself, outside a transaction."""
        with psycopg.connect(**{**self.parameters, "dbname": dbname}, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    @contextlib.contextmanager
    def standby_away(self) -> Iterator[None]:
        """Each commit waits for a synchronous standby that is not there."""
        reload = sql.SQL("SELECT pg_reload_conf()").format()
        try:
            self.execute(sql.SQL("ALTER SYSTEM SET synchronous_standby_names = 'nobody'").format(), reload)
            # Commits wait once the checkpointer has seen it, which it has done before it serves a later request.
            self.execute(sql.SQL("CHECKPOINT").format())
            yield
        finally:
            self.execute(sql.SQL("ALTER SYSTEM RESET synchronous_standby_names").format(), reload)

    def create(self, name: str, template: str = "template1") -> None:
        """Make a database, a copy of `template`, in place of one of that name."""
        # Our own servers don't wait for the disk: copied as files, half the time and next to no WAL. Since 15.
        strategy = sql.SQL("" if self.kind == "TEST_DATABASE_URL" else "STRATEGY FILE_COPY")
        names = (sql.Identifier(name), sql.Identifier(template))
        self.execute(_drop(name), sql.SQL("CREATE DATABASE {} TEMPLATE {} {}").format(*names, strategy))

    def drop(self, name: str) -> None:
        """Drop a database, its sessions too."""
        self.execute(_drop(name))


def _drop(name: str) -> sql.Composed:
    return sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))


@dataclass(frozen=True)
class TestDatabase:
    """A migrated database of one test."""

    __test__ = False

    parameters: dict[str, Any]
    server: Server

    def settings(self, **others: Any) -> dict[str, Any]:
        """The settings that lead here, with `others`."""
        return {
            "db_host": self.parameters["host"],
            "db_port": self.parameters["port"],
            "db_user": self.parameters["user"],
            "db_password": self.parameters["password"],
            "db_name": self.parameters["dbname"],
            **others,
        }

    def environment(self, **others: Any) -> dict[str, str]:
        """The same as environment variables, for a process."""
        given = {"settings_file": os.devnull, **self.settings(**others)}
        return {name.upper(): str(value) for name, value in given.items()}

    def connect(self) -> psycopg.Connection[Any]:
        """A connection in autocommit."""
        return psycopg.connect(**self.parameters, autocommit=True)

    async def aconnect(self) -> psycopg.AsyncConnection[Any]:
        """An asynchronous connection in autocommit."""
        return await psycopg.AsyncConnection.connect(**self.parameters, autocommit=True)

    def fetch(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of one statement."""
        with self.connect() as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def add_item(self, number: int, **columns: Any) -> int:
        """Put an item into the catalogue; its item_record_id."""
        item = {
            "item_record_id": 450_971_566_080 + number,
            "item_number": str(number),
            "barcode": f"3301{number:010}",
            "best_title": f"Kirja {number}",
            "classification": "84.31",
            "updated_at": "2026-11-01T00:00:00+00:00",
            **columns,
        }
        names = sql.SQL(", ").join(map(sql.Identifier, item))
        values = sql.SQL(", ").join(map(sql.Placeholder, item))
        with self.connect() as connection:
            connection.execute(sql.SQL("INSERT INTO sierra_item ({}) VALUES ({})").format(names, values), item)
        return int(item["item_record_id"])


def _docker_answers() -> bool:
    try:
        docker.from_env(timeout=5).ping()
    except DockerException:
        return False
    return True


def pytest_report_header() -> str:
    """Say which PostgreSQL the tests meet."""
    choice = PostgresChoice()
    if choice.test_database_url:
        return "postgresql: TEST_DATABASE_URL"
    where = "a container (a Docker engine answers)" if _docker_answers() else "embedded"
    return f"postgresql: {choice.test_postgres_version}, {where}"


@contextlib.contextmanager
def _start_server() -> Iterator[Server]:
    choice = PostgresChoice()
    url, version = choice.test_database_url, choice.test_postgres_version
    with contextlib.ExitStack() as stack:
        if url:
            given = {"host": "localhost", "port": 5432, "password": "", **conninfo_to_dict(url)}
            server = Server("TEST_DATABASE_URL", given)
            refuse_a_librarys(server)
        elif _docker_answers() and (container := _start_container(stack, f"postgres:{version}")):
            server = container
        else:
            embedded = stack.enter_context(EmbeddedPostgres(memory(), tcp=True, version=version))
            server = Server("embedded", conninfo_to_dict(embedded.dsn(tcp=True)), embedded)
        yield server


def refuse_a_librarys(server: Server) -> None:
    """End the run where the server holds a Signum-savotta: tests make databases, and roles for the whole server."""
    others = "datallowconn AND NOT datistemplate AND NOT starts_with(datname, 'signum_t')"
    with psycopg.connect(**{**server.parameters, "dbname": "postgres"}) as connection:
        names = [name for (name,) in connection.execute(f"SELECT datname FROM pg_database WHERE {others}")]
    for name in names:
        with psycopg.connect(**{**server.parameters, "dbname": name}) as connection:
            if connection.execute("SELECT to_regclass('update_queue')").fetchone() != (None,):
                pytest.exit(
                    f"TEST_DATABASE_URL: database {name} of that server is a Signum-savotta's. "
                    "The tests need a server of their own",
                    returncode=4,
                )


def memory() -> Path | None:
    """A folder that is no disk: a database there costs a third. None where there is none, or too little room in it."""
    folder = Path("/dev/shm")
    return folder if os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > ROOM_BYTES else None


def _start_container(stack: contextlib.ExitStack, image: str) -> Server | None:
    """A container; None, with a warning, where the engine can't get its images."""
    try:
        started = PostgresContainer(image, password=secrets.token_urlsafe(16), driver=None)
        container = stack.enter_context(started)
    except DockerException as error:
        warnings.warn(f"no container, the embedded PostgreSQL instead: {error}", stacklevel=1)
        return None
    return Server(f"container {image}", conninfo_to_dict(container.get_connection_url()))


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The server, with a migrated template."""
    with _start_server() as started:
        if started.kind != "TEST_DATABASE_URL":  # a database per test: its files need not survive a power cut
            started.execute(
                sql.SQL("ALTER SYSTEM SET fsync = off").format(),
                sql.SQL("ALTER SYSTEM SET max_wal_size = '256MB'").format(),
                sql.SQL("SELECT pg_reload_conf()").format(),
            )
        make_template(started)
        yield started
        started.drop(TEMPLATE)


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """An embedded server of the module's own, to be restarted, crashed and locked up; durable as in earnest."""
    with EmbeddedPostgres(tcp=True, version=PostgresChoice().test_postgres_version) as embedded:
        started = Server("embedded", conninfo_to_dict(embedded.dsn(tcp=True)), embedded)
        make_template(started)
        yield started


def make_template(server: Server) -> None:
    """A migrated database, to copy."""
    server.create(TEMPLATE)
    migrate({**server.parameters, "dbname": TEMPLATE})


@pytest.fixture
def empty_database(server: Server) -> Iterator[TestDatabase]:
    """A database without a schema."""
    yield from make_database(server, "template1")


@pytest.fixture
def database(server: Server) -> Iterator[TestDatabase]:
    """A migrated database."""
    yield from make_database(server, TEMPLATE)


@pytest.fixture
def own_database(own_server: Server) -> Iterator[TestDatabase]:
    """A migrated database on `own_server`. A module whose `database` it is has all fixtures on it."""
    yield from make_database(own_server, TEMPLATE)


def make_database(server: Server, template: str = TEMPLATE) -> Iterator[TestDatabase]:
    """A copy of it, dropped at the end."""
    name = f"signum_test_{os.getpid()}_{next(numbers)}"
    server.create(name, template)
    try:
        yield TestDatabase({**server.parameters, "dbname": name}, server)
    finally:
        server.drop(name)


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Asynchronous tests run on asyncio, as the processes do."""
    return "asyncio", {"loop_factory": asyncio.new_event_loop}
