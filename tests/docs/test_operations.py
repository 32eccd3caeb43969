"""docs/operations.md works: its statements and commands do what it says that they do."""

import re
import shlex

import pytest

from db import queue
from db.history import look_up_undone
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
        ("Mark", "priority", True),
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
