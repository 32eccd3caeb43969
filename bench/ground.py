"""The ground of every measurement: real processes of this machine, PostgreSQL, Sierra's simulator, api and notifier.

All as in production: PostgreSQL with its own settings and fsync, over TCP; each process by its command.
"""

import contextlib
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg.conninfo import make_conninfo

from bench.catalogue import fill_catalogue
from sandbox import processes
from sandbox.catalogue import Item, make_catalogue
from sandbox.demo import ordinary_items
from sandbox.guard import Guard
from sandbox.postgres import EmbeddedPostgres, free_port
from sandbox.processes import Process
from sandbox.settings import SIERRA_KEY, SIERRA_SECRET, database_settings, sierra_settings
from sandbox.sierra import PREFIX
from sandbox.system import add_client, is_ready

SIERRA_ITEMS = 3_000  # the first of the catalogue: only these may be marked
PATIENCE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Api:
    """An api process and a key for each client."""

    process: Process
    url: str
    printer_key: str
    etl_key: str


@dataclass(frozen=True, slots=True)
class Simulator:
    """A Sierra whose answers take `latency_ms`."""

    endpoint: str
    latency_ms: float

    @property
    def url(self) -> str:
        """The address of its journal."""
        return self.endpoint.removesuffix(PREFIX)

    def journal(self, **query: str) -> list[dict[str, Any]]:
        """The requests to it so far."""
        entries: list[dict[str, Any]] = httpx.get(
            f"{self.url}/_sandbox/journal", params=query, timeout=60, trust_env=False
        ).json()
        return entries

    def put_arrived_ns(self, item: Item) -> int:
        """Wait for the first PUT of the item. Return its arrival on the clock of `time.monotonic_ns`."""
        query = {"kind": "put_item", "item": str(item.number), "seconds": "10"}
        puts = httpx.get(f"{self.url}/_sandbox/journal/wait", params=query, timeout=15, trust_env=False).json()
        arrived_ns: int = puts[0]["arrived_ns"]
        return arrived_ns

    def forget(self) -> None:
        """Empty the journal."""
        httpx.delete(f"{self.url}/_sandbox/journal", timeout=60, trust_env=False)


class Ground:
    """A migrated database with a catalogue, and those processes that a row asks for."""

    def __init__(self, postgres: EmbeddedPostgres, port: int, folder: Path, guard: Guard) -> None:
        """`port` leads to `postgres`, which may be behind a wire."""
        self.postgres = postgres
        self.dsn = make_conninfo(postgres.dsn(tcp=True), port=port)
        self.settings = {**database_settings(postgres), "DB_HOST": postgres.tcp_host, "DB_PORT": str(port)}
        self.items: Sequence[Item] = ordinary_items(make_catalogue(SIERRA_ITEMS))
        self._folder, self._guard = folder, guard

    def connect(self, **parameters: Any) -> psycopg.Connection[Any]:
        """Open a connection in autocommit."""
        return psycopg.connect(self.dsn, autocommit=True, **parameters)

    @contextlib.contextmanager
    def start_sierra(self, latency_ms: float = 0) -> Iterator[Simulator]:
        """Start a simulator with the first items of the catalogue."""
        options = {"port": 0, "items": SIERRA_ITEMS, "key": SIERRA_KEY, "secret": SIERRA_SECRET}
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        with self.process("sierra", "sandbox.sierra", *words, "--latency-ms", str(latency_ms)) as process:
            process.wait_for_words("\n")
            yield Simulator(process.log.read_text().splitlines()[0], latency_ms)

    @contextlib.contextmanager
    def start_api(self, **settings: str) -> Iterator[Api]:
        """Start an api process, and wait until it is ready."""
        url = f"http://127.0.0.1:{(port := free_port())}"
        with self.process("api", "cli.main", "api", API_PORT=str(port), **settings) as process:
            process.wait_until(lambda: is_ready(url))
            keys = [add_client(self.settings, kind) for kind in ("signum-printer", "etl")]
            yield Api(process, url, *keys)

    @contextlib.contextmanager
    def start_notifier(self, sierra: Simulator, **settings: str) -> Iterator[Process]:
        """Start a notifier, and wait until it listens."""
        with self.process(
            "notifier", "cli.main", "notifier", **sierra_settings(sierra.endpoint), **settings
        ) as process:
            process.wait_for_words(" listening")
            yield process

    @contextlib.contextmanager
    def start_module(self, module: str, *arguments: str, **settings: str) -> Iterator[Process]:
        """Start another process, with the settings that lead to the database."""
        with self.process(module, module, *arguments, **settings) as process:
            yield process

    def process(self, name: str, module: str, *arguments: str, **settings: str) -> Process:
        """A process with the settings that lead to the database, not started yet."""
        log = self._folder / f"{name}-{len(list(self._folder.iterdir()))}.log"
        return Process(name, module, *arguments, log=log, settings={**self.settings, **settings}, guard=self._guard)

    def mark(self, items: Sequence[Item]) -> None:
        """Mark items as a DBA does: all in one statement, with one notification."""
        with self.connect() as connection:
            connection.execute(
                "INSERT INTO update_queue AS q (item_record_id, priority) SELECT unnest(%s::bigint[]), 0 "
                "ON CONFLICT (item_record_id) DO UPDATE SET revision = q.revision + 1, due_at = now()",
                [[item.record_id for item in items]],
            )

    def forget_history(self) -> None:
        """Forget all pushes: this Sierra is another one, or its records were set back.

        By that history it would not have kept the writes: the next push of each item would be read back to prove it.
        """
        with self.connect() as connection:
            connection.execute("TRUNCATE update_log")

    def wait_until_drained(self) -> None:
        """Wait until the queue is empty. Raise TimeoutError after PATIENCE_SECONDS."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        with self.connect() as connection:
            while connection.execute("SELECT EXISTS (SELECT FROM update_queue)").fetchone() != (False,):
                if time.monotonic() > give_up_at:
                    raise TimeoutError("the queue was not drained in time")
                time.sleep(0.05)


@contextlib.contextmanager
def prepare_ground(items: int) -> Iterator[Ground]:
    """Start a new PostgreSQL with this many items, and remove it on exit."""
    with EmbeddedPostgres(tcp=True) as postgres, lay_ground(items, postgres, postgres.port) as ground:
        yield ground


@contextlib.contextmanager
def lay_ground(items: int, postgres: EmbeddedPostgres, port: int) -> Iterator[Ground]:
    """Make our tables in this PostgreSQL, to which `port` leads, with this many items."""
    with contextlib.ExitStack() as stack:
        guard = stack.enter_context(Guard())
        folder = Path(tempfile.mkdtemp(prefix="signum-bench-"))
        stack.callback(shutil.rmtree, folder)
        guard.watch_folder(folder)
        ground = Ground(postgres, port, folder, guard)
        processes.run("cli.main", "migrate", settings=ground.settings)
        with ground.connect() as connection:
            fill_catalogue(connection, items)
        yield ground


def is_listening(port: int) -> bool:
    """Return whether a process listens on the port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
