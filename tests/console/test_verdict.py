"""The verdict is right in each state that docs/reliability.md and docs/operations.md name: a row per state."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.verdicts import in_english
from console.reasons import REASONS
from console.sentences import Sentence
from console.sierra_faults import OTHER, explain
from console.verdict import Verdict, judge
from db.reasons import REASON_CODES
from db.snapshot import MOST, Client, Group, Notifier, Push, Snapshot
from tests.docs.markdown import table

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
STATIONS = (Client("desk 1", "signum-printer", 30), Client("etl", "etl", 60))
PUSH = Push(7, "2043111", "33010002043111", "Kirja", "84.2", "84.31", "desk 1", 12)
WELL = Snapshot(NOON, notifiers=[Notifier("n1")], clients=STATIONS, pushes=[PUSH], labels_today=214, batch_seconds=60)
HOUR = 3600


def waiting(items: int, seconds: float = 60) -> list[Group]:
    return [Group("waiting", items, None, seconds)]


def trouble(reason: str, waits_for: str, **others: Any) -> list[Notifier]:
    return [Notifier("n1", breaker="open", reason=reason, waits_for=waits_for, **{"success_seconds": 60, **others})]


def english(said: Sentence) -> str:
    """The sentence as the commands print it, times and spans in short."""
    return re.sub(r"2026-11-26 (\d\d:\d\d):\d\d\+00:00", r"\1", in_english(said))


@dataclass(frozen=True)
class State:
    """A row: which states of the pages it is, what differs from all being well, and the first cause's expectation."""

    names: str
    changes: dict[str, Any]
    code: str
    level: str
    text: str
    advice: str = ""
    items: int = 0


