"""The three queues of the chaos: how each is installed, and how a job is put in. Each has a database of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from bench.ground import Ground, Simulator
from sandbox.catalogue import Item
from sandbox.processes import Process
from sandbox.settings import sierra_settings

Put = Callable[[Item], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue. `install` and `open` take a connection string; what `open` gives puts in a job."""

    name: str
    database: str
    install: Callable[[str], Coroutine[Any, Any, None]]
    open: Callable[[str], AbstractAsyncContextManager[Put]]

    def dsn(self, ground: Ground) -> str:
        """The connection string of its database."""
        return make_conninfo(ground.dsn, dbname=self.database)

    def worker(self, ground: Ground, sierra: Simulator) -> Process:
        """A worker, not started yet: ours is `signum notifier`."""
        if self.name == "signum":
            return ground.process("notifier", "cli.main", "notifier", **sierra_settings(sierra.endpoint))
        return ground.process(self.name, "bench.chaos_worker", self.name, self.dsn(ground), sierra.endpoint)


async def _install_nothing(dsn: str) -> None:
    """Our tables are there."""


@asynccontextmanager
async def _open_ours(dsn: str) -> AsyncIterator[Put]:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        yield lambda item: connection.execute("INSERT INTO update_queue (item_record_id) VALUES (%s)", [item.record_id])


async def _install_pgqueuer(dsn: str) -> None:
    """With autovacuum as its page on deployment asks for."""
    async with _pgqueuer_queries(dsn) as queries:
        await queries.install()
        await queries.optimize_autovacuum()


@asynccontextmanager
async def _open_pgqueuer(dsn: str) -> AsyncIterator[Put]:
    async with _pgqueuer_queries(dsn) as queries:
        yield lambda item: queries.enqueue("push", str(item.number).encode())


@asynccontextmanager
async def _pgqueuer_queries(dsn: str) -> AsyncIterator[Any]:
    from pgqueuer.db import PsycopgDriver
    from pgqueuer.queries import Queries

    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        yield Queries(PsycopgDriver(connection))


async def _install_procrastinate(dsn: str) -> None:
    app = procrastinate_app(dsn)
    async with app.open_async():
        await app.schema_manager.apply_schema_async()


@asynccontextmanager
async def _open_procrastinate(dsn: str) -> AsyncIterator[Put]:
    app = procrastinate_app(dsn)
    async with app.open_async():
        yield lambda item: app.tasks["push"].defer_async(number=item.number)


def procrastinate_app(dsn: str, push: Callable[[int], Awaitable[None]] | None = None) -> Any:
    """The app with its one task."""
    from procrastinate import App, PsycopgConnector

    app = App(connector=PsycopgConnector(conninfo=dsn))

    @app.task(name="push")
    async def task(number: int) -> None:
        assert push is not None
        await push(number)

    return app


QUEUES = (
    Queue("signum", "postgres", _install_nothing, _open_ours),
    Queue("PgQueuer", "pgqueuer", _install_pgqueuer, _open_pgqueuer),
    Queue("procrastinate", "procrastinate", _install_procrastinate, _open_procrastinate),
)
