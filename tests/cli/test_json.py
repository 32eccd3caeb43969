"""--json: every command has it, and says in it what was done."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from cli.main import app
from db.schema.version import known_revisions
from tests.fix_postgres import TestDatabase
from tests.fix_signum import Signum

ROOT: Any = typer.main.get_command(app)
WITHOUT = {("api",), ("console",)}  # they serve until they are told to stop, and answer nothing


def commands(group: Any = ROOT, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The words of each command there is, with the command."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*before, name))
        else:
            yield (*before, name), command


def test_every_command_can_be_asked_for_json() -> None:
    lacking = {words for words, command in commands() if not any("--json" in param.opts for param in command.params)}
    assert lacking == WITHOUT


@pytest.fixture
def items(database: TestDatabase) -> None:
    """Two items."""
    database.add_item(1001, item_record_id=1, barcode="12312312300001")
    database.add_item(1002, item_record_id=2, barcode="12312312300002")


@pytest.mark.usefixtures("items")
def test_which_items_were_marked_retried_and_dismissed_is_told_in_json(signum: Signum, database: TestDatabase) -> None:
    assert signum("queue", "mark", "1002", "1001", "--json").json == {"done": "marked", "item_record_ids": [1, 2]}
    database.fetch("UPDATE update_queue SET due_at = NULL, last_error = 'a ghost record'")
    retried = {"done": "retried", "item_record_ids": [1]}
    assert signum("queue", "retry", "1001", "--json").json == retried
    assert signum("queue", "retry", "--reason", "ghost", "--json").json == {**retried, "item_record_ids": [2]}
    assert signum("queue", "dismiss", "1001", "--json").json == {"done": "dismissed", "item_record_ids": [1]}


@pytest.mark.usefixtures("items")
def test_json_is_whole_also_where_something_was_refused_or_a_person_is_asked(
    signum: Signum, database: TestDatabase
) -> None:
    ran = signum("queue", "retry", "--reason", "bad weather", "--json")
    assert (ran.code, ran.json["item_record_ids"]) == (1, [])
    ran = signum("queue", "mark", "1001", "9999", "--json")
    assert (ran.code, ran.json["item_record_ids"], ran.err) == (1, [1], "no item has the number 9999\n")
    database.fetch("UPDATE update_queue SET due_at = NULL, last_error = 'a ghost record'")
    ran = signum("queue", "dismiss", "--reason", "ghost", "--json", typed="y\n")
    assert (ran.code, ran.json["item_record_ids"], "Dismiss 1 item" in ran.err) == (0, [1], True)


def test_a_revoked_client_an_asked_for_sync_and_a_notifier_are_told_in_json(
    signum: Signum, database: TestDatabase
) -> None:
    signum("client", "add", "desk 1", "--type", "signum-printer")
    revoked = signum("client", "revoke", "desk 1", "--json").json
    assert revoked == {"name": "desk 1", "revoked_at": signum("client", "list", "--json").json[0]["revoked_at"]}
    asked = signum("sync", "restart", "--json").json
    assert asked["full_sync_requested_at"] == signum("sync", "status", "--json").json["full_sync_requested_at"]
    database.fetch(
        "INSERT INTO notifier_state (notifier, mode, breaker, looped_at)"
        " VALUES (%s || ':1', 'listening', 'closed', now())",
        socket.gethostname(),
    )
    assert signum("notifier", "--check", "--json").json["state"] == "listening"
    assert signum("notifier", "--json").code == 2


def test_migrate_answers_in_json_beside_its_log(signum_process: Signum, empty_database: TestDatabase) -> None:
    ran = signum_process("migrate", "--json", settings=empty_database.environment())
    assert (ran.code, ran.json["revision"]) == (0, known_revisions()[-1])
