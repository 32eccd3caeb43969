"""The wire to Sierra breaks while the answer to a write is on it: the item ends as it should."""

import pytest

from sandbox.wire import Wire, through
from tests.fix_library import Library
from tests.fix_postgres import TestDatabase
from tests.fix_processes import Start
from tests.fix_sierra import SierraInThread


@pytest.mark.parametrize("is_told", [True, False])
def test_a_write_whose_answer_is_lost_is_neither_lost_nor_done_otherwise(
    database: TestDatabase, library: Library, sierra: SierraInThread, wire_to_sierra: Wire, start: Start, is_told: bool
) -> None:
    library.add(1001)
    written = sierra.hold("put_item", after_applying=True)
    endpoint = through(wire_to_sierra, sierra.endpoint)
    notifier = start(
        "notifier",
        sierra_api_endpoint=endpoint,
        sierra_api_client_timeout_seconds=6,  # by then no idle connection of that time is kept either
        sierra_update_interval_seconds=3600,
    )
    library.mark(1001)
    written.block_until_reached()
    wire_to_sierra.black_hole()
    written.off()
    sierra.block_until(lambda journal: journal.puts("1001"))
    wire_to_sierra.heal()
    if is_told:
        wire_to_sierra.reset()
    else:
        notifier.wait_for_words("postponed: Sierra did not answer for item 1001")
        database.fetch("UPDATE update_queue SET due_at = now()")
    library.check(at_most=15)
    assert {tuple(put.call_numbers or ()) for put in sierra.puts("1001")} == {("84.31 Jännitys",)}
    assert len(sierra.puts("1001")) == (2 if is_told else 1), (
        "an empty reply is repeated at once, silence is read after"
    )
