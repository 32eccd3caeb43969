"""The watch over the fault tests can fail: each promise, broken, is told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.queue import NOT_CHECKED
from sandbox.invariants import Logged, Story, broken
from sandbox.journal import Entry
from tests.fix_sierra import make_record

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER, LAST = NOON + timedelta(seconds=1), NOON + timedelta(seconds=2)
PUSHED = Logged("7", "pushed", LATER, None)


def write(number: int, arrived_ns: int, ended_ns: int | None, call_number: Any = "84.31") -> Entry:
    """A PUT of item 7."""
    patch = {"varFields": [{"fieldTag": "c", "subfields": [{"tag": "a", "content": call_number}]}]}
    times = {"arrived_ns": arrived_ns, "ended_ns": ended_ns, "status": 204}
    return Entry(number, "put_item", "PUT", "/items/7", ("7",), "token", patch, **times)  # type: ignore[arg-type]


def put(number: int, at: datetime, landed_at: datetime | None, call_number: str = "84.31 Jännitys") -> Entry:
    """A PUT of item 7 that was answered 204, and done then or never."""
    landed = {"landed_at": landed_at.isoformat(), "call_numbers": [call_number]} if landed_at else {"write": "never"}
    one = write(number, 10 * number, 10 * number + 5)
    return replace(one, arrived_at=at.isoformat(), **landed)


KEPT = Story(
    marks=[("7", NOON)],
    classifications={"7": [(NOON - timedelta(days=1), "84.31")]},
    before={"7": make_record("7", "84.2 Jännitys")},
    after={"7": make_record("7", "84.31 Jännitys")},
    writes=[write(1, 0, 10), write(2, 10, 20)],
    waiting=[],
    log=[PUSHED],
    reads=[200, 503],
)
UNDONE = Logged("7", "pushed", LAST, None, "84.2 Jännitys", undoes="84.2 Jännitys")
REVERTED: dict[str, Any] = {
    "log": [PUSHED, UNDONE],
    "reverts": [("7", LATER)],
    "writes": [put(1, NOON, NOON), put(2, LAST, LAST, "84.2 Jännitys")],
    "after": {"7": make_record("7", "84.2 Jännitys")},
}
TOLD, TOLD_LAST = (replace(PUSHED, finished_at=at, call_number_after="84.31 Jännitys") for at in (LATER, LAST))
BETWEEN = LATER + (LAST - LATER) / 2
IGNORED_AGAIN: dict[str, Any] = {
    "log": [TOLD, replace(TOLD_LAST, call_number_after="86.25 Jännitys")],
    "writes": [put(1, NOON, None), put(2, BETWEEN, None)],
}
NEWER = [*KEPT.classifications["7"], (LATER, "85.2")]


def test_a_story_in_which_all_is_kept_is_found_whole() -> None:
    assert broken(KEPT) == []
    assert broken(replace(KEPT, classifications={"7": NEWER})) == [], "newer than the last mark: either will do"
    assert broken(replace(KEPT, writes=[write(1, 0, None), write(2, 10, 20)], lapsed=[1])) == []
    for ended_ns in (None, 20):
        hidden = [write(1, 0, ended_ns), write(2, 10, 20)]
        assert broken(replace(KEPT, writes=hidden, silenced_ns=[5])) == [], "its wire fell silent and hid its end"
    assert broken(replace(KEPT, **REVERTED)) == []
    refused = replace(UNDONE, outcome="rejected", error="staff changed it", call_number_after="84.31 Jännitys")
    assert broken(replace(KEPT, **REVERTED | {"log": [PUSHED, refused], "after": KEPT.after})) == []
    assert broken(replace(KEPT, log=[TOLD], writes=[put(1, NOON, NOON)])) == []
    assert broken(replace(KEPT, log=[TOLD], writes=[put(1, NOON, None)])) == [], (
        "Sierra said 204: the next push finds it"
    )
    done = put(2, BETWEEN, BETWEEN)
    writes = [*IGNORED_AGAIN["writes"][:1], done, put(3, BETWEEN, None)]
    assert broken(replace(KEPT, **IGNORED_AGAIN | {"writes": writes})) == [], "the first one was done late"
    doubted = [*IGNORED_AGAIN["log"][:-1], replace(IGNORED_AGAIN["log"][-1], error=f"a remark; {NOT_CHECKED}")]
    assert broken(replace(KEPT, **IGNORED_AGAIN | {"log": doubted})) == [], "history says that it could not be checked"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"waiting": ["7"]}, "still waits"),
        ({"log": []}, "nothing came of it"),
        ({"marks": [("7", NOON), ("7", LAST)]}, "nothing came of it"),
        ({"log": [Logged("7", "rejected", LATER, None)]}, "without a reason"),
        ({"after": {"7": make_record("7", "84.2 Jännitys")}}, "is '84.2 Jännitys' in Sierra"),
        ({"after": {"7": make_record("7", "84.311")}}, "is '84.311' in Sierra"),
        (
            {
                "classifications": {"7": NEWER},
                "marks": [("7", LATER)],
                "log": [Logged("7", "unchanged", LAST, None)],
            },
            "not ['85.2']",
        ),
        ({"reverts": [("7", LAST)]}, "was to be undone at 12:00:02.000000, and nothing came of it"),
        (REVERTED | {"after": KEPT.after}, "its last revert left '84.2 Jännitys'"),
        (REVERTED | {"log": [PUSHED, replace(UNDONE, outcome="rejected")]}, "was rejected without a reason"),
        (REVERTED | {"marks": [("7", LATER + (LAST - LATER) / 2)]}, "nothing came of it"),
        ({"writes": [write(1, 0, 11), write(2, 10, 20)]}, "writes 1 and 2 of item 7 overlap"),
        ({"writes": [write(1, 0, None), write(2, 10, 20)]}, "writes 1 and 2 of item 7 overlap"),
        ({"writes": [write(1, 1, None), write(2, 10, 20)], "silenced_ns": [0, 11]}, "writes 1 and 2 of item 7 overlap"),
        ({"after": {"7": make_record("7")}}, "is '' in Sierra"),
        ({"before": {"7": make_record("7", var_fields=[])}}, "other varFields"),
        ({"writes": [write(1, 0, 10, "")]}, "empty call number"),
        ({"writes": [write(1, 0, 10, None)]}, "empty call number"),
        ({"writes": [write(1, 0, 10, "None Jännitys")]}, "empty call number"),
        ({"log": [TOLD], "writes": []}, "was not '84.31 Jännitys' in Sierra"),
        ({"log": [TOLD], "writes": [put(1, NOON, LAST)]}, "was not '84.31 Jännitys' in Sierra"),
        ({"log": [TOLD], "writes": [put(1, NOON, NOON, "86.25")]}, "was not '84.31 Jännitys' in Sierra"),
        (IGNORED_AGAIN, "like '84.31 Jännitys' before"),
        (
            IGNORED_AGAIN
            | {"writes": [*IGNORED_AGAIN["writes"][:1], put(2, BETWEEN, BETWEEN, "9"), put(3, BETWEEN, None)]},
            "like",
        ),
        ({"reads": [200, 500, 500]}, "2 reads of a barcode were answered 500"),
    ],
)
def test_a_promise_that_was_not_kept_is_told(change: dict[str, Any], told: str) -> None:
    (sentence,) = broken(replace(KEPT, **change))
    assert told in sentence
