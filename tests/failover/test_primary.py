"""The primary is lost or replaced under marks: with a synchronous standby no acknowledged mark is lost."""

import re

import pytest

from tests.fix_library import Library
from tests.fix_sierra import SierraInThread
from tests.fix_standby import DRAINED_SECONDS, LISTENING, Pair, Run, waiting_for_standby

pytestmark = pytest.mark.long


def test_synchronous_pair_loses_no_mark_with_its_primary(pair: Pair, run: Run) -> None:
    pair.be_synchronous()
    running = run(**pair.by_address)
    with running.marking():
        pair.replication.refuse()
        running.api.wait_until(lambda: waiting_for_standby(pair.primary) > 0)
        pair.fail_over()
        pair.lead_to_primary()
    running.check(pair.primary)


def test_asynchronous_pair_loses_what_the_standby_did_not_have_and_the_log_of_the_api_names_it(
    pair: Pair, library: Library, sierra: SierraInThread, run: Run
) -> None:
    """Lost are marks that wait, and outcomes: of items that are done in Sierra, without a word of it in history."""
    here, done, lost = 1001, 1002, 1003
    library.add(here, done, lost)
    running = run(**pair.by_address)
    station = running.station
    assert station.print_label(here) == 200
    library.wait_until_drained(15)
    pair.cut_replication()
    assert station.print_label(done) == 200
    library.wait_until_drained(15)
    sierra.fault(status=503, code=117)
    assert station.print_label(lost) == 200
    pair.fail_over()
    pair.lead_to_primary()
    sierra.no_faults()
    running.notifier.wait_for_words(LISTENING, 2)
    library.wait_until_drained(DRAINED_SECONDS)
    assert [sentence.partition(" at ")[0] for sentence in library.broken()] == [
        f"item {done} was marked",
        f"item {lost} was marked",
    ]
    assert sierra.call_numbers(str(done)) != sierra.call_numbers(str(lost))
    marked = re.findall(r"item marked.*?item_record_id=(\d+)", running.api.log.read_text())
    ids = {str(id_): number for number, id_ in library.ids.items()}
    library.mark(*(int(ids[id_]) for id_ in marked))
    running.check(pair.primary)


def test_pair_is_switched_over_and_back_without_a_loss(pair: Pair, run: Run) -> None:
    running = run(**pair.by_address)
    with running.marking():
        pair.switch_over()
        pair.lead_to_primary()
    pair.take_back()
    running.notifier.wait_for_words(LISTENING, 2)
    with running.marking():
        pair.switch_over()
        pair.lead_to_primary()
    running.check(pair.primary, listened=3)