GONE = [Notifier("n1", seen_seconds=40)]
STATES = [
    State("S1 unavailable", {"notifiers": trouble("Sierra is not available: 503", "Sierra")}, "down", "warning",
          "Sierra is not available.", "by itself"),
    State("S1 for long", {"notifiers": trouble("Sierra is not available: 503", "Sierra", success_seconds=HOUR),
          "queue": waiting(40, 1800)}, "down", "problem", "40 items wait since 11:30: Sierra is not available.",
          items=40),
    State("S1 web page, waiting for Sierra", {"notifiers": trouble("Sierra answered with a web page to GET /x: 200",
          "Sierra")}, "down", "warning", "Sierra is not available."),
    State("S1 silent, S20", {"notifiers": trouble("Sierra does not answer: time-out", "answer"), "queue": waiting(1)},
          "silent", "warning", "1 item waits since 11:59: Sierra does not answer.", items=1),
    State("S1 busy", {"notifiers": trouble("Sierra is busy: 429", "Sierra")}, "busy", "warning", "Sierra is busy."),
    State("S2", {"notifiers": trouble("Sierra gave no token: 500. Check SIERRA_API_ENDPOINT", "Sierra")}, "token",
          "warning", "Sierra gives us no token."),
    State("S4, S6, waiting for a person", {"notifiers": trouble("Sierra refuses our key (…): check …", "person"),
          "queue": waiting(40, 120)}, "key", "problem", "40 items wait since 11:58: Sierra refuses our key.",
          "Ask Sierra's administrator to renew it; nothing is lost", 40),
    State("S5", {"notifiers": trouble("Sierra refuses our key or its role, at PUT: 403", "person")}, "role", "problem",
          "may not write items", "Items Write"),
    State("S6 address", {"notifiers": trouble("not Sierra answered GET /x: 404. Check SIERRA_API_ENDPOINT", "person")},
          "address", "problem", "Sierra is not where we look for it.", "SIERRA_API_ENDPOINT"),
    State("S6 certificate", {"notifiers": trouble("Sierra's certificate is not trusted: expired", "person")},
          "certificate", "problem", "certificate is not trusted", "SIERRA_API_CA_BUNDLE"),
    State("S7", {"notifiers": trouble("5 items in a row failed alike, is it the configuration? The last: x", "person"),
          "queue": waiting(1_000_000 - MOST)}, "alike", "problem",
          "10,000+ items wait since 11:59: Sierra refuses one item", items=1_000_000 - MOST),
    State("S7 samples", {"notifiers": [Notifier("n1", breaker="sampling")]}, "sampling", "notice",
          "Five items in a row"),
    State("S9, S10 absent", {"rejected": [Group("rejected", 100, "absent")]}, "rejected", "warning",
          "100 items are rejected: Sierra has no such record.", "dismissed", 100),
    State("S10 few", {"rejected": [Group("rejected", 1, "ghost")]}, "rejected", "notice",
          "1 item is rejected: Sierra shows the record and refuses to save it.", "vendor", 1),
    State("S11, S8, S12, S14, S15, O3", {"queue": [Group("postponed", 2, "in_use")]}, "postponed", "notice",
          "2 items are tried again later: the record is in use by staff.", "by itself", 2),
    State("S21", {"queue": [Group("unanswered", 3)]}, "unanswered", "notice", "3 items wait for writes", items=3),
    State("S21 to recheck", {"queue": [Group("to recheck", 3)]}, "recheck", "notice",
          "3 items are in Sierra and are read"),
    State("S22", {"rejected": [Group("rejected", 21, "not_kept")]}, "rejected", "warning",
          "does not keep what is written", "locked", 21),
    State("S20 alone", {"notifiers": [*trouble("Sierra does not answer: time-out", "answer"), Notifier("n2")]},
          "alone", "warning", "Notifier n1 alone can't work with Sierra", "restart it"),
    State("P1, P2, P4, away", {"away": True}, "away", "problem", "The database does not answer", "administrator"),
    State("P7, P8, polling", {"notifiers": [Notifier("n1", "polling", reason="deaf")]}, "polling", "notice",
          "Notifier n1 does not hear of new labels", "LISTEN_DB_HOST"),
    State("P9", {"silent_triggers": ["update_queue_notify_insert"]}, "trigger", "warning", "half a minute late",
          "triggers"),
    State("P11, P20", {"only_reads": True, "notifiers": GONE, "queue": waiting(4)}, "read_only", "problem",
          "4 items wait since 11:59: The database can only be read", items=4),
    State("P17", {"named_standbys": "s2"}, "standby", "problem", "The second database server is missing"),
    State("P12, H8, H9", {"lock_waiters": 2, "lock_holders": [4711]}, "locked", "warning", "2 sessions have waited",
          "end the transaction"),
    State("notification queue", {"notification_queue": 0.6}, "notifications", "warning",
          "once full, it takes no label"),
    State("O1, O2, no notifier", {"notifiers": [], "queue": waiting(7)}, "no_notifier", "problem",
          "7 items wait since 11:59: No notifier is running", "Start it", 7),
    State("O1 killed, gone", {"notifiers": GONE}, "no_notifier", "problem",
          "No notifier has been heard of for 40 s", "Start it"),
    State("O1 of two", {"notifiers": [Notifier("n2"), *GONE]}, "gone", "notice", "1 notifier was not stopped"),
    State("O8", {"notifiers": trouble("not Sierra, but this machine is at its limit: …", "person")}, "limit",
          "problem", "machine is at its limit", "open files"),
    State("O5, stalled", {"notifiers": [Notifier("n1", looped_seconds=130)], "queue": waiting(3, 130)}, "stalled",
          "problem", "3 items wait since 11:57: The notifier is alive, and does nothing.", "Restart it", 3),
    State("stalled of two", {"notifiers": [Notifier("n1", looped_seconds=130), Notifier("n2")],
          "queue": waiting(3, 130)}, "stalled", "warning", "Notifier n1 is alive, and does nothing; the others work."),
    State("O7 slow, more than Sierra takes", {"queue": waiting(900, 400), "finished_lately": 120}, "behind", "problem",
          "900 items wait since 11:53: more comes than Sierra takes.", "120 were done in the last 10 minutes", 900),
    State("nothing done though due", {"queue": waiting(2, 400)}, "behind", "problem", "none was done", "Restart", 2),
    State("H4, paused", {"paused_at": NOON, "paused_by": "aino", "pause_reason": "Sierra is upgraded",
          "queue": waiting(5)}, "paused", "warning", "5 items wait since 11:59: aino paused the pushes until a person",
          "Resume", 5),
    State("paused for a time", {"paused_at": NOON, "paused_by": "aino", "resume_at": NOON + timedelta(hours=2)},
          "paused", "warning", "aino paused the pushes until 14:00.", "by itself"),
    State("H5", {"rejected": [Group("rejected", 30, "changed_since")]}, "rejected", "warning",
          "changed in Sierra since", items=30),
    State("E9 the ETL is silent", {"batch_seconds": 3 * HOUR}, "etl_silent", "warning",
          "The ETL has not come for 3 h: labels are printed from the catalogue of 09:00.", "whether it runs"),
    State("changes stand still", {"behind_seconds": 3 * HOUR}, "sync_stands", "warning",
          "Changes of items have come up to 09:00 only, though the ETL comes", "which statement or which items"),
    State("a full sync stands still", {"sync_mode": "SYNC_FULL", "behind_seconds": 3 * HOUR}, "sync_stands", "warning",
          "The full sync has not gone on for 3 h, though the ETL comes", "which statement or which items"),
    State("E gap that closes", {"sync_mode": "SYNC_FULL", "gap_from": NOON, "gap_until": NOON, "gap_closes": True},
          "full_sync", "notice", "A full sync is under way"),
    State("E never", {"batch_seconds": None}, "no_batch", "warning", "has not brought any items yet"),
    State("E8", {"rejected_rows": 12}, "refused_rows", "notice", "12 rows of the catalogue could not be read"),
    State("E gap", {"gap_from": NOON, "gap_until": NOON + timedelta(hours=1)}, "gap", "warning",
          "between 12:00 and 13:00 are missing", "restart the sync"),
    State("early end", {"early_ends": 1}, "early_end", "warning", "fewer than half"),
    State("deletions held", {"deletions_held": 101}, "deletions_held", "warning", "101 items are said to be deleted",
          "allow it"),
    State("not shown", {"not_shown": 3}, "not_shown", "warning",
          "3 items were sent to Sierra, and Sierra does not show"),
    State("full sync", {"sync_mode": "SYNC_FULL"}, "full_sync", "notice", "A full sync is under way"),
    State("no key of an ETL", {"clients": STATIONS[:1]}, "no_etl", "warning", "No ETL has a key"),
    State("no key of a station", {"clients": STATIONS[1:]}, "no_station", "warning", "No print station has a key"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as here:
        here.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


HEALED = """
S3 S13 S16 S17 S18 S19 P3 P5 P6 P10 P13 P14 P15 P16 P18 P19 P21 P22 O4 O6 O9 O10 O11 O12 O13
H1 H2 H3 H6 H7 H10 H11 H12 E1 E2 E3 E4 E5 E6 E7
"""  # over by themselves before a person reads it, or seen by the doctor, a print station or the log alone


def verdict_on(changes: dict[str, Any]) -> Verdict:
    return judge(None if changes.get("away") else replace(WELL, **changes))


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.names)
def test_each_state_has_its_verdict(state: State) -> None:
    verdict = verdict_on(state.changes)
    first = verdict.causes[0]
    assert (first.code, first.level, first.items) == (state.code, state.level, state.items)
    assert state.text in english(first.sentence)
    assert state.advice in english(first.advice)
    assert verdict.is_well == (state.level == "notice")
    headline = english(verdict.headline)
    assert headline.startswith("All is well") if verdict.is_well else headline == english(first.sentence)


def test_each_fault_of_the_page_has_its_state_or_needs_none() -> None:
    parts = ("Sierra", "PostgreSQL", "Our processes", "People", "ETL")
    named = {row[0] for part in parts for row in table("docs/reliability.md", part)}
    judged = {name for state in STATES for name in re.findall(r"\b[SPOHE]\d+\b", state.names)}
    assert judged | set(HEALED.split()) == named
    assert judged & set(HEALED.split()) == set()


def test_each_state_of_a_notifier_on_the_page_has_its_verdict() -> None:
    named = {row[0].strip("`") for row in table("docs/operations.md", "Is it well")}
    assert {name for name in named if not any(name in state.names for state in STATES)} == {"listening"}


def test_each_reason_of_the_breaker_has_its_own_words() -> None:
    for reason, _ in table("docs/log-lines.md", "Reasons of the breaker"):
        assert explain(reason.strip("`")) is not OTHER, reason


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "All is well: 214 labels today, the last one in Sierra 12 s ago."),
        ({"labels_today": 1}, "All is well: 1 label today, the last one in Sierra 12 s ago."),
        ({"labels_today": 0}, "All is well: no label today yet."),
        ({"pushes": []}, "All is well: 214 labels today."),
        ({"labels_today": MOST, "more_labels_today": True},
         "All is well: 10,000+ labels today, the last one in Sierra 12 s ago."),
        ({"queue": waiting(300, 4)}, "All is well: 214 labels today, the last one in Sierra 12 s ago."),
    ],
)  # fmt: skip
def test_all_is_well_is_said_with_the_labels_of_today(changes: dict[str, Any], text: str) -> None:
    verdict = verdict_on(changes)
    assert (english(verdict.headline), list(verdict.causes)) == (text, [])


