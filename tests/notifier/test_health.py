"""An outage costs no item an attempt, and one probe at a time finds its end; an item that alone looks like one pays."""

from collections.abc import Iterator

import pytest

from notifier.in_flight import Allowance, Failed
from notifier.sierra.errors import (
    ItemRejected,
    ItemTroubled,
    NotReached,
    SierraRefused,
    SierraSilent,
    SierraUnavailable,
)
from notifier.suspects import MOST_SUSPECTS
from tests.fix_health import BUSY, Health, told

ROOM, NONE = Allowance(None), Allowance(0)
NEWEST_PROBE, OLDEST_PROBE = Allowance(1, newest_first=True, read_alone=True), Allowance(1, read_alone=True)


@pytest.mark.parametrize("fault", [BUSY, SierraSilent("no answer"), NotReached("no way"), SierraRefused("key")])
def test_an_outage_burns_no_attempt(health: Health, fault: SierraUnavailable) -> None:
    chunk = [health.item(number) for number in (1, 2, 3)]
    assert told(health.unavailable(chunk, fault, writing=False)) == {1: "due", 2: "due", 3: "due"}
    assert told(health.unavailable([health.item(4)], fault, writing=True)) == {4: "due"}
    assert (health.look(), health.fault) == ("open", fault)
    assert health.allowance(has_probe=False) == NONE


def test_an_outage_burns_no_attempt_of_items_that_were_its_first_sign(health: Health) -> None:
    health.refuse(1, 2, error=ItemTroubled("unanswered", "no answer", ambiguous="silence"))
    health.failed(
        health.item(3, probe=True), ItemTroubled("unanswered", "no answer", ambiguous="silence"), writing=False
    )
    expected = {4: "due", 1: "due", 2: "due", 3: "back"}
    assert told(health.unavailable([health.item(4)], SierraSilent("no answer"), writing=True)) == expected
    assert health.no_answers_to_come() == []


def pauses(health: Health, count: int) -> Iterator[float]:
    """The pauses of so many probes that fail."""
    for _ in range(count):
        health.open()
        yield round(health.seconds_left, 3)
        health.end_pause()


def test_pauses_double_from_one_second_to_sixty(health: Health) -> None:
    assert list(pauses(health, 9)) == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_pauses_are_jittered_down_to_half() -> None:
    health = Health()
    health._chance = lambda: 0.0
    assert list(pauses(health, 8)) == [0.5, 1, 2, 4, 8, 16, 30, 30]


def test_a_pause_after_it_was_well_is_short_again(health: Health) -> None:
    list(pauses(health, 5))
    health.succeeded(health.item(1), wrote=True)
    assert list(pauses(health, 1)) == [1]


def test_a_retry_after_wins_and_the_longest_of_several_counts(health: Health) -> None:
    under_way = [health.item(number) for number in range(4)]
    for item, seconds, left in zip(under_way, (30, 45, 20, None), (30, 45, 45, 45), strict=True):
        health.unavailable([item], SierraUnavailable("busy", seconds), writing=False)
        assert health.seconds_left == left


def test_one_probe_at_a_time(health: Health) -> None:
    health.open()
    health.end_pause()
    assert health.look() == "probing"
    assert health.allowance(has_probe=False).limit == 1
    assert health.allowance(has_probe=True) == NONE


def test_a_failed_probe_goes_to_the_back_and_another_item_is_next(health: Health) -> None:
    assert health.allowance(has_probe=False) == ROOM
    health.open()
    health.end_pause()
    assert health.allowance(has_probe=False) == NEWEST_PROBE
    assert told(health.unavailable([health.item(1, probe=True)], BUSY, writing=False)) == {1: "back"}
    health.end_pause()
    assert health.allowance(has_probe=False) == OLDEST_PROBE


def test_only_an_answer_to_a_request_sent_after_opening_closes_it(health: Health) -> None:
    early = [health.item(number) for number in (1, 2)]
    health.open()
    health.succeeded(early[0], wrote=True)
    assert health.look() == "open"
    health.end_pause()
    health.succeeded(early[1], wrote=True)
    assert health.look() == "probing"
    health.succeeded(health.item(3, probe=True), wrote=True)
    assert health.look() == "closed"


def test_failures_of_requests_sent_before_opening_are_the_same_fault(health: Health) -> None:
    early = [health.item(number) for number in (1, 2)]
    health.open()
    ends_at = health.clock.now + health.seconds_left
    health.unavailable([early[0]], BUSY, writing=False)
    assert health.clock.now + health.seconds_left == ends_at
    health.end_pause()
    health.unavailable([early[1]], BUSY, writing=False)
    assert health.look() == "probing"


def test_second_service_fault_after_other_writes_blames_the_item(health: Health) -> None:
    assert told(health.unavailable([health.item(1)], BUSY, writing=False)) == {1: "due"}
    health.end_pause()
    assert health.is_suspect(health.item(1))
    health.succeeded(health.item(2), wrote=True)
    assert told(health.unavailable([health.item(1)], BUSY, writing=False)) == {1: "postponed"}
    assert health.look() == "closed"


