"""docs/operations.md works: its statements and commands do what it says that they do."""

import re
import shlex

import pytest

from db import queue, queue_people
from db.history import look_up_undone
from db.marks import mark_items
from tests.docs.markdown import Block, blocks
from tests.fix_operations import LEASE_SECONDS, run
from tests.fix_postgres import TestDatabase
from tests.fix_roles import AsRole
from tests.fix_signum import Signum

PAGE = "docs/operations.md"
COMMANDS = [
    line.removeprefix("signum ").partition("  ")[0]
    for block in blocks(PAGE, "sh")
    for line in block.text.splitlines()
    if re.match(r"signum (?!preview|doctor)", line)  # which need a Sierra: tests/cli/test_preview.py, test_doctor.py
]
LOOKS = re.compile(r"(?:^| )(?:status|list|history|acts|--check)(?: |$)")
STATEMENTS = [*blocks(PAGE, "sql"), *blocks("README.md", "sql")]
OF_THE_OWNER = "Data of persons"
LATE_SECONDS = 300.0
NOT_KNOWN = "it is not known whether a write that had no answer was done"
LAPSED = "due_at = now(), claimed_by = 'n1', lease_until = now() -"
LEFT_ALONE = "it stays in the queue"
QUEUED = "SELECT to_jsonb(q) - '{queued_at,queued_by}'::text[] FROM update_queue q ORDER BY item_record_id"
DISMISSED = "SELECT to_jsonb(l) - 'update_log_id' - 'finished_at' FROM update_log l WHERE outcome = 'dismissed'"


def only_reads(statement: Block) -> bool:
    """Tell whether the block changes nothing, so that others may be tried beside it."""
    return not re.search(r"^(?:INSERT|UPDATE|DELETE|BEGIN|WITH|VACUUM)", statement.text, re.MULTILINE)


def block(heading: str, holding: str = "") -> Block:
    """The page's statement below a heading."""
    (found,) = (block for block in blocks(PAGE, "sql") if block.heading == heading and holding in block.text)
    return found


def test_every_query_shows_something(filled: TestDatabase) -> None:
    with filled.connect() as connection:
        for statement in STATEMENTS:
            if only_reads(statement):
                run(connection, statement)


@pytest.mark.parametrize(
    "statement", [block for block in STATEMENTS if not only_reads(block)], ids=lambda block: block.heading
)
def test_a_statement_does_something(filled: TestDatabase, statement: Block) -> None:
    with filled.connect() as connection:
        run(connection, statement)


def test_every_command_that_looks_sees_something(filled: TestDatabase, signum: Signum) -> None:
    for line in COMMANDS:
        if LOOKS.search(line):
            assert signum(*shlex.split(line)).code == 0, line


@pytest.mark.parametrize("line", [line for line in COMMANDS if not LOOKS.search(line)])
def test_a_command_does_something(filled: TestDatabase, signum: Signum, line: str) -> None:
    if line == "queue resume":
        signum("queue", "pause", "--reason", "Sierra is upgraded")
    assert signum(*shlex.split(line), typed="y\n").code == 0


async def test_paused_as_the_page_says_nothing_is_claimed_until_it_goes_on(filled: TestDatabase) -> None:
    filled.fetch("UPDATE update_queue SET due_at = now(), lease_until = NULL")
    async with await filled.aconnect() as connection:
        await connection.execute(block("Pause", "interval '2 hours'").text.encode())
        assert await queue.claim(connection, "n2", 10, LEASE_SECONDS) == []
        await connection.execute(block("Pause", "paused_at = NULL").text.encode())
        assert len(await queue.claim(connection, "n2", 10, LEASE_SECONDS)) == 5


@pytest.mark.parametrize(
    ("heading", "holding", "notifies"),
    [
        ("Mark", "barcode", True),
        ("Mark", "classification", True),
        ("Retry", "ghost", True),
        ("Retry", "due_at > now()", True),
        ("Pause", "paused_at = NULL", True),
        ("Pause", "2 hours", True),
        ("Dismiss", "", False),
        ("Undo a push", "INSERT", True),
    ],
)
def test_the_notifiers_are_woken_by_what_makes_them_look_anew_and_by_nothing_else(
    filled: TestDatabase, heading: str, holding: str, notifies: bool
) -> None:
    with filled.connect() as listening, filled.connect() as person:
        listening.execute("LISTEN update_queue")
        run(person, block(heading, holding))
        listening.execute("SELECT")  # what was sent before has come with this answer
        assert bool(list(listening.notifies(timeout=0))) is notifies


@pytest.mark.parametrize(
    ("heading", "holding", "priority", "which"),
    [
        ("Mark", "barcode", 1, "barcode = '33010002043111'"),
        ("Mark", "classification", 2, "classification = '84.31'"),
        ("A label is printed, but Sierra is unchanged", "INSERT", 1, "item_number IN ('2043111', '2043112')"),
    ],
)
@pytest.mark.parametrize(
    "state",
    [
        "DELETE FROM update_queue",
        "UPDATE sierra_item SET deleted_on = '2026-11-20' WHERE item_number = '2043111'",
        "INSERT INTO update_queue (item_record_id, priority) SELECT item_record_id, 2 FROM sierra_item "
        "WHERE item_number = '2043111'",
        "INSERT INTO update_queue (item_record_id, priority, attempts, last_error, request_id, trace) "
        "SELECT item_record_id, 0, 3, 'busy', 'r-1', '00-1' FROM sierra_item WHERE item_number = '2043111'",
    ],
)
async def test_marked_as_the_page_says_items_are_queued_as_by_the_command(
    filled: TestDatabase, heading: str, holding: str, priority: int, which: str, state: str
) -> None:
    """Beside the person and the time of an item that enters anew, which the page excepts."""
    filled.fetch(state)
    ids = [row[0] for row in filled.fetch(f"SELECT item_record_id FROM sierra_item WHERE {which}")]
    async with await filled.aconnect() as connection, connection.transaction():
        async with connection.transaction(force_rollback=True):
            await mark_items(connection, "aino", ids, priority)
            of_command = await (await connection.execute(QUEUED)).fetchall()
        await connection.execute(block(heading, holding).text.encode())
        assert await (await connection.execute(QUEUED)).fetchall() == of_command


