"""The ingest process by itself: what it does when it is left alone, and what it costs."""

import gzip
import json
import random
import resource
import struct
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from api.ingest.process import _cause
from api.ingest.protocol import END_OF_FILE, frame, json_frame
from tests.fix_api import detail
from tests.fix_batch import TIMESTAMP, Send, row, tsv
from tests.fix_postgres import TestDatabase


def frames(database: TestDatabase, packed: bytes, **job: Any) -> bytes:
    """All frames of a batch."""
    usual = {
        "connection": database.parameters,
        "batch_size": 3,
        "unpacked_limit_bytes": 2**30,
        "longest_pause_minutes": 60,
    }
    return b"".join((json_frame(usual | job), frame(packed), frame(END_OF_FILE), json_frame({"timestamp": TIMESTAMP})))


def ingest(stdin: bytes, *, limit: Callable[[], None] | None = None) -> tuple[int, bytes]:
    """Exit code and output of a process that reads this; `limit` is called in it before it begins."""
    command = [sys.executable, "-m", "api.ingest"]
    ended = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, timeout=60, preexec_fn=limit)
    return ended.returncode, ended.stdout


def stored(database: TestDatabase) -> int:
    ((count,),) = database.fetch("SELECT count(*) FROM sierra_item")
    return int(count)


PACKED = gzip.compress(tsv([row(1), row(2)]))


def test_result_is_one_line_of_json(database: TestDatabase) -> None:
    code, output = ingest(frames(database, PACKED))
    assert code == 0
    assert output.count(b"\n") == 1
    assert json.loads(output)["kind"] == "taken"
    assert stored(database) == 2


@pytest.mark.parametrize("lost", [1, 50, 60, len(PACKED) + 60, 10_000])
def test_batch_whose_frames_end_early_is_not_taken_in(database: TestDatabase, lost: int) -> None:
    assert ingest(frames(database, PACKED)[:-lost]) == (1, b"")
    assert stored(database) == 0


def test_database_that_can_not_be_reached_is_unavailable(database: TestDatabase) -> None:
    nowhere = {**database.parameters, "host": "signum.invalid", "hostaddr": "", "connect_timeout": 2}
    _, output = ingest(frames(database, PACKED, connection=nowhere))
    assert json.loads(output)["kind"] == "unavailable"


def test_database_that_takes_no_writes_any_more_is_unavailable(database: TestDatabase) -> None:
    only_reads = {**database.parameters, "options": "-c default_transaction_read_only=on"}
    _, output = ingest(frames(database, PACKED, connection=only_reads))
    result = json.loads(output)
    assert (result["kind"], "read-only transaction" in result["detail"]) == ("unavailable", True)


def test_schema_that_is_missing_is_unavailable(empty_database: TestDatabase) -> None:
    _, output = ingest(frames(empty_database, PACKED))
    result = json.loads(output)
    assert (result["kind"], result["detail"]) == (
        "unavailable",
        'the schema is not up to date: run "signum migrate"',
    )


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the limit is not kept")
def test_want_of_memory_is_no_bug(database: TestDatabase) -> None:
    gigabyte = 2**30
    job, file, _ = frames(database, PACKED).partition(frame(PACKED))
    more_than_there_is = struct.pack(">I", 2 * gigabyte)
    code, output = ingest(
        job + file + more_than_there_is, limit=lambda: resource.setrlimit(resource.RLIMIT_AS, (gigabyte, gigabyte))
    )
    assert (_cause(code), output) == ("got no more memory", b"")
    assert stored(database) == 0


def test_bug_is_a_result_with_its_traceback(database: TestDatabase) -> None:
    _, output = ingest(frames(database, PACKED, unpacked_limit_bytes="many"))
    result = json.loads(output)
    assert result["kind"] == "failed"
    assert "TypeError" in result["detail"]


def test_upload_into_a_batch_under_way_gets_its_answer_however_long_it_is(send: Send, database: TestDatabase) -> None:
    noise = random.Random(2).randbytes(8_000_000)
    with database.connect() as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(1398361667)")
        answer = send(packed=noise)
    assert (answer.status_code, detail(answer)) == (409, "another batch is being taken in")


def test_upload_that_is_no_gzip_gets_its_answer_however_long_it_is(send: Send) -> None:
    answer = send(packed=random.Random(2).randbytes(8_000_000))
    assert answer.status_code == 400
    assert "not gzip" in detail(answer)
