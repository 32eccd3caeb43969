"""Reads in chunks, each in a transaction of its own. One that takes too long is halved, a cancelled one is repeated."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import TypeVar

from etl.dna import SierraDna, Snapshot
from etl.errors import Conflict, SierraAway, TooLong
from etl.items import SQL, ItemReader, Row

log = logging.getLogger("signum.etl")

LEAST_ITEMS = 100
MOST_CONFLICTS = 3

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment of SierraDNA's: its clock, its day, and the time up to which its data is there."""

    now: datetime
    today: date
    until: datetime


class Chunks:
    """The reads of one run. The size that a time-out has halved stays so until its end."""

    def __init__(self, dna: SierraDna, reader: ItemReader, size: int) -> None:
        self._dna, self._reader, self.size = dna, reader, size
        self.moment: Moment | None = None
        self.given_up = 0

    def attempt(self, read: Callable[[Snapshot], Read]) -> Read:
        """Read in a transaction of its own. SierraDNA's clock is read in the run's first."""
        for _ in range(MOST_CONFLICTS):
            try:
                with self._dna.snapshot() as snapshot:
                    if self.moment is None:
                        self.moment = read_moment(snapshot)
                    return read(snapshot)
            except Conflict as error:
                conflict = error
        raise SierraAway(f"{conflict} ({MOST_CONFLICTS} times)") from conflict

    def look_at_clock(self) -> Moment:
        """The moment of the run's first transaction."""
        if self.moment is None:
            self.attempt(lambda snapshot: None)
        assert self.moment is not None
        return self.moment

    def page(self, after: int, most: int) -> Iterator[list[Row]]:
        """The next `most` living items behind `after`, or all there are. Only an empty look is the end of all items.

        TooLong names the range that can't be read, and the run ends there.
        """
        while most > 0:
            found = self._halving(f"behind item {after}", partial(self._next, after, most))
            if found is None:
                return
            after, rows = found
            most -= len(rows)
            yield rows

    def of_keys(self, keys: Sequence[int]) -> Iterator[list[Row]]:
        """The living ones of these items. A range that can't be read even in small pieces is left out, and counted."""
        at = 0
        while at < len(keys):
            try:
                rows, at = self._halving(f"from item {keys[at]}", partial(self._some, keys, at))
            except TooLong as error:
                log.warning("items were left out of this round: %s", error)
                self.given_up += 1
                at += self.size
                continue
            yield rows

    def _next(self, after: int, most: int, size: int) -> tuple[int, list[Row]] | None:
        def read(snapshot: Snapshot) -> tuple[int, list[Row]] | None:
            keys = self._reader.keys_after(snapshot, after, min(size, most))
            return (keys[-1], self._reader.rows(snapshot, keys)) if keys else None

        return self.attempt(read)

    def _some(self, keys: Sequence[int], at: int, size: int) -> tuple[list[Row], int]:
        wanted = keys[at : at + size]
        return self.attempt(lambda snapshot: self._reader.rows(snapshot, wanted)), at + size

    def _halving(self, which: str, read: Callable[[int], Read]) -> Read:
        while True:
            try:
                return read(self.size)
            except TooLong as error:
                if self.size <= LEAST_ITEMS:
                    raise TooLong(f"{self.size} items {which}: {error}") from error
                self.size = max(LEAST_ITEMS, self.size // 2)
                log.info("chunk was halved to %d items: %s", self.size, error)


def read_moment(snapshot: Snapshot) -> Moment:
    """SierraDNA's clock. A standby's data is as old as the last transaction that it replayed."""
    ((now, today, is_standby, replayed_at),) = snapshot.fetch("clock", SQL["clock"])
    if is_standby and replayed_at is None:
        raise SierraAway("SierraDNA is a standby that has replayed nothing yet: its data's age is not known")
    return Moment(now, today, min(now, replayed_at) if is_standby else now)
