"""Starts a whole Signum-savotta: PostgreSQL, Sierra, api and notifier, each a process, and a key for each client.

With SierraDNA our own ETL runs too, between that and the api: so what is written to Sierra comes back.

All in temporary folders, on Unix sockets and free ports of 127.0.0.1, and gone with the context that made it.
"""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from sandbox import processes
from sandbox.dna import login
from sandbox.guard import Guard
from sandbox.log_pipe import LogPipe
from sandbox.postgres import EmbeddedPostgres, free_port
from sandbox.processes import Process
from sandbox.settings import QUICK_ETL, SIERRA_KEY, SIERRA_SECRET, database_settings, etl_settings, sierra_settings
from sandbox.sierra import PREFIX
from sandbox.standby import Pair, start_pair
from sandbox.wire import PostgresWire, Wire, through, wire_to

BATCH_SIZE = 500  # so that the sandbox's small catalogue takes several, as a real one does


@dataclass(frozen=True, slots=True)
class Wires:
    """The wires between the processes, to be cut. People and faults do not use them."""

    of_the_api: PostgresWire
    of_the_notifiers: PostgresWire
    to_sierra: Wire


@dataclass(frozen=True, slots=True)
class Dna:
    """SierraDNA and our ETL are wanted: at that port of 127.0.0.1 (0: a free one), with indexes on stamps or not."""

    port: int = 0
    indexes: bool = False


@dataclass(frozen=True, slots=True)
class System:
    """The addresses of a whole system, and the keys to it. `wires`, `pair` and logs by pipes only where asked for."""

    server: EmbeddedPostgres
    api_url: str
    sierra_url: str
    etl_key: str
    printer_key: str
    settings_file: Path  # for `signum`, as SETTINGS_FILE
    console_url: str  # empty if the system was started without
    running: tuple[Process, ...]
    wires: Wires | None = None
    pair: Pair | None = None
    sierras_postgres: EmbeddedPostgres | None = None  # Sierra's own, where SierraDNA is

    @property
    def postgres(self) -> EmbeddedPostgres:
        """The server that takes writes now."""
        return self.pair.primary if self.pair else self.server

    @property
    def backend(self) -> Sequence[Process]:
        """The processes of the api and the notifiers."""
        return [process for process in self.running if process.name in ("api", "notifier")]

    @property
    def etl(self) -> Process | None:
        """Our own ETL. None if the system was started without SierraDNA."""
        return next((process for process in self.running if process.name == "etl"), None)

    @property
    def dna(self) -> str:
        """The connection string of SierraDNA's login. Empty if the system was started without."""
        return login(self.sierras_postgres.dsn(tcp=True)) if self.sierras_postgres else ""

    def check(self) -> None:
        """Raise ProcessFailed if one of the processes has ended."""
        for process in self.running:
            process.check()


