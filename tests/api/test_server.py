"""The API as a process: it starts soon, waits for its database, and stops without breaking anything off."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from threading import Timer

import httpx
import pytest

from sandbox.postgres import free_port
from tests.fix_postgres import TestDatabase
from tests.fix_sentry import Receiver

HOUSE = Path(__file__).parents[2]
LIMIT_SECONDS = 30.0


class Process:
    """An API process, or several behind one port."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.port = free_port()
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from cli.main import run; run()", "api"],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(HOUSE), "API_PORT": str(self.port), **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.heard: list[str] = []

    def hear(self, word: str, times: int = 1) -> str:
        """Return when the log has had the word that often; its last line."""
        assert self._process.stderr is not None
        limit = Timer(LIMIT_SECONDS, self._process.kill)
        limit.start()
        for line in self._process.stderr:
            self.heard.append(line)
            if sum(word in old for old in self.heard) >= times:
                limit.cancel()
                return line
        raise AssertionError(f"{word} was not heard {times} times, but: {''.join(self.heard)}")

    def tell(self, which: signal.Signals) -> None:
        """Give it a signal."""
        self._process.send_signal(which)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code."""
        self.tell(how)
        _, rest = self._process.communicate(timeout=LIMIT_SECONDS)
        self.heard += rest.splitlines()
        return self._process.returncode

    def wait(self) -> int:
        """Its exit code, once it has left by itself."""
        return self._process.wait(LIMIT_SECONDS)

    def end(self) -> None:
        """Make sure that it is gone."""
        self._process.kill()
        self._process.communicate()


@contextlib.contextmanager
def started(environment: dict[str, str]) -> Iterator[Process]:
    process = Process(environment)
    try:
        yield process
    finally:
        process.end()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_stopped_process_leaves_with_0(database: TestDatabase, how: signal.Signals) -> None:
    with started(database.environment()) as process:
        process.hear("Uvicorn running")
        assert httpx.get(f"http://127.0.0.1:{process.port}/readiness").status_code == 200
        assert process.stop(how) == 0
        assert not any("Traceback" in line for line in process.heard)


def test_idle_connections_do_not_keep_the_process_from_stopping(database: TestDatabase) -> None:
    with started(database.environment()) as process, httpx.Client(trust_env=False) as client:
        process.hear("Uvicorn running")
        assert client.get(f"http://127.0.0.1:{process.port}/readiness").status_code == 200
        with socket.create_connection(("127.0.0.1", process.port)):  # and one that has asked for nothing yet
            assert process.stop() == 0
        assert not any("Cancel" in line for line in process.heard), "it did not wait until its patience was over"


def test_request_under_way_is_answered_before_the_process_stops(database: TestDatabase, printer_key: str) -> None:
    body = b"internal_hostname=a&internal_ip_address=None"
    head = f"POST /status HTTP/1.1\r\nHost: a\r\nx-api-key: {printer_key}\r\nContent-Length: {len(body)}\r\n\r\n"
    with started(database.environment()) as process:
        process.hear("Uvicorn running")
        with socket.create_connection(("127.0.0.1", process.port)) as wire:
            wire.settimeout(LIMIT_SECONDS)
            wire.sendall(head.encode() + body[:10])
            assert httpx.get(f"http://127.0.0.1:{process.port}/readiness").status_code == 200
            process.tell(signal.SIGTERM)
            process.hear("Waiting for connections to close")
            wire.sendall(body[10:])
            assert wire.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert process.wait() == 0


def test_first_process_makes_the_schema(empty_database: TestDatabase) -> None:
    with started(empty_database.environment(api_workers=2)) as process:
        process.hear("Application startup complete", times=2)
        with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:  # it says so just before it listens
            assert client.get(f"http://127.0.0.1:{process.port}/readiness").status_code == 200
        assert process.stop() == 0


def test_workers_end_when_the_process_that_started_them_is_killed(database: TestDatabase) -> None:
    with started(database.environment(api_workers=2)) as process:
        process.hear("Application startup complete", times=2)
        assert process.stop(signal.SIGKILL) == -signal.SIGKILL, "and the last of them has let go of the log"
        assert sum("Finished server process" in line for line in process.heard) == 2
        with socket.create_server(("127.0.0.1", process.port)):
            pass


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
def test_stopped_worker_writes_its_last_lines_at_any_log_level(level: str) -> None:
    """As uvicorn ends it: with one last line, and by the signal that stopped it."""
    code = f"""
