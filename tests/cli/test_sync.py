"""signum sync: the position of the sync, and a full one on request."""

from tests.fix_postgres import TestDatabase
from tests.fix_signum import Signum


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