@contextlib.contextmanager
def start_system(
    items: int,
    tell: Callable[[str], None],
    notifiers: int = 1,
    dna: Dna | None = None,
    with_console: bool = False,
    /,
    wired: bool = False,
    **notifier_settings: str,
) -> Iterator[System]:
    """Start everything, ready for the first request, and remove it on exit. `tell` is called with each step.

    `wired`, all that can be broken is there to be broken: a synchronous pair of database servers, wires, logs by pipes.
    """
    with contextlib.ExitStack() as stack:
        tell("starting PostgreSQL")
        pair = stack.enter_context(start_pair()) if wired else None
        postgres = pair.primary if pair else stack.enter_context(EmbeddedPostgres())
        sierras_postgres = stack.enter_context(EmbeddedPostgres(tcp=True, port=dna.port)) if dna else None
        guard = stack.enter_context(Guard())
        folder = Path(tempfile.mkdtemp(prefix="signum-logs-"))
        stack.callback(shutil.rmtree, folder)
        guard.watch_folder(folder)
        settings = database_settings(postgres)

        def start(name: str, module: str, *arguments: str, **more: str) -> Process:
            log = folder / f"{name}-{len(list(folder.iterdir()))}.log"
            pipe = stack.enter_context(LogPipe(log)) if wired else None
            process = Process(name, module, *arguments, log=log, settings={**settings, **more}, guard=guard, pipe=pipe)
            return stack.enter_context(process)

        tell(f"starting Sierra with {items:,} items, and making the tables")
        access = ("--key", SIERRA_KEY, "--secret", SIERRA_SECRET)
        to_dna = ["--dna", sierras_postgres.dsn()] if sierras_postgres else []
        to_dna += ["--dna-indexes"] if dna and dna.indexes else []
        sierra = start("sierra", "sandbox.sierra", "--port", "0", "--items", str(items), *access, *to_dna)
        processes.run("cli.main", "migrate", settings=settings)
        sierra.wait_until(lambda: sierra.said("\n"))
        endpoint = sierra.log.read_text().splitlines()[0]

        tell("starting api and notifier")
        port = free_port()
        wires = stack.enter_context(_wires(postgres, endpoint)) if wired else None
        if pair and wires:
            pair.be_synchronous()
            pair.wires = [wires.of_the_api, wires.of_the_notifiers]
        of_the_api, of_the_notifiers = _ways(wires, endpoint)
        sizes = {"API_PORT": str(port), "FULL_SYNC_BATCH_SIZE": str(BATCH_SIZE)}
        api = start("api", "cli.main", "api", **sizes, **of_the_api)
        all_settings = {**of_the_notifiers, **notifier_settings}
        ears = [start("notifier", "cli.main", "notifier", **all_settings) for _ in range(notifiers)]
        tell("giving the print station and the ETL their keys")
        etl_key, printer_key = (add_client(settings, kind) for kind in ("etl", "signum-printer"))
        api_url = f"http://127.0.0.1:{port}"
        console_port = free_port() if with_console else None
        of_the_console = {"CONSOLE_PORT": str(console_port), "CONSOLE_TITLE": "Sandbox"}
        consoles = [start("console", "cli.main", "console", **of_the_console)] if with_console else []
        console_url = f"http://127.0.0.1:{console_port}" if with_console else ""
        api.wait_until(lambda: is_ready(api_url))
        for notifier in ears:
            notifier.wait_for_words(" listening")
        for console in consoles:
            console.wait_for_words("Uvicorn running")
        sierra_url = endpoint.removesuffix(PREFIX)
        of_the_etl = etl_settings(login(sierras_postgres.dsn(tcp=True)), api_url, etl_key) if sierras_postgres else {}
        etls = [start("etl", "cli.main", "etl", **of_the_etl, **QUICK_ETL)] if of_the_etl else []
        settings_file = _write_settings(folder, {**settings, **sierra_settings(endpoint), **of_the_etl})
        running = (sierra, api, *consoles, *ears, *etls)
        addresses = (api_url, sierra_url, etl_key, printer_key, settings_file, console_url)
        yield System(postgres, *addresses, running, wires, pair, sierras_postgres)


def _write_settings(folder: Path, settings: dict[str, str]) -> Path:
    """Make a settings file that only we may read: passwords are in it."""
    file = folder / "signum.env"
    file.touch(mode=0o600)
    file.write_text("".join(f"{name}='{value}'\n" for name, value in settings.items()))
    return file


@contextlib.contextmanager
def _wires(postgres: EmbeddedPostgres, endpoint: str) -> Iterator[Wires]:
    def to_postgres() -> PostgresWire:
        return PostgresWire(postgres.host, postgres.port)

    with to_postgres() as of_the_api, to_postgres() as of_the_notifiers, wire_to(endpoint) as to_sierra:
        yield Wires(of_the_api, of_the_notifiers, to_sierra)


def _ways(wires: Wires | None, endpoint: str) -> tuple[dict[str, str], dict[str, str]]:
    """The settings that lead api and notifiers through the wires, if there are any."""
    if wires is None:
        return {}, sierra_settings(endpoint)
    to_sierra = sierra_settings(through(wires.to_sierra, endpoint))
    return _way(wires.of_the_api), {**_way(wires.of_the_notifiers), **to_sierra}


def _way(wire: Wire) -> dict[str, str]:
    return {"DB_HOST": wire.host, "DB_PORT": str(wire.port)}


def is_ready(api_url: str) -> bool:
    """Return whether the api there says that it is ready."""
    try:
        return httpx.get(f"{api_url}/readiness", timeout=4, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def add_person(system: System, name: str) -> str:
    """Let an admin into the console. Return the key to sign in with."""
    settings = {"SETTINGS_FILE": str(system.settings_file)}
    made = processes.run("cli.main", "person", "add", name, "--role", "admin", "--json", settings=settings)
    key: str = json.loads(made)["key"]
    return key


def add_client(settings: dict[str, str], kind: str) -> str:
    """Add a client of this type. Return its key."""
    made = processes.run("cli.main", "client", "add", f"sandbox {kind}", "--type", kind, "--json", settings=settings)
    key: str = json.loads(made)["key"]
    return key