def test_what_stops_everything_comes_first_and_then_what_keeps_the_most_items() -> None:
    verdict = verdict_on(
        {
            "notifiers": trouble("Sierra refuses our key (…)", "person"),
            "queue": [*waiting(3), Group("postponed", 400, "in_use")],
            "rejected": [Group("rejected", 20, "absent"), Group("rejected", 60, "ghost")],
            "batch_seconds": HOUR,
        }
    )
    assert [(cause.code, cause.items) for cause in verdict.causes] == [
        ("key", 3), ("rejected", 60), ("rejected", 20), ("etl_silent", 0), ("postponed", 400),
    ]  # fmt: skip


def test_probes_of_an_away_sierra_are_no_fault_of_their_items() -> None:
    alone = {"queue": [Group("postponed", 1, "unwell")]}
    verdicts = [verdict_on({"notifiers": trouble("Sierra is busy: 429", "Sierra"), **alone}), verdict_on(alone)]
    assert [[cause.code for cause in verdict.causes] for verdict in verdicts] == [["busy"], ["postponed"]]


def test_two_notifiers_that_meet_one_fault_tell_it_once() -> None:
    one, two = trouble("Sierra is busy: 429", "Sierra") * 2
    verdict = verdict_on({"notifiers": [one, replace(two, notifier="n2")]})
    assert [cause.code for cause in verdict.causes] == ["busy"]


def test_pause_hides_no_fault_of_sierra() -> None:
    verdict = verdict_on({"paused_at": NOON, "notifiers": trouble("Sierra refuses our key (…)", "person")})
    assert {cause.code for cause in verdict.causes} == {"paused", "key"}


def test_each_reason_is_explained() -> None:
    assert tuple(REASONS) == REASON_CODES
