"""The ETL's process and the api's, as a measurement sees them: batches by the log, SierraDNA's work by the metrics."""

import contextlib
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import httpx

from bench import proc
from bench.ground import Api, Ground
from bench.sierra_dna import FullDna
from sandbox.postgres import free_port
from sandbox.processes import Process

PATIENCE_SECONDS = 7200.0
_STATEMENT = re.compile(r'^signum_etl_statement_seconds_sum\{statement="(\w+)"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sent:
    """One batch that the backend took. `ended` is this machine's time, in seconds."""

    mode: str
    items: int
    written: int
    reading_seconds: float
    sending_seconds: float
    ended: float


class EtlProcess:
    """A `signum etl` at work."""

    def __init__(self, process: Process, metrics_url: str) -> None:
        self._process, self._metrics_url = process, metrics_url

    @property
    def sent(self) -> list[Sent]:
        """The batches so far."""
        whole, _, _ = self._process.log.read_text().rpartition("\n")
        events = map(json.loads, whole.splitlines())
        return [_sent(event) for event in events if event["message"] == "batch was sent"]

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def peak_mib(self) -> float:
        """The most memory that it has had so far."""
        return proc.peak_mib(self.pid)

    def statement_seconds(self) -> dict[str, float]:
        """The seconds that SierraDNA has worked so far, by statement; none before the process serves its metrics."""
        try:
            text = httpx.get(self._metrics_url, timeout=10, trust_env=False).text
        except httpx.ConnectError:
            return {}
        return {name: float(seconds) for name, seconds in _STATEMENT.findall(text)}

    def wait_for(self, what: Callable[[Sent], bool], after: int = 0) -> tuple[int, Sent]:
        """The first batch of that kind, and its place, behind the first `after`."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while True:
            for place, sent in list(enumerate(self.sent))[after:]:
                if what(sent):
                    return place, sent
            self._process.check()
            if time.monotonic() > give_up_at:
                raise TimeoutError(f"no such batch:\n{self._process.last_words()}")
            time.sleep(0.2)


def _sent(event: dict[str, str]) -> Sent:
    return Sent(
        mode=event["mode"],
        items=int(event["items"]),
        written=int(event["written"]),
        reading_seconds=float(event["reading_seconds"]),
        sending_seconds=float(event["sending_seconds"]),
        ended=datetime.fromisoformat(event["time"]).timestamp(),
    )


@contextlib.contextmanager
def start_etl(ground: Ground, api: Api, dna: FullDna, *, passes: bool = False) -> Iterator[EtlProcess]:
    """Start an ETL between the two, that looks for changes each second. It begins a pass only if `passes`."""
    port = free_port()
    settings = {
        **dna.settings,
        "BACKEND_URL": api.url,
        "ETL_CLIENT_API_KEY": api.etl_key,
        "SYNC_JOB_INTERVAL_SECONDS": "1",
        "ETL_PASS_DAYS": "1" if passes else "0",
        "ETL_METRICS_PORT": str(port),
        "LOG_FORMAT": "json",
    }
    with ground.start_module("cli.main", "etl", **settings) as process:
        yield EtlProcess(process, f"http://127.0.0.1:{port}/metrics")