def test_any_item_of_a_list_may_be_to_blame_so_each_is_read_alone_the_next_time(health: Health) -> None:
    chunk = [health.item(number) for number in (1, 2, 3)]
    assert told(health.unavailable(chunk, BUSY, writing=False)) == {1: "due", 2: "due", 3: "due"}
    health.end_pause()
    health.succeeded(health.item(4), wrote=True)
    assert [health.is_suspect(health.item(number)) for number in (1, 2, 3, 4)] == [True, True, True, False]
    health.succeeded(health.item(2), wrote=False)
    assert not health.is_suspect(health.item(2))
    assert told(health.unavailable([health.item(1)], BUSY, writing=False)) == {1: "postponed"}
    assert health.look() == "closed"


def test_an_item_for_which_a_pause_is_asked_again_is_postponed_for_that_long_and_the_pause_is_kept(
    health: Health,
) -> None:
    asked = SierraUnavailable("busy", 700.0)
    assert told(health.unavailable([health.item(1)], asked, writing=True)) == {1: "due"}
    health.end_pause()
    health.succeeded(health.item(2), wrote=True)
    health.refuse(3)
    own, undecided = health.unavailable([health.item(1)], asked, writing=True)
    assert (told([own]), told([undecided])) == ({1: "postponed"}, {3: "due"})
    assert isinstance(own, Failed)
    assert own.error.retry_after == health.seconds_left == 700


def test_between_two_writes_one_item_is_to_blame_at_the_most(health: Health) -> None:
    """An outage that begins while the items of a list are read alone is Sierra's, and costs one of them an attempt."""
    chunk = [health.item(number) for number in (1, 2, 3)]
    health.unavailable(chunk, BUSY, writing=False)
    health.end_pause()
    health.succeeded(health.item(4), wrote=True)
    assert told(health.unavailable([chunk[0]], BUSY, writing=False)) == {1: "postponed"}
    assert told(health.unavailable([chunk[1]], BUSY, writing=False)) == {2: "due"}
    assert health.look() == "open"
    health.end_pause()
    health.succeeded(health.item(5), wrote=True)
    assert told(health.unavailable([chunk[2]], BUSY, writing=False)) == {3: "postponed"}


def test_no_item_is_to_blame_while_nothing_is_written(health: Health) -> None:
    for number in (1, 2, 1, 2, 1, 2):
        assert told(health.unavailable([health.item(number)], BUSY, writing=False)) == {number: "due"}
        health.end_pause()
        health.succeeded(health.item(3), wrote=False)


def test_no_item_is_to_blame_in_company_or_where_it_was_not_reached_or_after_a_success(health: Health) -> None:
    for fault in (NotReached("no way"), BUSY):
        health.unavailable([health.item(1)], BUSY, writing=False)
        health.end_pause()
        health.succeeded(health.item(2), wrote=True)
        if fault is BUSY:
            health.succeeded(health.item(1), wrote=True)
        assert told(health.unavailable([health.item(1)], fault, writing=False)) == {1: "due"}
        health.end_pause()
        health.succeeded(health.item(1), wrote=True)
    assert not health.is_suspect(health.item(1))


def test_a_fault_that_is_over_closes_it_unless_it_was_opened_for_another_since(health: Health) -> None:
    key = SierraRefused("Sierra refuses our key")
    health.unavailable([], key, writing=False)
    assert health.fault is key
    health.end_pause()
    health.open()
    health.recovered(key)
    assert health.look() == "open"
    health.recovered(BUSY)
    assert health.states == ["open", "open", "closed"]


@pytest.mark.parametrize(("fault", "writing"), [(BUSY, True), (SierraRefused("key"), False)])
def test_where_no_write_was_refused_any_good_answer_closes_it(
    health: Health, fault: SierraUnavailable, writing: bool
) -> None:
    health.unavailable([health.item(1)], fault, writing)
    health.end_pause()
    health.succeeded(health.item(2), wrote=False)
    assert health.look() == "closed"


def test_an_item_that_is_gone_shows_sierra_well(health: Health) -> None:
    health.open()
    health.end_pause()
    gone = ItemRejected("absent", "Sierra has no item 1")
    assert told(health.failed(health.item(1, probe=True), gone, writing=False)) == {1: "rejected"}
    assert health.look() == "closed"


def test_the_same_fault_is_told_once_however_many_probes_fail(health: Health) -> None:
    list(pauses(health, 3))
    assert health.states == ["open"]


def test_a_success_is_noted_though_it_ends_no_pause(health: Health) -> None:
    early = health.item(1)
    health.open()
    health.succeeded(early, wrote=True)
    assert (health.look(), health.last_success_at) == ("open", health.clock.now)


def test_of_very_many_suspects_the_first_is_forgotten(health: Health) -> None:
    for number in range(MOST_SUSPECTS + 1):
        health.unavailable([health.item(number)], BUSY, writing=False)
    assert not health.is_suspect(health.item(0))
    assert health.is_suspect(health.item(1))
