"""A worker of a peer's queue, as a process: each job reads and writes an item at Sierra, by httpx alone.

`python -m bench.chaos_worker PgQueuer|procrastinate DSN SIERRA`. Set up as the peers' own pages on production say:
PgQueuer with its defaults and `shutdown_on_listener_failure`, for a supervisor to start it anew; procrastinate with the
periodic task that retries stalled jobs, but each minute, where its page has each tenth.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable

import psycopg

from bench.ground import SIERRA_ITEMS, Simulator
from bench.httpx_alone import BareClient
from sandbox.catalogue import make_catalogue

AT_ONCE = 10

Push = Callable[[int], Awaitable[None]]


def main() -> None:
    """Work until killed, or until the queue's own code gives up."""
    queue, dsn, endpoint = sys.argv[1:]
    asyncio.run(_work({"PgQueuer": _pgqueuer, "procrastinate": _procrastinate}[queue], dsn, endpoint))


async def _work(run: Callable[[str, Push], Awaitable[None]], dsn: str, endpoint: str) -> None:
    items = {item.number: item for item in make_catalogue(SIERRA_ITEMS)}
    async with BareClient(Simulator(endpoint, 0), AT_ONCE) as client:

        async def push(number: int) -> None:
            await client.read([items[number]])
            await client.write(items[number])

        await run(dsn, push)


async def _pgqueuer(dsn: str, push: Push) -> None:
    from pgqueuer import PgQueuer
    from pgqueuer.db import PsycopgDriver
    from pgqueuer.models import Job

    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        worker = PgQueuer(PsycopgDriver(connection))

        @worker.entrypoint("push")
        async def job(job: Job) -> None:
            await push(int(job.payload or b""))

        await worker.run(batch_size=AT_ONCE, shutdown_on_listener_failure=True)


async def _procrastinate(dsn: str, push: Push) -> None:
    from bench.chaos_queues import procrastinate_app

    app = procrastinate_app(dsn, push)

    async def retry_stalled_jobs(timestamp: int) -> None:
        for job in await app.job_manager.get_stalled_jobs():
            await app.job_manager.retry_job(job)

    task = app.task(name="retry_stalled_jobs", queueing_lock="retry_stalled_jobs")(retry_stalled_jobs)
    app.periodic(cron="* * * * *")(task)
    async with app.open_async():
        await app.run_worker_async(concurrency=AT_ONCE)


if __name__ == "__main__":
    main()
