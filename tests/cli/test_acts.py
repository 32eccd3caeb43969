"""Commands that act leave a row of `act`, and no other command does; `signum acts` shows them."""

import shlex
from typing import Any

import pytest

from cli.acts import find_os_user
from tests.cli.test_json import commands
from tests.fix_postgres import TestDatabase
from tests.fix_predecessor import Old
from tests.fix_signum import Signum

# A line that does something in a filled database, the number that its act tells, and the target.
ACTING: dict[tuple[str, ...], tuple[str, int, dict[str, Any]]] = {
    ("queue", "mark"): ("2043112 --priority 2", 1, {"item_numbers": ["2043112"], "priority": 2}),
    ("queue", "retry"): ("--reason ghost", 1, {"reason": "ghost"}),
    ("queue", "dismiss"): ("--barcode 33010002043112", 1, {"barcodes": ["33010002043112"]}),
    ("queue", "not-shown"): ("--mark", 1, {"limit": 100}),
    ("queue", "pause"): ("--reason why --for 2h", 1, {"for": "2:00:00"}),
    ("queue", "resume"): ("", 1, {}),
    ("revert",): ("4711 4712", 1, {"ids": [4711, 4712]}),
    ("client", "add"): ("'desk 2' --type etl", 1, {"name": "desk 2", "type": "etl"}),
    ("client", "rotate"): ("'desk 1'", 1, {"name": "desk 1"}),
    ("client", "revoke"): ("'desk 1'", 1, {"name": "desk 1"}),
    ("person", "add"): ("Aino --role viewer", 1, {"name": "Aino", "role": "viewer"}),
    ("person", "rotate"): ("Maija", 1, {"name": "Maija"}),
    ("person", "revoke"): ("Maija", 1, {"name": "Maija"}),
    ("sync", "restart"): ("", 1, {}),
    ("sync", "allow-deletions"): ("--yes", 1, {}),
}
IMPORT = ("import-predecessor",)
# `migrate` is run by machines; those of the ETL do nothing in our database.
LOOKING = {
    *(
        ("api",),
        ("console",),
        ("notifier",),
        ("migrate",),
        ("config",),
        ("doctor",),
        ("preview",),
        ("history",),
        ("progress",),
        ("acts",),
    ),
    *(("queue", "list"), ("queue", "status"), ("client", "list"), ("person", "list"), ("sync", "status")),
    *(("etl", "once"), ("etl", "doctor"), ("etl", "export")),
}
ROWS = "SELECT person, through, os_user, action, target, reason, number, result FROM act ORDER BY act_id"


def test_each_command_is_known_to_act_or_only_to_look() -> None:
    assert {words for words, _ in commands()} == {*ACTING, IMPORT, *LOOKING}


@pytest.mark.parametrize("words", ACTING)
def test_a_command_that_acts_leaves_its_row(filled: TestDatabase, signum: Signum, words: tuple[str, ...]) -> None:
    if words[-1] == "resume":
        filled.fetch("UPDATE queue_control SET paused_at = now()")
    filled.fetch("TRUNCATE act")
    line, number, target = ACTING[words]
    signum(*words, *shlex.split(line), "--by", "Eino")
    ((person, through, os_user, action, told, reason, count, result),) = filled.fetch(ROWS)
    assert (person, through, os_user) == ("Eino", "command", find_os_user())
    assert action.startswith(" ".join(words))
    assert (told, count) == (target, number)
    assert reason == ("why" if words[-1] == "pause" else None)
    assert result


@pytest.mark.parametrize("words", [words for words in ACTING if words not in {("sync", "restart")}])
def test_an_act_that_comes_to_nothing_leaves_its_row_too(
    database: TestDatabase, signum: Signum, words: tuple[str, ...]
) -> None:
    if words == ("client", "add"):
        signum(*words, "desk 2", "--type", "etl")
    if words == ("person", "add"):
        signum(*words, "Aino", "--role", "viewer")
    signum(*words, *shlex.split(ACTING[words][0].replace("--for 2h", "--until 2000-01-01T00:00")))
    *_, number, result = database.fetch(ROWS)[-1]
    assert (number, bool(result)) == (0, True)


def test_the_import_leaves_its_row(old: Old, database: TestDatabase) -> None:
    old.add(1)
    old.bring("--by", "Eino")
    ((person, _, _, action, told, _, number, result),) = database.fetch(ROWS)
    assert (person, action, told, number) == ("Eino", "import-predecessor", {"from": old.source}, 1)
    assert result.startswith("1 items came over")


def test_what_can_not_be_written_as_an_act_is_not_done(filled: TestDatabase, signum: Signum) -> None:
    filled.fetch("ALTER TABLE act ADD CONSTRAINT none CHECK (action = 'nothing') NOT VALID")
    before = filled.fetch("SELECT * FROM update_queue ORDER BY item_record_id")
    assert signum("queue", "retry", "--reason", "ghost").code != 0
    assert filled.fetch("SELECT * FROM update_queue ORDER BY item_record_id") == before


def test_acts_are_shown_the_newest_first(database: TestDatabase, signum: Signum) -> None:
    assert "no act is kept" in signum("acts").out
    signum("client", "add", "desk 1", "--type", "etl", "--by", "Eino")
    signum("queue", "pause", "--reason", "an upgrade")
    newest, oldest = signum("acts").out.splitlines()[1:]
    assert "aino" in newest
    assert "an upgrade" in newest
    assert "name desk 1; type etl" in oldest
    assert [act["action"] for act in signum("acts", "--json").json] == ["queue pause", "client add"]
    assert len(signum("acts", "--limit", "1", "--json").json) == 1
