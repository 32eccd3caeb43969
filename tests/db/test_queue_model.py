"""Whatever happens in whatever order, the queue is what tests/db/queue_model.py says it has to be.

More orders of it than CI has time for: `pytest --hypothesis-profile=deep --timeout=0 tests/db/test_queue_model.py`.
"""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from functools import partial

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.db.queue_machine import QueueMachine
from tests.db.queue_session import Session
from tests.fix_postgres import TestDatabase


@pytest.fixture
def session(database: TestDatabase) -> Iterator[Session]:
    """With three items."""
    for item in range(1, 4):
        database.add_item(item, item_record_id=item)
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner, closing(database.connect()) as person:
        connection = runner.run(database.aconnect())
        yield Session(runner.run, connection, person, database.parameters["user"])
        runner.run(connection.close())


@pytest.mark.timeout(600)  # should it fail, the shortest way there is looked for
@pytest.mark.parametrize("share", [0.2, pytest.param(1, marks=pytest.mark.long)], ids=["a fifth", "all"])
def test_the_queue_is_as_its_model(session: Session, share: float) -> None:
    examples = int(share * settings().max_examples)
    machine = partial(QueueMachine, session)
    run_state_machine_as_test(machine, settings=settings(max_examples=examples))  # type: ignore[arg-type]
