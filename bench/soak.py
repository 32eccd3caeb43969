"""Shows that faults lose and damage nothing: `python -m bench.soak --minutes 5 --seed 7`.

A whole system of real processes runs, with print stations, a DBA, Sierra's staff, our ETL and the deployed one at work,
and fault after fault. In the end all is healed, the queue has to drain within DRAIN_SECONDS, every promise of
sandbox/invariants.py is checked, and the loop has to be closed (bench/soak_loop.py). One line of JSON on stdout reports
it, with the seed, which chooses the same faults and items again; the exit code is 0 if all promises were kept, else 1.
`--kills 10000`: instead, so many marks while a notifier is killed every few seconds.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import psycopg
from rich.console import Console

from bench.soak_faults import LATE_WRITE_SECONDS, Chaos
from bench.soak_loop import open_ends
from bench.soak_notes import Notes
from bench.soak_people import People
from bench.soak_staff import Staff
from sandbox.catalogue import ROMANISED, Item, make_catalogue
from sandbox.demo import load_catalogue, ordinary_items
from sandbox.dna_catalogue import is_odd_in_dna
from sandbox.invariants import Logged, Story, broken
from sandbox.journal import Entry
from sandbox.records import Record
from sandbox.system import Dna, System, start_system

DRAIN_SECONDS = 90.0
MAKE_DUE = "UPDATE update_queue SET due_at = now() WHERE due_at > now() AND pushed_revision IS DISTINCT FROM revision"
WAITING = """
    SELECT i.item_number, format('attempt %s, due at %s, lease to %s, %s', attempts, due_at, lease_until, last_error)
    FROM update_queue JOIN sierra_item i USING (item_record_id) WHERE due_at IS NOT NULL
"""
LOG = """
    SELECT l.item_number, l.outcome, l.finished_at, l.error, l.call_number_after, undone.call_number_before
    FROM update_log l
    LEFT JOIN update_log undone ON undone.update_log_id = l.revert_of
    ORDER BY l.update_log_id
"""
EVERYTHING = (
    *("kill_notifier", "kill_notifier", "end_notifier", "freeze_notifier", "kill_api", "end_api", "freeze_api"),
    *("kill_etl", "end_etl", "freeze_etl", "disturb_sierra_dna", "disturb_sierra_dna"),
    *("restart_postgres", "crash_postgres", "end_sessions", "expire_tokens", *["trouble_sierra"] * 4),
    *("cut_wires", "cut_wires", "delay_wires", "silence_api", "silence_notifiers"),
    *("leave_log_unread", "lose_standby", "switch_over", "fail_over", "fail_over_amid_late_writes", "leave_read_only"),
    *("write_late", "write_late", "lock_records", "lock_records"),
)
QUICK = {
    "SIERRA_API_CLIENT_POOL_SIZE": "10",
    "SIERRA_API_CLIENT_TIMEOUT_SECONDS": "1",
    "SIERRA_LATE_WRITE_SECONDS": str(LATE_WRITE_SECONDS),
    "SIERRA_UPDATE_BATCH_SIZE_LIMIT": "0",
    "SIERRA_UPDATE_INTERVAL_SECONDS": "5",
    "SIERRA_UPDATE_MAX_ATTEMPTS": "100",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a soak: until `seconds` are over, or until `marks` are acknowledged, in `seconds` at the most."""

    seconds: float
    marks: int | None = None
    items: int = 1000
    notifiers: int = 2
    stations: int = 3
    staffs_share: int = 8  # each so many-th ordinary item is Sierra's staff's own
    faults: Sequence[str] = EVERYTHING
    pause_seconds: tuple[float, float] = (0.3, 2.0)
    dba_pause_seconds: float = 1.0


def kills(marks: int) -> Plan:
    """Plan nothing but SIGKILL for notifiers, every few seconds, until so many marks are acknowledged."""
    return Plan(600, marks, items=2000, faults=["kill_notifier"], pause_seconds=(1.0, 3.0), dba_pause_seconds=0.06)


def run(plan: Plan, seed: int) -> dict[str, Any]:
    """Run the plan. Return its report; `broken` is empty if every promise was kept."""
    catalogue = make_catalogue(plan.items)
    of_staff = ordinary_items(catalogue)[:: plan.staffs_share]
    # Leave out items whose batch would wait for uroman to load, 3 to 9 s, to no purpose here, and those that SierraDNA
    # has otherwise than the catalogue: its oddities, and items without bib, which have no class there.
    known = [item for place, item in enumerate(catalogue) if item.bibs and not is_odd_in_dna(place)]
    items = [item for item in known if item.oddity not in ROMANISED and item not in of_staff]
    with start_system(plan.items, lambda doing: None, plan.notifiers, Dna(), wired=True, **QUICK) as system:
        load_catalogue(system, catalogue, Console(quiet=True))
        notes, staff = Notes(items), Staff(system, of_staff)
        chaos = Chaos(system, seed, plan.faults, notes)
        began = time.monotonic()
        with People(system, notes, staff, seed, plan.stations, plan.marks, plan.dba_pause_seconds) as people:
            while time.monotonic() - began < plan.seconds and not people.done.is_set():
                try:
                    chaos.strike()
                except Exception as error:
                    error.add_note(f"amid {chaos.last}, fault {chaos.met.total()} of this seed")
                    raise
                chaos.rest(*plan.pause_seconds)
        chaos.heal()
        people.join()
        people.mark_again(chaos.ignored())
        healed = time.monotonic()
        waiting = wait_until_drained(system)
        drained = time.monotonic()
        chaos.end_etl()  # its pauses have grown
        not_closed = open_ends(system)
        told: dict[str, Any] = {
            "seed": seed,
            "seconds": round(healed - began, 1),
            "drain_seconds": round(drained - healed, 1),
            "loop_seconds": round(time.monotonic() - drained, 1),
        }
        told |= report(system, items, notes, waiting, chaos.silenced_ns)
        told |= {"staff": staff.acts, "faults": dict(chaos.met)}
        return {**told, "broken": told["broken"] + not_closed}


