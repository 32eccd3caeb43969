"""The notifier looks at the queue after a notification, at its start, at the sweep, and when it hears again."""

import pytest

from tests.fix_notifier import EMPTY, NO_SWEEP, Notifier, add_items, eventually, listening, mark
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread


async def test_a_mark_is_pushed_by_notification(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    (item,) = add_items(database, sierra, 1001)
    async with notifier(**NO_SWEEP):
        await listening(database)
        mark(database, item)
        put = await sierra.until(lambda journal: journal.puts("1001"))
        await eventually(database, EMPTY)
    assert sierra.call_numbers("1001") == ["84.31 Jännitys"]
    assert put[0].patch["fixedFields"] == {"74": {"label": "IUSE3", "value": "1"}}
    assert "inventoryDate" in put[0].patch
    assert database.fetch("SELECT outcome, call_number_before, call_number_after FROM update_log") == [
        ("pushed", "84.2 Jännitys", "84.31 Jännitys")
    ]


async def test_what_was_marked_before_the_start_is_pushed(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    mark(database, *add_items(database, sierra, *range(1001, 1011)))
    async with notifier(**NO_SWEEP):
        await eventually(database, EMPTY)
    assert len(sierra.puts()) == 10


@pytest.mark.parametrize("holding", ["put_item", "get_items"], ids=["marked again", "released"])
async def test_what_a_notifier_puts_back_at_its_stop_another_takes_at_once(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, holding: str
) -> None:
    """Nothing else would have it look before the lease lapses, or the sweep."""
    (item,) = add_items(database, sierra, 1001)
    barrier = sierra.hold(holding)
    async with notifier(**NO_SWEEP) as first:
        mark(database, item)
        await barrier.reached()
        mark(database, item)
        async with notifier("n2", **NO_SWEEP):
            await eventually(database, "SELECT mode FROM notifier_state WHERE notifier = 'n2'", "listening")
            first.wakeup.stop()
            barrier.release()
            await eventually(database, EMPTY)


async def test_the_sweep_finds_what_was_not_notified(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    database.fetch("ALTER TABLE update_queue DISABLE TRIGGER ALL")
    async with notifier(sierra_update_interval_seconds=0.2):
        mark(database, *add_items(database, sierra, 1001))
        await eventually(database, EMPTY)
    assert len(sierra.puts("1001")) == 1


async def test_a_listener_whose_connection_is_cut_hears_again_and_looks(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    first, second = add_items(database, sierra, 1001, 1002)
    async with notifier(**NO_SWEEP):
        await listening(database)
        database.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'signum listener'"
        )
        mark(database, first)
        await eventually(database, EMPTY)
        await listening(database)
        mark(database, second)
        await eventually(database, EMPTY)
