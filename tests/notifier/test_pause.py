"""While the queue is paused nothing is pushed, and everything else goes on."""

import asyncio
import time

from tests.fix_api import ApiClient
from tests.fix_notifier import EMPTY, NO_SWEEP, PATIENCE_SECONDS, Notifier, add_items, eventually, mark
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread
from tests.fix_signum import Signum

NOTHING_HELD = "SELECT count(*) = 0 FROM update_queue WHERE lease_until IS NOT NULL"
POOL, MOST_HELD = 2, 4


async def test_paused_in_the_middle_of_a_drain_only_what_is_held_is_pushed_until_it_is_resumed(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, signum: Signum, printer: ApiClient
) -> None:
    *items, late = add_items(database, sierra, *range(1001, 1022))
    mark(database, *items)
    writes = sierra.hold(times=POOL)
    limits = {"sierra_api_client_pool_size": POOL, "sierra_update_batch_size_limit": MOST_HELD}
    async with notifier(**NO_SWEEP, **limits) as service:
        await writes.reached()
        assert (await asyncio.to_thread(signum, "queue", "pause", "--reason", "Sierra is upgraded")).code == 0
        writes.off()
        await eventually(database, NOTHING_HELD)
        pushed = len(sierra.puts())
        assert 1 <= pushed <= MOST_HELD
        notified_at = time.monotonic()
        assert printer.put(f"/itemdata/{late}").json() == {"updated": True}
        assert printer.get("/itemdata/33010000001021").json()["in_update_queue"] is True
        async with asyncio.timeout(PATIENCE_SECONDS):
            while service.looped_at < notified_at:  # noqa: ASYNC110  the worker does not signal its claims
                await asyncio.sleep(0.01)
        await eventually(database, "SELECT count(*) FROM update_queue", 21 - pushed)
        assert len(sierra.puts()) == pushed, "the notification was heard, but nothing is pushed"
        assert (await asyncio.to_thread(signum, "queue", "resume")).code == 0
        await eventually(database, EMPTY)
    assert len(sierra.puts()) == 21


async def test_a_pause_with_an_end_is_over_by_itself(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, signum: Signum
) -> None:
    assert (await asyncio.to_thread(signum, "queue", "pause", "--reason", "x", "--for", "1s")).code == 0
    mark(database, *add_items(database, sierra, 1001))
    async with notifier(**NO_SWEEP):
        await eventually(database, EMPTY)
    ((ended, pushed),) = database.fetch("SELECT resume_at, finished_at FROM queue_control, update_log")
    assert pushed >= ended
