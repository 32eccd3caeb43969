"""The notifier's metrics: how pushes went, and how it is."""

from collections.abc import Iterator
from contextlib import contextmanager

from notifier.metrics import COUNTED, ConditionCollector
from notifier.service import Service
from runtime.metrics import metrics_served
from sandbox.postgres import free_port
from tests.fix_metrics import Scraped
from tests.fix_notifier import Notifier, eventually, mark
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread, make_record


@contextmanager
def told(service: Service) -> Iterator[int]:
    """The port of its metrics."""
    with metrics_served("127.0.0.1", free_port(), COUNTED, ConditionCollector(service.snapshot)) as port:
        assert port is not None
        yield port


async def test_pushes_are_counted_and_timed(database: TestDatabase, sierra: SierraInThread, notifier: Notifier) -> None:
    sierra.add(make_record("1001", "84.2"))
    items = [database.add_item(1001), database.add_item(1002)]  # Sierra has no 1002
    async with notifier(sierra_update_interval_seconds=3600) as service:
        await eventually(database, "SELECT mode FROM notifier_state", "listening")
        with told(service) as port:
            before = Scraped(port)
            mark(database, *items)
            await eventually(database, "SELECT count(*) FROM update_log", 2)
            await eventually(database, "SELECT count(*) FROM update_queue WHERE due_at IS NOT NULL", 0)
            after = Scraped(port)

    def new(name: str, **labels: str) -> float:
        return (after.value(name, **labels) or 0) - (before.value(name, **labels) or 0)

    assert new("signum_push_seconds_count") == 1
    assert new("signum_mark_to_sierra_seconds_count") == 1
    assert 0 < new("signum_push_seconds_sum") < new("signum_mark_to_sierra_seconds_sum") < 10
    assert new("signum_notify_to_claim_seconds_count") == 1
    assert after.value("signum_listening") == 1
    assert after.value("signum_breaker_state", state="closed") == 1
    assert (after.value("signum_sierra_token_seconds") or 0) > 0
    assert after.value("signum_sierra_key_refused") == 0


async def test_key_that_sierra_refuses_is_told_before_the_first_mark(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    sierra.revoke_key()
    async with notifier() as service:
        await eventually(database, "SELECT breaker <> 'closed' FROM notifier_state")
        with told(service) as port:
            refused = Scraped(port)
    assert refused.value("signum_sierra_key_refused") == 1
    assert refused.value("signum_breaker_state", state="closed") == 0
    assert refused.value("signum_sierra_token_seconds") == 0