import logging, signal
from api import server
server.configure_logging("{level}")
server._flush_log_at_last_line()
for number in range(1000): logging.getLogger("signum.api").error("said")
logging.getLogger("uvicorn.error").info("Finished server process [%d]", 1)
signal.raise_signal(signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, timeout=LIMIT_SECONDS)
    assert done.stderr.count("said") == 1000
    assert ("Finished" in done.stderr) == (level in ("DEBUG", "INFO"))


def test_process_waits_for_its_database_and_says_so(database: TestDatabase) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with started(database.environment(db_host="127.0.0.1", db_port=nobody.getsockname()[1])) as process:
            process.hear("waiting for the database", times=3)
            assert process.stop() == 0


def test_host_that_does_not_resolve_is_named(database: TestDatabase) -> None:
    with started(database.environment(db_host="db.invalid")) as process:
        assert "db.invalid" in process.hear("waiting for the database")


def test_port_that_is_taken_ends_the_process(database: TestDatabase) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        started(database.environment(api_port=taken.getsockname()[1])) as process,
    ):
        process.hear("address already in use")
        assert process.wait() == 1


def test_wrong_setting_ends_the_process_at_once(database: TestDatabase) -> None:
    with started(database.environment(api_port="many")) as process:
        assert "API_PORT='many'" in process.hear("API_PORT")
        assert process.wait() == 2


def test_root_path_and_forwarded_headers_are_those_of_the_proxy_in_front(database: TestDatabase) -> None:
    with started(database.environment(api_root_path="/signum/")) as process:
        process.hear("Uvicorn running")
        page = httpx.get(f"http://127.0.0.1:{process.port}/").text
        assert "url: '/signum/openapi.json'" in page
        assert process.stop() == 0


FALL_OVER = """
CREATE FUNCTION fall_over() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the wheel came off'; END $$;
CREATE TRIGGER bug BEFORE UPDATE ON update_queue FOR EACH ROW EXECUTE FUNCTION fall_over();
"""


def test_bug_reaches_sentry_with_its_request_and_without_parameters(
    database: TestDatabase, printer_key: str, receiver: Receiver
) -> None:
    item = database.add_item(1)
    headers = {"x-api-key": printer_key, "X-Request-ID": "desk-1.42"}
    with started(database.environment(sentry_dsn=receiver.dsn)) as process:
        process.hear("Uvicorn running")
        url = f"http://127.0.0.1:{process.port}/itemdata/{item}"
        assert httpx.put(url, headers=headers).status_code == 200
        database.fetch(FALL_OVER)
        assert httpx.put(url, headers=headers).status_code == 500
        assert process.stop() == 0
    (event,) = receiver.events()
    assert (event["tags"]["process"], event["tags"]["request_id"]) == ("api", "desk-1.42")
    assert "the wheel came off" in event["exception"]["values"][-1]["value"]
    key_hash = sha256(printer_key.encode())
    heard = "".join(process.heard) + str(event)
    assert not [text for text in (key_hash.hexdigest()[:8], str(key_hash.digest())[2:10]) if text in heard]
    assert database.fetch("SELECT trace IS NOT NULL FROM update_queue") == [(True,)]


def test_starting_imports_nothing_heavy() -> None:
    code = (
        "import sys, api.server; print([name for name in ('alembic', 'sentry_sdk', 'uroman') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=HOUSE, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[]\n"
