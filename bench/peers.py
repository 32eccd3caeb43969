"""Two peers on the same PostgreSQL, with jobs that do nothing: PgQueuer and procrastinate."""

import contextlib
import time
from collections.abc import Iterator

import psycopg
from procrastinate import App, PsycopgConnector

from bench.ground import Ground

AT_ONCE = 1_000  # jobs per statement when they are put in


async def drain_pgqueuer(ground: Ground, jobs: int, batch: int) -> float:
    """Drain with PgQueuer. Return the seconds to the last job."""
    from pgqueuer import PgQueuer
    from pgqueuer.db import PsycopgDriver
    from pgqueuer.models import Job
    from pgqueuer.queries import Queries
    from pgqueuer.types import QueueExecutionMode

    done, ended = 0, 0.0
    with _database(ground, "pgqueuer") as dsn:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            await connection.execute("SET synchronous_commit = off")  # what ours may, they may
            driver = PsycopgDriver(connection)
            queries = Queries(driver)
            await queries.install()
            for _ in range(0, jobs, AT_ONCE):
                await queries.enqueue(["job"] * AT_ONCE, [b"x"] * AT_ONCE, [0] * AT_ONCE)
            worker = PgQueuer(driver)

            @worker.entrypoint("job")
            async def job(_: Job) -> None:
                nonlocal done, ended
                done += 1
                ended = time.perf_counter()

            began = time.perf_counter()
            await worker.run(batch_size=batch, mode=QueueExecutionMode.drain)
    assert done == jobs, f"{done} of {jobs} were done"
    return ended - began


async def drain_procrastinate(ground: Ground, jobs: int, batch: int) -> float:
    """Drain with procrastinate. Return the seconds to the last job. `batch`: its concurrency, it fetches one by one."""
    done, ended = 0, 0.0
    with _database(ground, "procrastinate") as dsn:
        options = "-c synchronous_commit=off"
        size = min(batch + 2, 12)
        app = App(connector=PsycopgConnector(conninfo=f"{dsn} options='{options}'", min_size=size, max_size=size))

        @app.task(name="job", queue="queue")
        async def job(number: int) -> None:
            nonlocal done, ended
            done += 1
            ended = time.perf_counter()

        async with app.open_async():
            await app.schema_manager.apply_schema_async()
            for first in range(0, jobs, AT_ONCE):
                await job.batch_defer_async(*({"number": first + place} for place in range(AT_ONCE)))  # type: ignore[arg-type,unused-ignore]
            began = time.perf_counter()
            await app.run_worker_async(
                queues=["queue"], concurrency=batch, wait=False, delete_jobs="always", install_signal_handlers=False
            )
    assert done == jobs, f"{done} of {jobs} were done"
    return ended - began


@contextlib.contextmanager
def _database(ground: Ground, name: str) -> Iterator[str]:
    with ground.connect() as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield ground.postgres.dsn(name, tcp=True)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
