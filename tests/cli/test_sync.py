"""signum sync: the position of the sync, a full one on request, and deletions that are held."""

import pytest

from tests.fix_postgres import TestDatabase
from tests.fix_signum import Signum

DELETED = "SELECT count(*) FROM sierra_item WHERE deleted_on IS NOT NULL"


def test_status_tells_mode_cursor_and_advice(signum: Signum) -> None:
    state = signum("sync", "status", "--json").json
    assert (state["sync_mode"], state["last_synced_id"]) == ("SYNC_FULL", 0)
    assert state["advice"] == "a full sync is under way"
    assert "SYNC_FULL" in signum("sync", "status").out


def test_restart_only_asks_and_the_next_get_begins_it(signum: Signum, database: TestDatabase) -> None:
    database.fetch("UPDATE sync_state SET sync_mode = 'SYNC_CHANGES', last_synced_id = 7")
    assert signum("sync", "restart").code == 0
    state = signum("sync", "status", "--json").json
    assert (state["sync_mode"], state["last_synced_id"]) == ("SYNC_CHANGES", 7)
    assert state["full_sync_requested_at"] is not None


@pytest.mark.parametrize(("typed", "code", "deleted"), [("y\n", 0, 2), ("n\n", 1, 0), ("", 1, 0)])
def test_held_deletions_are_allowed_only_when_a_person_says_yes(
    signum: Signum, database: TestDatabase, typed: str, code: int, deleted: int
) -> None:
    for number in (1001, 1002):
        database.add_item(number, deletion_held_on="2026-11-20")
    ran = signum("sync", "allow-deletions", typed=typed)
    assert (ran.code, "Delete 2 items whose deletion is held?" in ran.out) == (code, True)
    assert database.fetch(DELETED) == [(deleted,)]


def test_no_deletion_is_allowed_if_others_are_held_than_were_asked_about(
    signum: Signum, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.add_item(1001, deletion_held_on="2026-11-20")
    monkeypatch.setattr("cli.sync.confirm", lambda *_, **__: database.add_item(1002, deletion_held_on="2026-11-20"))
    ran = signum("sync", "allow-deletions")
    assert (ran.code, ran.err.startswith("nothing was deleted: other items are held now")) == (1, True)
    assert database.fetch(DELETED) == [(0,)]
