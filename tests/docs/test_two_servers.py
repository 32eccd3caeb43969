"""docs/two-servers.md works: its statements and commands do what it says that they do, on a real pair."""

import shlex
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from sandbox.standby import FLUSH, Member
from tests.docs.markdown import blocks
from tests.fix_postgres import PostgresChoice, TestDatabase, memory
from tests.fix_signum import Signum
from tests.fix_standby import HOST, Pair

PAGE = "docs/two-servers.md"
SENT_SQL = [block.text for block in blocks(PAGE, "sql")]


def statements(holding: str) -> list[str]:
    """The statements of the page's one block that holds these words, each by itself, as psql sends them."""
    (found,) = (text for text in SENT_SQL if holding in text)
    return [statement for statement in found.split(";\n") if statement.strip()]


def ask(server: Member, holding: str) -> list[tuple[object, ...]]:
    """The rows of that statement."""
    (statement,) = statements(holding)
    with psycopg.connect(server.dsn("signum")) as connection:
        return connection.execute(statement.encode()).fetchall()


@pytest.fixture
def database(pair_database: TestDatabase) -> TestDatabase:
    """On a pair of servers."""
    return pair_database


def test_a_standby_is_made_as_the_page_says(pair: Pair, tmp_path: Path) -> None:
    pair.primary.execute(*statements("CREATE ROLE replicator"))
    (command,) = (block.text for block in blocks(PAGE, "sh") if "pg_basebackup" in block.text)
    at = f"host={HOST} port={pair.primary.port}"
    program, *arguments = shlex.split(command.replace("host=db1", at).replace("\\\n", " "))
    data = tmp_path / "data"
    arguments = [f"--pgdata={data}" if argument.startswith("--pgdata") else argument for argument in arguments]
    subprocess.run([pair.primary.program(program), *arguments], check=True, capture_output=True)
    assert (data / "standby.signal").exists()
    assert "application_name=db2" in (data / "postgresql.auto.conf").read_text()


def test_a_standby_is_seen_made_synchronous_and_done_without_as_the_page_says(pair: Pair) -> None:
    ((name, state, sync_state, behind),) = ask(pair.primary, "AS behind")
    assert (name, state, sync_state) == ("second", "streaming", "async")
    assert behind is not None
    pair.primary.execute(*(one.replace("'db2'", "'second'") for one in statements("= 'db2'")))
    pair.primary.wait_for_standby("second", "sync")
    pair.primary.execute(*statements("standby_names = ''"))
    pair.primary.wait_for_standby("second", "async")


def test_standby_tells_as_much_after_its_restart_though_its_primary_is_gone(pair: Pair) -> None:
    """Only what is replayed tells so then: what came over the wire counts anew, from the start of a file."""
    pair.primary.execute(FLUSH)
    pair.primary.wait_for_standby("second")
    pair.replication.refuse()
    before = ask(pair.standby, "AS bytes")
    pair.standby.stop("fast")
    pair.standby.start()
    give_up_at = time.monotonic() + 10
    while ask(pair.standby, "AS bytes") < before:  # it answers before it has replayed all
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


@pytest.fixture
def third(pair: Pair) -> Iterator[Member]:
    """A second standby of the pair's primary, of which two one must confirm a commit."""
    source = pair.primary.dsn(tcp=True)
    with Member("third", memory(), source=source, version=PostgresChoice().test_postgres_version) as third:
        pair.primary.set("synchronous_standby_names", 'ANY 1 ("second", third)')
        for name in ("second", "third"):
            pair.primary.wait_for_standby(name, "quorum")
        yield third


def test_of_two_standbys_of_which_one_must_confirm_the_page_finds_the_one_that_has_the_mark(
    pair: Pair, third: Member, database: TestDatabase, signum: Signum
) -> None:
    (found,) = (found for found in signum("doctor", "--json").json if found["check"] == "replication")
    assert found["text"].startswith('second, third follow, synchronous (ANY 1 ("second", third)): ')
    assert found["text"].endswith("if this server is stopped first and the standby that has most is promoted")
    item = database.add_item(1001)
    for name in ("second", "third"):
        pair.primary.wait_for_standby(name, "quorum")
    pair.replication.refuse()
    database.fetch("INSERT INTO update_queue (item_record_id) VALUES (%s)", item)
    for standby in (pair.standby, third):
        standby.execute(*statements("primary_conninfo"))
    pair.primary.stop("immediate")
    assert ask(third, "AS bytes") > ask(pair.standby, "AS bytes")
    assert ask(pair.standby, "FROM update_log") == []
    third.promote()
    assert ask(third, "FROM update_log") == [(item,)]


def test_old_primary_acknowledges_marks_by_another_standby_until_that_follows_it_no_more(
    pair: Pair, third: Member, database: TestDatabase
) -> None:
    item, old = database.add_item(1001), pair.primary
    pair.promote()
    with psycopg.connect(old.dsn("signum")) as connection:  # whose commit would wait for ever for a confirmation
        connection.execute("INSERT INTO update_queue (item_record_id) VALUES (%s)", [item])
    third.execute(*statements("primary_conninfo"))
    give_up_at = time.monotonic() + 10
    while ask(old, "AS behind"):  # a standby that does not follow confirms nothing
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def test_after_a_failover_the_page_finds_since_when_marks_may_be_lost_and_what_the_old_primary_took(
    pair: Pair, database: TestDatabase
) -> None:
    kept, lost = database.add_item(1001), database.add_item(1002)
    mark = "INSERT INTO update_queue (item_record_id) VALUES (%s)"
    database.fetch(mark, kept)
    pair.cut_replication()
    between = datetime.now(UTC)
    database.fetch(mark, lost)
    old = pair.primary
    pair.promote()
    ((last,),) = ask(pair.primary, "pg_last_xact_replay_timestamp")
    assert isinstance(last, datetime)
    assert last <= between
    assert sorted(ask(old, "FROM update_log")) == [(kept,), (lost,)]
    assert ask(pair.primary, "FROM update_log") == [(kept,)]
    assert database.fetch("SELECT inet_server_port()") == [(old.port,)], "named first, the old primary is found first"
