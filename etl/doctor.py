"""`signum etl doctor`: what this site's SierraDNA is like, and whether the ETL can read it. Changes nothing anywhere.

It does not ask GET /sync, which hands out and so has an effect.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from etl.chunks import Chunks, read_moment
from etl.dna import SierraDna
from etl.errors import Away, EtlError, NeedsPerson
from etl.items import SQL as ITEM_SQL
from etl.items import ItemReader, Row
from runtime.findings import Finding
from runtime.statements import load

SQL = load("etl", "doctor")
CHANGES_SQL = load("etl", "changes")

STATEMENTS = (*ITEM_SQL.values(), *CHANGES_SQL.values())
VIEWS = sorted({view for text in STATEMENTS for view in re.findall(r"sierra_view\.(\w+)", text)})
STAMPS = ("record_last_updated", "deletion_date")
BELIEVABLE_SECONDS = 60.0
SLOW_SECONDS = 10.0


class Doctor:
    """The checks, one by one; the first that SierraDNA does not answer is the last."""

    def __init__(self, dna: SierraDna, campus_code: str, chunk_items: int, most_busy_share: float) -> None:
        self._dna, self._campus, self._size = dna, campus_code, chunk_items
        self._most_busy_share = most_busy_share
        self._estimates: dict[str, int] = {}

    def examine(self) -> Iterator[Finding]:
        """A finding per check. One that SierraDNA refuses is a problem, and the others go on, if there is a session."""
        checks: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
            ("SierraDNA", self._check_server),
            ("limits", self._check_limits),
            ("rights", self._check_rights),
            ("indexes", self._check_indexes),
            ("look for changed", partial(self._time_look, "changed")),
            ("look for deleted", partial(self._time_look, "deleted")),
            ("campus", self._check_campuses),
            ("names", self._check_names),
            ("chunk", self._check_chunk),
        )
        for name, check in checks:
            try:
                yield from check()
            except EtlError as error:
                has_session = check != self._check_server
                yield Finding("problem", name, str(error), _advice(error, has_session=has_session))
                if isinstance(error, Away) or not has_session:
                    return

    def _fetch(self, name: str, **parameters: object) -> list[Row]:
        with self._dna.snapshot() as snapshot:
            return snapshot.fetch(name, SQL[name], parameters)

    def _check_server(self) -> Iterator[Finding]:
        ((version, is_standby, zone, collation, now, replayed_at, encoding),) = self._fetch("server")
        yield Finding("ok", "SierraDNA", f"PostgreSQL {version}, zone {zone}, collation {collation}, {encoding}")
        ahead = (now - datetime.now(UTC)).total_seconds()
        text = f"SierraDNA's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine's"
        if abs(ahead) > BELIEVABLE_SECONDS:
            yield Finding("warning", "clock", text, "SierraDNA's counts; 15 minutes ahead of the backend's is too much")
        else:
            yield Finding("ok", "clock", text)
        if is_standby:
            lag = "unknown, for it has replayed nothing yet" if replayed_at is None else f"{now - replayed_at}"
            yield Finding("ok", "standby", f"it is a standby, whose data is as old as its last replay: {lag}")

    def _check_limits(self) -> Iterator[Finding]:
        ((timeout, limit, sessions),) = self._fetch("limits")
        allowed = "any number of" if limit < 0 else str(limit)
        yield Finding("ok", "limits", f"statement_timeout {timeout}, {allowed} sessions of this login, {sessions} open")

    def _check_rights(self) -> Iterator[Finding]:
        found: dict[str, bool | None] = dict(self._fetch("rights", views=VIEWS))
        unreadable = [f"sierra_view.{view}" for view, may_read in found.items() if may_read is False]
        missing = [f"sierra_view.{view}" for view, may_read in found.items() if may_read is None]
        if unreadable:
            text = f"this login can't read {', '.join(unreadable)}"
            yield Finding("problem", "rights", text, "Ask for SELECT on these views")
        if missing:
            text = f"there is no {', '.join(missing)}"
            yield Finding("problem", "rights", text, "Is SIERRA_DNA_NAME SierraDNA? Ask those who run Sierra")
        if not unreadable and not missing:
            yield Finding("ok", "rights", f"this login reads all {len(VIEWS)} views that are needed")

    def _check_indexes(self) -> Iterator[Finding]:
        self._estimates = dict(self._fetch("estimates", views=VIEWS))
        rows = ", ".join(f"{name} {count}" for name, count in sorted(self._estimates.items()))
        yield Finding("ok", "rows", f"by PostgreSQL's estimate: {rows or 'not visible to this login'}")
        definitions = [definition for table, definition in self._fetch("indexes") if table == "record_metadata"]
        lacking = [stamp for stamp in STAMPS if not any(stamp in definition for definition in definitions)]
        if lacking:
            text = f"record_metadata has no index on {' nor '.join(lacking)}: each look reads the whole table"
            yield Finding("warning", "indexes", text, "Raise SYNC_JOB_INTERVAL_SECONDS if the looks below take long")
        else:
            yield Finding("ok", "indexes", "record_metadata has indexes on its stamps")

    def _time_look(self, name: str) -> Iterator[Finding]:
        with self._dna.snapshot() as snapshot:
            moment = read_moment(snapshot)
            since = moment.now - timedelta(minutes=2) if name == "changed" else moment.today - timedelta(days=2)
            parameters = {"since": since, "campus": self._campus}
            plan = snapshot.fetch("explain", SQL[f"explain_{name}"], parameters)
            began = time.perf_counter()
            found = snapshot.fetch(name, CHANGES_SQL[name], parameters)
            seconds = time.perf_counter() - began
        scan = next((line.partition("  (")[0].strip(" ->") for (line,) in plan if "Scan" in line), plan[0][0])
        text = f"{len(found)} records {name} since {since:%Y-%m-%d %H:%M}, in {seconds:.2f} s by {scan}"
        if seconds > SLOW_SECONDS:
            yield Finding("warning", f"look for {name}", text, "Such looks come less often than the settings say")
        else:
            yield Finding("ok", f"look for {name}", text)

    def _check_campuses(self) -> Iterator[Finding]:
        found: dict[str, int] = dict(self._fetch("campuses"))
        text = ", ".join(f"{code or 'empty (own)'}: {count}" for code, count in found.items())
        if self._campus in found:
            yield Finding("ok", "campus", f"living items by campus_code: {text}")
        else:
            yield Finding(
                "problem", "campus", f"no item has campus_code {self._campus!r}; {text}", "Set ETL_CAMPUS_CODE"
            )

    def _check_names(self) -> Iterator[Finding]:
        doubled = [code for (code,) in self._fetch("doubled_names")]
        with self._dna.snapshot() as snapshot:
            names: dict[int, str | None] = dict(snapshot.fetch("item_types", ITEM_SQL["item_types"]))
        shown = ", ".join(f"{code} {name}" for code, name in sorted(names.items())[:5])
        yield Finding("ok", "names", f"{len(names)} item types in this login's language: {shown}")
        if doubled:
            text = f"codes with several names, of which the least is sent: {', '.join(doubled)}"
            yield Finding("warning", "names", text)

    def _check_chunk(self) -> Iterator[Finding]:
        chunks = Chunks(self._dna, ItemReader(self._campus), self._size)
        worked = self._dna.worked_seconds
        rows = next(chunks.page(0, self._size), [])
        seconds = self._dna.worked_seconds - worked
        if not rows:
            text = f"this login is shown no item of campus_code {self._campus!r}"
            yield Finding("problem", "chunk", text, "Check ETL_CAMPUS_CODE, or ask those who run Sierra")
            return
        text = f"{len(rows)} items were read in {seconds:.2f} s of statements"
        items = self._estimates.get("item_record", 0)
        if items > 0:
            hours = items * seconds / len(rows) / self._most_busy_share / 3600
            text += f"; a pass over {items} takes about {hours:.1f} h at a busy share of {self._most_busy_share}"
        yield Finding("ok", "chunk", text)
        yield from self._find_ambiguous(sorted({row[3] for row in rows if row[3]}))

    def _find_ambiguous(self, bibs: Sequence[int]) -> Iterator[Finding]:
        found = self._fetch("ambiguous_classes", bibs=list(bibs))
        if found:
            some = ", ".join(f"b{number} ({least!r}, {greatest!r})" for number, least, greatest in found)
            text = f"bibs whose 097 has several texts, of which the greatest is sent: {some}"
            yield Finding("warning", "097", text, "Decide with the library which is the class")


def _advice(error: EtlError, *, has_session: bool) -> str:
    if has_session:
        return "Those who run Sierra have to act" if isinstance(error, NeedsPerson) else "Try again later"
    if isinstance(error, NeedsPerson):
        return "Check SIERRA_DNA_USER, _PASSWORD, _NAME and _SSLMODE, or ask those who run Sierra"
    return "Check SIERRA_DNA_HOST and SIERRA_DNA_PORT, or try again later"
