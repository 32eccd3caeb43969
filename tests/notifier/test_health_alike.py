"""Ambiguous failures: five alike have new items decide whose fault it is, a few wait for another answer."""

import pytest

from notifier.in_flight import Allowance
from notifier.sierra.errors import ItemRejected, ItemTroubled, SierraRefused, SierraUnavailable
from tests.fix_health import REFUSED, Health, told

NONE, NEWEST_PROBE = Allowance(0), Allowance(1, newest_first=True, read_alone=True)


def test_five_alike_are_the_items_own_if_a_newer_one_succeeds(health: Health) -> None:
    health.refuse(1, 2, 3, 4)
    assert health.look() == "closed"
    health.refuse(5)
    assert health.look() == "sampling"
    assert health.allowance(has_probe=False) == Allowance(3, newest_first=True, read_alone=True)
    assert health.allowance(has_probe=True) == NONE
    settled = health.succeeded(health.item(6, probe=True), wrote=True)
    assert told(settled) == dict.fromkeys(range(1, 6), "rejected")
    assert health.states == ["sampling", "closed"]


def test_five_alike_and_three_samples_too_open_it_and_burn_no_attempt(health: Health) -> None:
    health.refuse(1, 2, 3, 4, 5)
    for number in (6, 7, 8):
        assert health.failed(health.item(number, probe=True), REFUSED, writing=False) == []
    expected = dict.fromkeys(range(1, 6), "due") | dict.fromkeys(range(6, 9), "back")
    assert told(health.no_answers_to_come()) == expected
    assert str(health.fault) == ("8 items in a row failed alike, is it the configuration? The last: Sierra refused it")
    assert health.states == ["sampling", "open"]


def test_five_alike_during_a_pause_are_no_reason_to_sample_once_a_probe_succeeds(health: Health) -> None:
    health.open()
    health.end_pause()
    health.refuse(1, 2, 3, 4, 5)
    settled = health.succeeded(health.item(6, probe=True), wrote=True)
    assert told(settled) == dict.fromkeys(range(1, 6), "rejected")
    assert health.states == ["open", "closed"]


def test_a_new_mark_ends_the_pause_after_five_alike_and_is_tried_first(health: Health) -> None:
    health.refuse(1, 2, 3, 4, 5)
    health.no_answers_to_come()
    assert health.look() == "open"
    health.new_mark()
    assert health.look() == "probing"
    assert health.allowance(has_probe=False) == NEWEST_PROBE
    assert told(health.failed(health.item(6, probe=True), REFUSED, writing=False)) == {6: "back"}
    assert (health.look(), round(health.seconds_left)) == ("open", 2)


def test_a_new_mark_ends_no_pause_of_an_outage(health: Health) -> None:
    health.open()
    health.new_mark()
    assert health.look() == "open"


def test_an_outage_after_five_alike_is_an_outage(health: Health) -> None:
    under_way = health.item(9)
    health.refuse(1, 2, 3, 4, 5)
    health.no_answers_to_come()
    health.unavailable([under_way], SierraUnavailable("busy", 30), writing=False)
    health.new_mark()
    assert (health.look(), round(health.seconds_left)) == ("open", 30)


def test_failures_of_different_kinds_or_of_one_item_are_no_streak(health: Health) -> None:
    health.refuse(1, 1, 1, 1, 1, 1)
    assert health.look() == "closed"
    settled = health.refuse(2, error=ItemTroubled("failed", "failed", ambiguous="500"))
    assert told(settled) == {1: "rejected"}
    health.refuse(3, 4, 5, 6)
    assert health.look() == "closed"


@pytest.mark.parametrize("opened_by", ["ambiguous", "key"])
def test_refused_writes_are_disproved_by_a_write_only(health: Health, opened_by: str) -> None:
    if opened_by == "key":
        health.unavailable([health.item(1)], SierraRefused("no role"), writing=True)
    else:
        health.refuse(1, 2, 3, 4, 5, writing=True)
        health.no_answers_to_come()
    health.end_pause()
    health.succeeded(health.item(7), wrote=False)
    health.failed(health.item(8), ItemRejected("absent", "Sierra has no item 8"), writing=False)
    assert health.look() == "probing"
    health.succeeded(health.item(9), wrote=True)
    assert health.look() == "closed"
    health.open()
    health.end_pause()
    health.succeeded(health.item(10), wrote=False)
    assert health.look() == "closed", "the next trouble is another one"


def test_a_lone_400_is_tried_twice(health: Health) -> None:
    health.refuse(1)
    assert told(health.no_answers_to_come()) == {1: "postponed"}
    health.failed(health.item(1, attempts=2), REFUSED, writing=False)
    assert told(health.no_answers_to_come()) == {1: "rejected"}
    assert health.no_answers_to_come() == []


def test_silence_is_the_items_own_if_sierra_answers_others(health: Health) -> None:
    assert health.refuse(1, error=ItemTroubled("unanswered", "no answer", ambiguous="silence")) == []
    assert told(health.succeeded(health.item(2), wrote=True)) == {1: "postponed"}
    assert health.states == []


def test_good_items_behind_a_hundred_poisoned_ones_wait_for_less_than_two_seconds_of_pauses(health: Health) -> None:
    queue, began = list(range(100)), health.clock.now
    written: list[int] = []
    good = [200, 201]
    queue += good
    while not written:
        allowance = health.allowance(has_probe=False)
        claims = queue[-1:-4:-1] if allowance.newest_first else queue[:4]
        claims = claims[: allowance.limit]
        for number in claims:
            queue.remove(number)
            if number in good:
                written.append(number)
                health.succeeded(health.item(number), wrote=True)
            else:
                health.failed(health.item(number), REFUSED, writing=True)
        if not claims:
            health.no_answers_to_come()
            health.end_pause()
    assert health.clock.now - began < 2


def test_items_that_fail_alike_one_after_the_other_are_a_streak_too(health: Health) -> None:
    for number in range(1, 5):
        health.refuse(number)
        assert told(health.no_answers_to_come()) == {number: "postponed"}
    health.refuse(5)
    assert health.look() == "sampling"
