"""The ETL's loop: ask the backend what it wants, read it from SierraDNA, send it, rest.

It keeps nothing that is needed: mode and position are the backend's, so that it may end at any statement. A batch is on
disk before it is sent, so that Sierra's pace costs the backend no time; one that had no answer is sent again.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from etl import plan
from etl.backend import Backend, Offer, count_in
from etl.changes import find_changed, find_deleted
from etl.chunks import Chunks
from etl.dna import SierraDna
from etl.errors import BackendAway, SierraIsEmpty, TooLong
from etl.file import ItemFile, temporary_file
from etl.items import BEHIND_ALL, ItemReader, Row
from etl.metrics import LOOK_SECONDS, count_batch
from etl.plan import Done, Rules, Step

log = logging.getLogger("signum.etl")

SEND_TRIES = 5
FIRST_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """The items of a chunk, and of a part: one upload of changes."""

    chunk: int = 2000
    part: int = 20_000


@dataclass(slots=True)
class _Batch:
    """One upload, and what the log says of it."""

    mode: str
    file: ItemFile
    chunks: Chunks
    began: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Doing:
    """The work under way: its name, the items done, and how many there are at the most."""

    what: str
    items: int
    most: int


class Etl:
    """One round after the other, by one thread."""

    def __init__(
        self,
        dna: SierraDna,
        backend: Backend,
        rules: Rules,
        sizes: Sizes,
        campus_code: str = "",
        rest: Callable[[float], object] = time.sleep,
    ) -> None:
        self._dna, self._backend, self._rules, self._sizes = dna, backend, rules, sizes
        self._campus, self.rest = campus_code, rest
        self.tell: Callable[[Doing | None], object] = lambda doing: None  # None: a round has ended
        self._reader = ItemReader(campus_code)
        self.done = Done()

    def round(self) -> Step:
        """Ask, and do one step. Return it: after a rest step the caller rests. EtlError: nothing moved."""
        offer = self._backend.ask()
        step = plan.next_step(offer, time.monotonic(), datetime.now().astimezone(), self.done, self._rules)
        self.done, worked = replace(self.done, last=step.kind), self._dna.worked_seconds
        try:
            match step.kind:
                case "full page":
                    self._send_page(offer)
                case "changes":
                    self._send_changes(offer, step.is_deep)
                case "deletions":
                    self._send_deletions(offer)
                case "pass page":
                    self._send_range(offer)
        except TooLong:
            self.done = plan.after_time_out(step.kind, self.done, time.monotonic())
            if step.kind == "changes":
                self._note_poll(self._dna.worked_seconds - worked)
            raise
        finally:
            self.tell(None)
        return step

    def begin_pass(self) -> None:
        """Have the next rounds compare all items, whenever that was last done."""
        self.done = replace(self.done, passed_to=0)
        self._rules = replace(self._rules, pass_hours=None, pass_interval=self._rules.pass_interval or timedelta.max)

    def _chunks(self) -> Chunks:
        return Chunks(self._dna, self._reader, self._sizes.chunk)

    def _file(self, offer: Offer, *, deletions: bool = False) -> AbstractContextManager[ItemFile]:
        return temporary_file(more=bool(offer.accepts), deletions=deletions)

    def _send_page(self, offer: Offer) -> None:
        """The next page of a full sync. Fewer items than wanted are its end: only an empty look makes such a page."""
        with self._file(offer) as file:
            batch = _Batch("full", file, self._chunks())
            last = self._fill(batch, batch.chunks.page(offer.last_synced_id, offer.batch_size), offer.batch_size)
            if last is None and not offer.last_synced_id:  # sent, it would complete a full sync of nothing
                raise SierraIsEmpty(self._campus)
            self._send(batch, offer)
            if file.rows < offer.batch_size:  # the position is where the sync began, from now on
                self.done = replace(self.done, changes_at=plan.NEVER)

    def _fill(self, batch: _Batch, read: Iterable[list[Row]], most: int) -> int | None:
        """Write the rows to the batch's file as they are read. Return the last one's key; None: there was no row."""
        last = None
        self.tell(Doing(f"{batch.mode}: reading", 0, most))
        for rows in read:
            batch.file.add(rows)
            last = rows[-1][0] if rows else last
            self.tell(Doing(f"{batch.mode}: reading", batch.file.rows, most))
        return last

    def _send_changes(self, offer: Offer, is_deep: bool) -> None:
        chunks = self._chunks()
        moment = chunks.look_at_clock()
        if self._is_moved_back(offer, chunks):
            return
        position = plan.position_of(offer, self.done, chunks.look_at_clock().until)
        since = plan.since_of(position, is_deep, self._rules)
        worked = self._dna.worked_seconds
        keys = find_changed(chunks, since)
        self._note_poll(self._dna.worked_seconds - worked)
        size = self._sizes.part if "changes_since" in offer.accepts else max(len(keys), 1)
        for at in range(0, max(len(keys), 1), size):
            if at:
                self._backend.ask_again(offer)
            with self._file(offer) as file:
                batch = _Batch("changes", file, chunks)
                part = keys[at : at + size]
                self._fill(batch, chunks.of_keys(part), len(part))
                moves = at + size >= len(keys) and not chunks.given_up
                until = moment.until if moves else position
                self._send(batch, offer, since, until)
        now = time.monotonic()  # after the look: one that takes longer than the interval lets other steps have a turn
        deep_at = now if is_deep and not chunks.given_up else self.done.deep_at
        self.done = replace(self.done, changes_at=now, deep_at=deep_at, looked_until=until)

    def _is_moved_back(self, offer: Offer, chunks: Chunks) -> bool:
        """Move a position that is ahead of SierraDNA's clock, by an empty batch: the next round goes on from there."""
        until = chunks.look_at_clock().until
        if not plan.was_set_back(plan.position_of(offer, self.done, until), until):
            return False
        back = plan.moved_back(until, self._rules)
        log.warning("SierraDNA's clock is behind the position: it was moved back to %s", back.isoformat())
        with self._file(offer) as file:
            self._send(_Batch("changes", file, chunks), offer, back, back)
        return True

    def _send_deletions(self, offer: Offer) -> None:
        began, chunks = time.monotonic(), self._chunks()
        if self._is_moved_back(offer, chunks):
            return
        position = plan.position_of(offer, self.done, chunks.look_at_clock().until)
        deleted = find_deleted(chunks, plan.deletions_since_of(offer, self._rules), self._campus)
        with self._file(offer, deletions=True) as file:
            file.add_deleted(deleted)
            until = {"deletions_until": chunks.look_at_clock().today}
            self._send(_Batch("deletions", file, chunks), offer, position, position, until)
        self.done = replace(self.done, deletions_at=began)

    def _send_range(self, offer: Offer) -> None:
        """The next range of the pass, with every living item of it. The position stays."""
        after, chunks = self.done.passed_to or 0, self._chunks()
        if self._is_moved_back(offer, chunks):
            return
        position = plan.position_of(offer, self.done, chunks.look_at_clock().until)
        with self._file(offer) as file:
            batch = _Batch("pass", file, chunks)
            last = self._fill(batch, batch.chunks.page(after, self._sizes.part), self._sizes.part)
            is_end = file.rows < self._sizes.part or last is None
            to = BEHIND_ALL if is_end or last is None else last
            range_of = {"all_from_id": after, "all_to_id": to, **({"pass_complete": "true"} if is_end else {})}
            self._send(batch, offer, position, position, range_of)
        self.done = plan.passed(self.done, None if is_end else to, datetime.now().astimezone())

    def _send(
        self,
        batch: _Batch,
        offer: Offer,
        since: datetime | None = None,
        until: datetime | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        """Send the batch, several times if need be. `since` and `until`: the changes in it, and the position after it.

        A backend that knows no `changes_until` takes `timestamp` for the position.
        """
        moment, read_seconds, file = batch.chunks.look_at_clock(), time.monotonic() - batch.began, batch.file.finish()
        knows_until = "changes_since" in offer.accepts
        form: dict[str, object] = {
            "timestamp": moment.until if knows_until or until is None else until,
            "changes_since": since,
        }
        form |= {"changes_until": until if knows_until else None, **(more or {})}
        texts = {name: _text(value) for name, value in form.items() if value is not None}
        sending = time.monotonic()
        self.tell(Doing(f"{batch.mode}: sending", batch.file.rows, batch.file.rows))
        answer = self._try_to_send(file, texts)
        written = count_in(answer, "written")
        about = {"mode": batch.mode, "items": batch.file.rows, "written": written}
        about |= {"deleted": count_in(answer, "deleted"), "reading_seconds": f"{read_seconds:.3f}"}
        log.info("batch was sent", extra=about | {"sending_seconds": f"{time.monotonic() - sending:.3f}"} | texts)
        count_batch(batch.mode, batch.file.rows, written, moment.now, until or moment.until)

    def _try_to_send(self, file: Any, form: dict[str, str]) -> Any:
        for tried in range(1, SEND_TRIES):
            try:
                return self._backend.send(file, form)
            except BackendAway as error:
                log.info("batch is sent again: %s", error)
                self.rest(FIRST_PAUSE_SECONDS * 2 ** (tried - 1))
        return self._backend.send(file, form)

    def _note_poll(self, seconds: float) -> None:
        LOOK_SECONDS.set(seconds)
        before, self.done = plan.interval_of(self._rules, self.done), replace(self.done, poll_seconds=seconds)
        if before == self._rules.interval_seconds < plan.interval_of(self._rules, self.done):
            log.warning(
                "the look for changes took %d s, so it comes less often: record_metadata has no index on "
                "record_last_updated_gmt, or SierraDNA is slow",
                seconds,
            )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else value.isoformat() if hasattr(value, "isoformat") else str(value)