async def test_retried_as_the_page_says_an_item_starts_anew_behind_the_print_stations(filled: TestDatabase) -> None:
    filled.fetch("UPDATE update_queue SET priority = 0, attempts = 10")
    async with await filled.aconnect() as connection:
        await connection.execute(block("Retry", "ghost").text.encode())
        (claim,) = await queue.claim(connection, "n2", 10, LEASE_SECONDS)
    assert (claim.item_number, claim.attempts) == ("2043113", 1)
    assert filled.fetch("SELECT priority FROM update_queue WHERE claimed_by = 'n2'") == [(1,)]


def test_dismissed_as_the_page_says_an_item_is_in_history_with_who_did(filled: TestDatabase) -> None:
    with filled.connect() as connection:
        run(connection, block("Dismiss"))
    assert filled.fetch("SELECT finished_by, reason FROM update_history WHERE outcome = 'dismissed'") == [
        (filled.parameters["user"], "Sierra has no item 2043112")
    ]


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("", "Sierra has no item 2043112"),
        ("unanswered_at = now() - interval '1 hour'", f"Sierra has no item 2043112; {NOT_KNOWN}"),
        ("last_error = NULL", None),
        ("last_error = NULL, unanswered_at = now() - interval '1 hour', revert_of = 4711", NOT_KNOWN),
        (f"last_error = NULL, {LAPSED} interval '1 hour'", NOT_KNOWN),
        ("last_error = NULL, unanswered_at = now() - interval '4 minutes'", LEFT_ALONE),
        (f"last_error = NULL, {LAPSED} interval '4 minutes'", LEFT_ALONE),
        (f"last_error = NULL, {LAPSED} interval '-1 minute'", LEFT_ALONE),
    ],
)
async def test_dismissed_as_the_page_says_an_item_is_in_history_as_the_command_has_it(
    filled: TestDatabase, state: str, error: str | None
) -> None:
    if state:
        filled.fetch(f"UPDATE update_queue SET {state} WHERE last_error = 'Sierra has no item 2043112'")
    lines = []
    async with await filled.aconnect() as connection:
        for by_command in (True, False):
            async with connection.transaction(force_rollback=True):
                if by_command:
                    person, chosen = filled.parameters["user"], ["33010002043112"]
                    await queue_people.dismiss(connection, person, LATE_SECONDS, barcodes=chosen)
                else:
                    await connection.execute(block("Dismiss").text.encode())
                lines.append(await (await connection.execute(DISMISSED)).fetchall())
    of_command, of_page = lines
    assert [row["error"] for (row,) in of_command] == ([] if error == LEFT_ALONE else [error])
    assert of_page == of_command


async def test_undone_as_the_page_says_a_push_is_what_the_next_claim_puts_back(filled: TestDatabase) -> None:
    filled.fetch("DELETE FROM update_queue")
    async with await filled.aconnect() as connection:
        await connection.execute(block("Undo a push", "INSERT").text.encode())
        (claim,) = await look_up_undone(connection, await queue.claim(connection, "n2", 10, LEASE_SECONDS))
    assert (claim.item_number, claim.undone_before, claim.undone_after) == (
        *("2043111", "84.2 2. Jännitys", "84.31 Jännitys"),
    )


@pytest.mark.parametrize("holding", ["'2043116'", "deleted_in_sierra"])
def test_removed_as_the_page_says_only_the_deleted_item_is_gone_and_history_stays(
    filled: TestDatabase, holding: str
) -> None:
    with filled.connect() as connection:
        run(connection, block("Remove an item that Sierra deleted", holding))
    left = filled.fetch("SELECT item_number FROM sierra_item ORDER BY item_number")
    assert [number for (number,) in left] == ["2043111", "2043112", "2043113", "2043114", "2043115"]
    assert filled.fetch("SELECT outcome FROM update_log WHERE item_number = '2043116'") == [("rejected",)]


def test_an_operator_may_do_all_of_it(filled: TestDatabase, as_role: AsRole, signum: Signum) -> None:
    operator = as_role("signum_operator")
    with operator.connect() as connection:
        for statement in STATEMENTS:
            if statement.heading != OF_THE_OWNER:
                connection.execute(statement.text.encode())
    for line in COMMANDS:
        ran = signum(*shlex.split(line), typed="y\n", settings=operator.environment())
        assert ran.code in (0, 1), f"{line}: {ran.err}"


def test_a_reader_may_look_at_all_of_it(filled: TestDatabase, as_role: AsRole) -> None:
    with as_role("signum_reader").connect() as connection:
        for statement in STATEMENTS:
            if only_reads(statement):
                connection.execute(statement.text.encode())
