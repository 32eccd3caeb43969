"""Fixture `filled`: a database that has something of everything that docs/operations.md looks for."""

import asyncio
import socket
from typing import Any

import psycopg
import pytest

from db import clients, notifiers, persons, progress, queue
from db.queue import Claim, Connection
from db.reasons import ReasonCode
from tests.docs.markdown import Block
from tests.fix_postgres import TestDatabase

LEASE_SECONDS = 70
ITEMS = """
ALTER TABLE update_log ALTER update_log_id RESTART WITH 4711;
INSERT INTO sierra_item (item_record_id, item_number, barcode, best_title, classification, updated_at)
SELECT 450971566080 + number, number, '3301000' || number, 'Kirja ' || number, '84.31', now()
FROM generate_series(2043111, 2043116) AS number
"""
HELD = "UPDATE sierra_item SET deletion_held_on = '2026-11-20' WHERE item_number = '2043111'"
ODD_BARCODES = """
UPDATE sierra_item SET barcode = '33010002043114' WHERE item_number = '2043115';
UPDATE sierra_item SET barcode = '33010 2043116' WHERE item_number = '2043116';
"""
REFUSED_ROW = """
INSERT INTO rejected_row (row_key, reason_code, batch_timestamp, line, reason, last_at)
VALUES ('x', 'field_count', now(), 'x', 'has 1 fields, the header has 13', now() - interval '1 year')
"""
OLD_HISTORY = """
INSERT INTO update_log (item_record_id, item_number, queued_at, queued_by, finished_by, finished_at, outcome, attempts)
VALUES (1, '7', now() - interval '1 year', 'aino', 'desk:1', now() - interval '1 year', 'pushed', 1)
"""
OLD_ACT = """
INSERT INTO act (acted_at, person, through, os_user, db_role, action, target, reason, number, result)
VALUES (
    now() - interval '1 year', 'aino', 'command', 'ainos', 'aino_db', 'client revoke', '{"name": "desk 1"}',
    'aino said so', 1, 'desk 1 is revoked'
)
"""
NOT_SHOWN = """
UPDATE sync_state SET all_changes_until = now() + interval '2 hours';
UPDATE sierra_item SET item_call_number = '84.2 2. Jännitys' WHERE item_number = '2043111'
"""
A_DAY = "INSERT INTO progress_day (day, desk, pushed, relabelled) VALUES (current_date, 'desk 1', 2, 1)"
MARK = "INSERT INTO update_queue (item_record_id) VALUES (450971566080 + %s)"


@pytest.fixture
def filled(database: TestDatabase) -> TestDatabase:
    """A database in which there is something of everything that the page looks for, brought about by the protocol."""
    asyncio.run(_fill(database))
    return database


async def _fill(database: TestDatabase) -> None:
    async with await database.aconnect() as connection:
        await connection.execute(OLD_HISTORY)
        await connection.execute(OLD_ACT)
        await connection.execute(ITEMS)
        await connection.execute(ODD_BARCODES)
        await connection.execute(HELD)
        await connection.execute(REFUSED_ROW)
        await clients.add_client(connection, "desk 1", "signum-printer")
        await persons.add_person(connection, "Maija", "viewer")
        name = f"{socket.gethostname()}:1"
        await notifiers.heartbeat(connection, name, "listening", "closed", None, succeeded=True, looped_seconds_ago=1)
        pushed = await _claim(connection, 2_043_111)
        remark = "'2.' was left out of '84.2 2. Jännitys'"
        push = queue.Pushed(pushed, "pushed", "84.2 2. Jännitys", "84.31 Jännitys", remark, 12)
        await queue.finish(connection, "n1", [push])
        await connection.execute(NOT_SHOWN)
        kinds: tuple[tuple[int, ReasonCode, str], ...] = (
            (2_043_112, "absent", "Sierra has no item 2043112"),
            (2_043_113, "ghost", "Sierra shows item 2043113 but refuses to save it: a ghost record, ask the vendor"),
            (2_043_116, "deleted", "Item 2043116 was deleted in Sierra on 2026-10-01"),
        )
        for number, code, reason in kinds:
            await queue.reject(connection, "n1", await _claim(connection, number), reason, reason_code=code)
        busy = await _claim(connection, 2_043_114)
        await queue.postpone(connection, "n1", busy, 60, "Somebody is using item 2043114 in Sierra")
        await _claim(connection, 2_043_115)
        await progress.count_items(connection)
        await connection.execute(A_DAY)


async def _claim(connection: Connection, number: int) -> Claim:
    await connection.execute(MARK, [number])
    (claim,) = await queue.claim(connection, "n1", 1, LEASE_SECONDS)
    return claim


def run(connection: psycopg.Connection[Any], block: Block) -> None:
    """Run a block's statements; each that can have rows must have some, or it shows a reader nothing."""
    cursor = connection.execute(block.text.encode())
    while True:
        done = cursor.statusmessage or ""
        assert not done.endswith(" 0"), f"{done} in {block.text}"
        if not cursor.nextset():
            break
