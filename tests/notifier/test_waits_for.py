"""While nothing is pushed, the notifier's state names what it waits for: an answer, Sierra, or a person."""

import logging
from typing import Any

import pytest

from notifier.sierra.errors import SierraRefused
from tests.fix_health import BUSY, REFUSED, Clock, claimed
from tests.fix_notifier import EMPTY, NO_SWEEP, Notifier, add_items, eventually, mark
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread
from tests.fix_verdict import LIMIT_SECONDS

STATE = "SELECT (state, waits_for)::text FROM notifier_overview"
SIERRA, ANSWER, PERSON = (
    '("waiting for Sierra",Sierra)',
    '("waiting for Sierra",answer)',
    '("waiting for a person",person)',
)


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ({"kind": "*", "status": 503, "code": 117}, SIERRA),
        ({"kind": "get_items", "html": True, "status": 200}, SIERRA),
        ({"kind": "token", "status": 500}, SIERRA),
        ({"kind": "*", "manner": "empty"}, ANSWER),
        ({"kind": "*", "manner": "hang"}, ANSWER),
        ({"kind": "token", "status": 401}, PERSON),
        ({"kind": "put_item", "status": 403, "code": 116}, PERSON),
        ({"kind": "put_item", "status": 302}, PERSON),
        ({"kind": "put_item", "status": 400, "description": "the same for all"}, PERSON),
    ],
    ids=str,
)
async def test_who_must_act_is_told_by_the_state(
    database: TestDatabase,
    sierra: SierraInThread,
    notifier: Notifier,
    caplog: pytest.LogCaptureFixture,
    fault: dict[str, Any],
    state: str,
) -> None:
    switch = sierra.fault(**fault)
    mark(database, *add_items(database, sierra, *range(1001, 1009)))
    async with notifier(**NO_SWEEP, sierra_api_client_timeout_seconds=0.5, sierra_api_client_retries=1):
        await eventually(database, STATE, state)
        levels = {record.levelno for record in caplog.records if record.getMessage().startswith("stopped pushing")}
        assert levels == {logging.ERROR if state == PERSON else logging.WARNING}
        switch.off()
        database.fetch("UPDATE update_queue SET due_at = now()")  # a failed probe waits a minute at the back
        await eventually(database, EMPTY, at_most=LIMIT_SECONDS)
        await eventually(database, STATE, "(listening,)")


async def test_a_refused_key_that_is_taken_again_is_noticed_without_an_item(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier
) -> None:
    sierra.revoke_key()
    async with notifier(**NO_SWEEP):
        await eventually(database, STATE, PERSON)
        sierra.revoke_key(revoked=False)
        await eventually(database, STATE, "(listening,)")


async def test_each_change_of_sierras_health_is_logged_once_with_its_state(
    notifier: Notifier, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    key, clock = SierraRefused("the key is refused"), Clock()
    async with notifier(**NO_SWEEP) as service:
        health = service.health
        health._now = clock
        for fault in (BUSY, BUSY, key, key):
            health.unavailable([], fault, writing=False)
            clock.now += 100
        health.recovered(key)
        for number in range(1, 6):
            health.failed(claimed(number, clock.now), REFUSED, writing=False)
        health.succeeded(claimed(6, clock.now), wrote=True)
    told = [(record.levelname, record.__dict__.get("state"), record.getMessage()) for record in caplog.records]
    assert [line for line in told if line[1]] == [
        ("WARNING", "open", "stopped pushing: Sierra is busy"),
        ("ERROR", "open", "still not pushing: the key is refused"),
        ("INFO", "closed", "pushing again: Sierra answers"),
        ("INFO", "sampling", "items failed alike: new ones decide whose fault it is"),
        ("INFO", "closed", "the items that failed alike are themselves at fault"),
    ]