def wait_until_drained(system: System) -> dict[str, str]:
    """Wait until the queue is empty. Return the items that still wait after DRAIN_SECONDS, and their states.

    Requests under way during the healing may yet fail and be postponed for minutes: make these items due at once, but
    for those that are only to be looked at again: a look that is too early is followed by another.
    """
    give_up_at = time.monotonic() + DRAIN_SECONDS
    with psycopg.connect(system.postgres.dsn(), autocommit=True) as connection:
        while waiting := {str(number): str(how) for number, how in connection.execute(WAITING)}:
            if time.monotonic() > give_up_at:
                break
            connection.execute(MAKE_DUE)
            time.sleep(0.05)
    return waiting


def report(
    system: System, items: Sequence[Item], notes: Notes, waiting: Mapping[str, str], silenced_ns: Sequence[int]
) -> dict[str, Any]:
    """Count the events, and list the promises that were broken."""
    with psycopg.connect(system.postgres.dsn()) as connection:
        log = [Logged(*row) for row in connection.execute(LOG)]
    with httpx.Client(base_url=f"{system.sierra_url}/_sandbox", timeout=60, trust_env=False) as sierra:
        writes = [Entry(**entry) for entry in sierra.get("/journal", params={"kind": "put_item"}).json()]
        after = {one["id"]: _record(one) for one in sierra.get("/records").json()}
    story = Story(
        marks=[(mark.number, mark.sent_at) for mark in notes.marks if mark.acknowledged],
        classifications=notes.classifications,
        before={str(item.number): item.record() for item in items},
        after=after,
        writes=writes,
        waiting=list(waiting),
        log=log,
        reads=notes.reads,
        reverts=notes.reverts,
        silenced_ns=silenced_ns,
    )
    done = sorted((write for write in writes if write.landed_ns), key=lambda write: write.landed_ns or 0)
    return {
        "marks_acknowledged": len(story.marks),
        "marks_unanswered": len(notes.marks) - len(story.marks),
        "reads": dict(Counter(notes.reads)),
        "syncs": notes.syncs,
        "late": sum(write.write == "late" for write in writes),
        "ignored": sum(write.write == "never" for write in writes),
        "tended": notes.tended,
        "reverts": len(notes.reverts),
        "outcomes": dict(Counter(row.outcome for row in log)),
        "puts": len(done),
        "repeated_puts": repeated(done, notes),
        "waiting": dict(waiting),
        "broken": broken(story),
    }


def repeated(done: Sequence[Entry], notes: Notes) -> int:
    """List PUTs that did the same as the item's PUT before, without a mark in between.

    One kind is expected: the answer was lost, the notifier was told so, and it sent the same request again at once.
    """
    asked: dict[str, list[datetime]] = defaultdict(list)
    for number, answered_at in notes.wishes():
        asked[number].append(answered_at)
    count, before = 0, dict[str, tuple[datetime, list[str] | None]]()
    for write in done:
        (number,), at = write.item_numbers, datetime.fromisoformat(write.arrived_at)
        if number in before:
            since, call_numbers = before[number]
            count += call_numbers == write.call_numbers and not any(since <= answered for answered in asked[number])
        before[number] = at, write.call_numbers
    return count


def _record(shown: Mapping[str, Any]) -> Record:
    return Record(shown["id"], tuple(shown["bibIds"]), shown["fixedFields"], shown["varFields"])


def main() -> int:
    """Return the exit code: 0 if every promise was kept, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="unset: any")
    parser.add_argument("--kills", type=int, metavar="MARKS", help="so many marks under kill -9 of the notifiers")
    parser.add_argument("--faults", help="these only, with commas: methods of Chaos in bench/soak_faults.py")
    options = parser.parse_args()
    faults = options.faults.split(",") if options.faults else EVERYTHING
    plan = kills(options.kills) if options.kills else Plan(options.minutes * 60, faults=faults)
    try:
        told = run(plan, options.seed)
    except Exception as error:
        notes = getattr(error, "__notes__", [])
        told = {"seed": options.seed, "broken": [*notes, f"{type(error).__name__}: {error}"]}
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
    return 1 if told["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
