"""A log that is not read, can't be written or is not there: the processes do their work all the same, and stop."""

import gzip
import os
import subprocess
import sys

import httpx
import pytest

from sandbox.postgres import free_port
from sandbox.processes import HOUSE, Process
from tests.fix_api import add_key
from tests.fix_batch import TIMESTAMP, row, tsv
from tests.fix_notifier import EMPTY, add_items, eventually, sierra_settings
from tests.fix_postgres import TestDatabase
from tests.fix_processes import Start
from tests.fix_sierra import SierraInThread
from tests.fix_unread_log import UnreadLog

STOP_SECONDS = 30.0  # a log that keeps a process waiting does so for ever
LISTENING = "SELECT mode FROM notifier_state"


def station_at(port: int, database: TestDatabase) -> httpx.AsyncClient:
    """A print station, which tries for a minute to connect."""
    headers = {"x-api-key": add_key(database, "desk 1", "signum-printer")}
    transport = httpx.AsyncHTTPTransport(retries=8)
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, transport=transport)


def stop(process: Process) -> int:
    """The exit code of a process that ends within its time."""
    process.terminate()
    return process.wait(STOP_SECONDS)


@pytest.mark.long
@pytest.mark.parametrize("workers", [1, 2])
async def test_unread_log_keeps_no_request_no_push_and_no_stop_waiting(
    workers: int, database: TestDatabase, sierra: SierraInThread, start: Start, unread_log: UnreadLog
) -> None:
    (item,), port = add_items(database, sierra, 2043111), free_port()
    api = start("api", stderr=unread_log.write_end, api_port=port, api_workers=workers, log_level="DEBUG")
    notifier = start("notifier", stderr=unread_log.write_end, log_level="DEBUG")
    await eventually(database, LISTENING, "listening", at_most=60)
    async with station_at(port, database) as station:
        assert (await station.get("/healthz")).status_code == 200
        assert (await station.put(f"/itemdata/{item}")).status_code == 200
    await eventually(database, EMPTY)
    assert sierra.call_numbers("2043111") == ["84.31 Jännitys"]
    assert (stop(notifier), stop(api)) == (0, 0)
    assert database.fetch(LISTENING) == [("stopped",)]


def test_reader_that_wakes_is_told_how_many_lines_are_missing(
    database: TestDatabase, start: Start, unread_log: UnreadLog
) -> None:
    port = free_port()
    api = start("api", stderr=unread_log.write_end, api_port=port, log_level="DEBUG")
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        for number in range(200):  # 12 MB of log
            assert client.get(f"/{number}/{'x' * 60_000}").status_code == 404
        assert "/0/xxx" in unread_log.read_until("lines were dropped: the log took them too slowly or not at all")
        client.get("/after")
    assert "path=/199/" not in unread_log.read_until("path=/after")
    assert stop(api) == 0
    unread_log.read_until("Finished server process")


def test_batch_is_taken_in_while_the_log_is_not_read(
    database: TestDatabase, start: Start, unread_log: UnreadLog
) -> None:
    port = free_port()
    start("api", stderr=unread_log.write_end, api_port=port)
    key = add_key(database, "nightly", "etl")
    file = ("data.tsv.gz", gzip.compress(tsv([row(1), row(2, item_number="?")])), "application/gzip")
    answer = httpx.post(
        f"http://127.0.0.1:{port}/sync",
        data={"timestamp": TIMESTAMP},
        files={"file": file},
        headers={"x-api-key": key},
        timeout=60,
    )
    assert (answer.status_code, answer.json()["written"]) == (200, 1)


@pytest.mark.parametrize("stderr", ["full disk", "no reader"])
async def test_log_that_can_not_be_written_fails_nothing(
    stderr: str, database: TestDatabase, sierra: SierraInThread, start: Start
) -> None:
    if stderr == "full disk":
        descriptor = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, descriptor = os.pipe()
        os.close(reader)
    (item,), port = add_items(database, sierra, 2043111), free_port()
    api = start("api", stderr=descriptor, api_port=port)
    notifier = start("notifier", stderr=descriptor)
    os.close(descriptor)
    async with station_at(port, database) as station:
        assert (await station.put(f"/itemdata/{item}")).status_code == 200
    await eventually(database, EMPTY, at_most=60)
    assert (stop(notifier), stop(api)) == (0, 0)


@pytest.mark.parametrize(("workers", "closed"), [(1, (2,)), (2, (0, 1, 2))])
async def test_closed_stderr_keeps_no_process_from_starting(
    workers: int, closed: tuple[int, ...], database: TestDatabase, sierra: SierraInThread
) -> None:
    (item,), port = add_items(database, sierra, 2043111), free_port()
    settings = {name.upper(): str(value) for name, value in sierra_settings(sierra).items()}
    environment = {**database.environment(api_port=port, api_workers=workers), **settings, "PATH": os.environ["PATH"]}

    def begin(name: str) -> subprocess.Popen[bytes]:
        def closing() -> None:
            for number in closed:
                os.close(number)

        command = [sys.executable, "-m", "cli.main", name]
        return subprocess.Popen(command, cwd=HOUSE, env=environment, preexec_fn=closing)

    api, notifier = begin("api"), begin("notifier")
    try:
        async with station_at(port, database) as station:
            assert (await station.put(f"/itemdata/{item}")).status_code == 200
        await eventually(database, EMPTY, at_most=60)
        for process in (notifier, api):
            process.terminate()
            assert process.wait(STOP_SECONDS) == 0
    finally:
        for process in (notifier, api):
            process.kill()
            process.wait()
