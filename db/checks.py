"""The doctor's checks of the database, a function each; none changes anything."""

import secrets
import time
from contextlib import aclosing

import psycopg
from psycopg.errors import UndefinedTable

from db.connections import Parameters, aconnect, one_line
from db.locks import Session, find_false_batches, find_transactions
from db.queue import Connection
from db.schema.encoding import encoding_problem
from db.schema.version import schema_problem
from runtime.findings import Finding, Level
from runtime.hosts import addresses
from runtime.statements import load

SQL = load("db", "checks")
SCHEMA, LISTENER = load("db", "schema"), load("db", "listener")

OLDEST_SERVER = 14
LONGEST_HEARING_SECONDS = 5.0
LARGEST_CLOCK_DIFFERENCE_SECONDS = 2.0
LONGEST_BLOCKING_SECONDS = 60
FULLEST_NOTIFICATION_QUEUE = 0.1


def check_server(connection: Connection) -> Finding:
    """Check the server's encoding and version."""
    if problem := encoding_problem(connection):
        text, _, advice = problem.partition(": ")
        return Finding("problem", "database", text, advice[:1].upper() + advice[1:])
    version = connection.info.server_version // 10_000
    if version < OLDEST_SERVER:
        advice = f"Upgrade it to {OLDEST_SERVER} or later"
        return Finding("problem", "database", f"PostgreSQL {version} is too old", advice)
    return Finding("ok", "database", f"PostgreSQL {version} answers")


async def check_schema(connection: Connection) -> Finding:
    """Check the schema's revision; one newer than this release is fine."""
    try:
        row = await (await connection.execute(SCHEMA["version"])).fetchone()
    except UndefinedTable:
        row = None
    revision = row[0] if row else None
    if problem := schema_problem(revision):
        text, _, advice = problem.partition(": ")
        return Finding("problem", "schema", text, advice[:1].upper() + advice[1:])
    return Finding("ok", "schema", f"at revision {revision}")


async def check_triggers(connection: Connection) -> Finding:
    """Check that a mark sends a notification: the triggers are there and enabled."""
    silent = await (await connection.execute(SQL["triggers_not_ringing"])).fetchall()
    if silent:
        names = ", ".join(f"{name} is {'disabled' if is_there else 'not there'}" for name, is_there in silent)
        advice = (
            "As the tables' owner: ALTER TABLE … ENABLE TRIGGER …; what is not there is at the end of db/schema.sql"
        )
        return Finding("problem", "trigger", f"{names}: marks wait for the sweep", advice)
    return Finding("ok", "trigger", "a mark notifies the notifiers")


async def check_notifications(connection: Connection, listening_at: Parameters) -> Finding:
    """Check that a connection that listens receives what another connection sends."""
    me, where = f"signum doctor {secrets.token_hex(4)}", addresses(str(listening_at["host"]), listening_at["port"])
    began_at = time.monotonic()
    try:
        async with await aconnect(listening_at) as ears:
            where = f"{ears.info.host}:{ears.info.port}"
            await ears.execute(LISTENER["listen_echo"])
            await connection.execute(LISTENER["send_echo"], {"notifier": me})
            async with aclosing(ears.notifies(timeout=LONGEST_HEARING_SECONDS)) as heard:
                async for notification in heard:
                    if notification.payload == me:
                        took = (time.monotonic() - began_at) * 1000
                        return Finding("ok", "notifications", f"heard our own at {where}, {took:.0f} ms")
    except psycopg.Error as error:
        text, advice = f"can't listen at {where}: {one_line(error)}", "Set LISTEN_DB_HOST and LISTEN_DB_PORT"
        return Finding("problem", "notifications", text, advice)
    text = f"our own was not heard at {where} within {LONGEST_HEARING_SECONDS:g} s, as behind a pooler"
    advice = "Set LISTEN_DB_HOST and LISTEN_DB_PORT to the server itself"
    return Finding("problem", "notifications", text, advice)


async def check_notification_queue(connection: Connection) -> Finding:
    """Check that the server has room for notifications: it keeps all of them while one listener does not read."""
    row = await (await connection.execute(SQL["notification_usage"])).fetchone()
    usage = row[0] if row else 0.0
    text = f"the server's queue of notifications is {usage:.0%} full"
    if usage > FULLEST_NOTIFICATION_QUEUE:
        advice = "End the session that listens in a transaction: the oldest xact_start in pg_stat_activity"
        return Finding("warning", "notification queue", text, advice)
    return Finding("ok", "notification queue", text)


async def check_clock(connection: Connection) -> Finding:
    """Compare this machine's clock with the database's, and that with what it was.

    INVDA and log lines are compared across both. An item is due by the database's clock alone.
    """
    asked_at = time.time()
    row = await (await connection.execute(SQL["clock"])).fetchone()
    answered_at = time.time()
    now, of_the_future = row or (answered_at, 0)
    if of_the_future:
        text = f"items queued later than it is now: {of_the_future}. The database's clock was set back"
        cure = "UPDATE update_queue SET due_at = now() WHERE queued_at > now() AND due_at > now()"
        advice = f"They wait until then. To have them pushed now: {cure}"
        return Finding("warning", "clock", text, advice)
    ahead = (asked_at + answered_at) / 2 - now
    if abs(ahead) > LARGEST_CLOCK_DIFFERENCE_SECONDS:
        text = f"this machine's clock is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} the database's"
        return Finding("warning", "clock", text, "Set both by NTP")
    return Finding("ok", "clock", "as the database's")


async def check_barcodes(connection: Connection) -> list[Finding]:
    """Find barcodes for which a print station gets no item."""
    shared, unreadable = await (await connection.execute(SQL["barcodes"])).fetchone() or (0, 0)
    found = []
    if shared:
        advice = "Remove the items that Sierra deleted: SELECT * FROM shared_barcode names them"
        found.append(
            Finding("warning", "barcodes", f"{shared} shared by several items, print stations get 409", advice)
        )
    if unreadable:
        advice = "Correct them in Sierra: SELECT * FROM unreadable_barcode names them"
        found.append(Finding("warning", "barcodes", f"{unreadable} that no print station can ask for", advice))
    return found or [Finding("ok", "barcodes", "each is one item's, and can be asked for")]


async def check_locks(connection: Connection) -> list[Finding]:
    """Find transactions that others wait for or that stand idle: mostly a session that a person left open."""
    findings = []
    for session in await find_transactions(connection):
        keeps = f"keeps {session.waiting} {'other' if session.waiting == 1 else 'others'} waiting"
        text = f"{session} {keeps if session.waiting else 'keeps dead rows from being cleared away'}"
        # The age of another role's transaction is hidden from some: then it counts as long.
        is_long = session.seconds is None or session.seconds > LONGEST_BLOCKING_SECONDS
        level: Level = "problem" if session.waiting and is_long else "warning"
        findings.append(Finding(level, "locks", text, _end(session)))
    for session in await find_false_batches(connection):
        text = f"{session} holds the lock of the sync though it is no batch: sync_overview shows one under way"
        findings.append(Finding("warning", "locks", text, _end(session)))
    return findings or [Finding("ok", "locks", "no session keeps others waiting")]


def _end(session: Session) -> str:
    return f"Have it end its transaction, or end it: SELECT pg_terminate_backend({session.pid})"
