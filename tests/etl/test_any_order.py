"""Any order of pages, parts, deletions, passes, crashes and edits ends with the oracle's catalogue in the real backend.

The events are drawn by Hypothesis. Only the ingest's process is left out: each batch would wait for one to start.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from etl.errors import BackendAway, BackendRefuses, EtlError
from etl.plan import Done
from etl.service import Etl
from sandbox.catalogue import call_number_field
from sandbox.dna import SierraDna
from sandbox.dna_bibs import class_field
from sandbox.postgres import EmbeddedPostgres
from tests.fix_dna import ITEMS, DnaInThread, make_dna
from tests.fix_dna_oracle import expected_rows
from tests.fix_etl import running, until_rest
from tests.fix_real_backend import SEEN, RealBackend
from tests.fix_sierra import SierraInThread

BIBS = [str(bib.number) for item in ITEMS for bib in item.bibs]
PLACES = st.integers(0, 11)
EVENTS = st.one_of(
    st.tuples(st.sampled_from(["edit item", "edit bib", "unlink", "delete"]), PLACES),
    st.tuples(st.just("transfer"), PLACES, PLACES),
    st.tuples(
        st.sampled_from(["hold commits", "release commits", "new process", "ask for a full sync", "rename", "pass"])
    ),
    st.tuples(st.sampled_from(["cut answer", "refuse batch"])),
    st.tuples(st.just("round")),
    st.tuples(st.just("round"), st.integers(1, 25)),
)


class World:
    """Sierra, the backend, and the ETL between them."""

    def __init__(
        self, dna: DnaInThread, sierra: SierraInThread, backend: RealBackend, start: Callable[[], Etl]
    ) -> None:
        self.dna, self.sierra, self.backend, self.start = dna, sierra, backend, start
        self.etl = start()
        self.deleted: set[int] = set()
        self.number = 0

    def do(self, event: tuple[Any, ...]) -> None:
        """Have this happen."""
        self.number += 1
        match event:
            case ("edit item" | "unlink" | "delete", place) if place in self.deleted:
                pass
            case ("transfer", place, _) if place in self.deleted:
                pass
            case ("edit item", place):
                self.sierra.edit(_number(place), {"varFields": [call_number_field(f"85.{self.number}")]})
            case ("edit bib", place):
                self.dna.do(lambda real: real.edit_bib(_bib(place), [class_field(f"86.{self.number}")]))
            case ("unlink", place):
                self.sierra.run(self.sierra._sierra.records.link, _number(place), [])
            case ("transfer", place, other):
                self.sierra.run(self.sierra._sierra.records.link, _number(place), [_bib(other)])
            case ("delete", place):
                self.deleted.add(place)
                self.dna.do(lambda real: real.delete_item(_number(place)))
            case ("hold commits",):
                self.dna.fault(commits_held=True)
            case ("release commits",):
                self.dna.fault()
            case ("rename",):
                self.dna.do(lambda real: real.rename("itype", 1, f"Kirja {self.number}"))
            case ("new process",):
                self.etl = self.start()
            case ("ask for a full sync",):
                self.backend.database.fetch("UPDATE sync_state SET full_sync_requested_at = now()")
            case ("pass",):
                self.etl.begin_pass()
            case ("cut answer",):
                self.backend.cuts = 1
            case ("refuse batch",):
                self.backend.refusals = [BackendAway("503"), BackendRefuses("413")]
            case ("round", *kill):
                self._round(*kill)

    def _round(self, kill_at: int | None = None) -> None:
        self.etl.done = Done(passed_to=self.etl.done.passed_to)  # all intervals are over
        self.etl._reader._names = None
        fetch, left = self.etl._dna._connected, kill_at

        def counted() -> Any:
            nonlocal left
            left = None if left is None else left - 1
            if left == 0:
                self.dna.do(SierraDna.disconnect)
            return fetch()

        self.etl._dna._connected = counted  # type: ignore[method-assign]
        with contextlib.suppress(EtlError):
            self.etl.round()
        self.etl._dna._connected = fetch  # type: ignore[method-assign]

    def come_to_rest(self) -> None:
        """End what is disturbed, and have everything done that is due."""
        self.dna.fault()
        self.backend.cuts, self.backend.refusals = 0, []
        self.etl = self.start()
        with contextlib.suppress(EtlError):  # the session of the last process may have been ended
            until_rest(self.etl)
        self.etl.done = Done()
        until_rest(self.etl)
        self.etl.begin_pass()
        until_rest(self.etl)


def _number(place: int) -> str:
    return str(ITEMS[place].number)


def _bib(place: int) -> str:
    return BIBS[place]


@contextlib.contextmanager
def world(server: EmbeddedPostgres, backend: RealBackend) -> Iterator[World]:
    """Twelve items that much happens to, of fifty; pages, parts and chunks are small."""
    backend.empty()
    with contextlib.ExitStack() as stack:
        sierra = stack.enter_context(SierraInThread())
        dna = stack.enter_context(contextlib.contextmanager(make_dna)(server, sierra))

        def start() -> Etl:
            etl = stack.enter_context(running(dna, backend.url, backend.key))
            etl._sizes = type(etl._sizes)(chunk=7, part=9)
            backend.disturb(etl)
            return etl

        yield World(dna, sierra, backend, start)


def check(server: EmbeddedPostgres, backend: RealBackend, events: list[tuple[Any, ...]]) -> None:
    """Have the events happen, and hold what the backend has in the end against the oracle."""
    with world(server, backend) as here:
        for event in events:
            here.do(event)
        here.come_to_rest()
        with here.dna.connect() as session:
            wanted = [[row[name] for name in SEEN] for row in expected_rows(session)]
        assert backend.living() == wanted


STORY = [("round",)] * 3 + [("delete", 3), ("transfer", 1, 2), ("cut answer",), ("round",), ("edit bib", 4)]
RESTARTED = [*STORY, ("ask for a full sync",), ("round",), ("delete", 5), ("edit item", 6), ("unlink", 7), ("rename",)]


def test_a_long_story_ends_with_the_oracles_catalogue(dna_server: EmbeddedPostgres, real_backend: RealBackend) -> None:
    check(
        dna_server, real_backend, [*RESTARTED, ("round",), ("hold commits",), ("edit bib", 8), ("round", 5), ("round",)]
    )


@pytest.mark.long
@pytest.mark.timeout(1200)
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=st.lists(EVENTS, min_size=5, max_size=40))
@example(events=[*STORY, ("hold commits",), ("edit bib", 4), ("round",)])
@example(events=RESTARTED)
def test_any_order_ends_with_the_oracles_catalogue(
    dna_server: EmbeddedPostgres, real_backend: RealBackend, events: list[tuple[Any, ...]]
) -> None:
    check(dna_server, real_backend, events)
