"""Fixture `sierra`: a Sierra of the test's own, over real HTTP, with its records, faults and journal at hand.

It runs in a thread with an event loop of its own, so it answers, delays and hangs whatever the test's loop is busy
with. What reads or changes its state is done in that loop.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from sandbox.catalogue import Item, call_number_field, make_catalogue
from sandbox.faults import Fault, Switch
from sandbox.journal import Entry, Journal
from sandbox.loops import LoopInThread
from sandbox.records import Merge, Record
from sandbox.sierra import Sierra

Result = TypeVar("Result")
PATIENCE_SECONDS = 15.0


class SierraInThread:
    """Starts on entry, ends on exit. `endpoint`, `key` and `secret` are what a client's settings need.

    What waits comes twice: `await sierra.until(…)` in async tests, `sierra.block_until(…)` in others.
    """

    key = "sandbox-key"
    secret = "sandbox-secret"

    def __init__(self) -> None:
        self._loop = LoopInThread("sierra")

    def __enter__(self) -> "SierraInThread":
        self._loop.__enter__()
        self._sierra = self.run(lambda: Sierra(key=self.key, secret=self.secret))
        self.endpoint = self._loop.block_on(self._sierra.start())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._sierra.faults.clear)
        self.stop()
        self._loop.__exit__(None, None, None)

    def stop(self) -> None:
        """Connections are refused from now on. Nothing is forgotten."""
        self._loop.block_on(self._sierra.stop())

    def start(self) -> None:
        """Listens again, where it did."""
        self._loop.block_on(self._sierra.start(port=int(self.endpoint.split(":")[2].split("/")[0])))

    def add(self, *records: Record | Item) -> None:
        """Records to ask for; an item of the sandbox's catalogue brings its own."""
        self.run(self._sierra.records.add, [one.record() if isinstance(one, Item) else one for one in records])

    def record(self, number: str) -> Record:
        """As it is now."""
        return self.run(lambda: self._sierra.records.by_number[number])

    def call_numbers(self, number: str) -> list[str]:
        """As they are now."""
        return self.record(number).call_numbers()

    def edit(self, number: str, changes: dict[str, Any]) -> None:
        """Change a record, as staff do meanwhile."""
        self.run(self._sierra.records.edit, number, changes)

    def merge_var_fields_by(self, merge: Merge) -> None:
        """`sandbox.quirks.replace_var_fields_by_tag` or `replace_all_var_fields`."""
        self._sierra.records.merge_var_fields = merge

    def fault(self, **parts: Any) -> "SwitchInThread":
        """Turns one on; the parts are `sandbox.faults.Fault`'s."""
        return SwitchInThread(self, self.run(self._sierra.faults.add, Fault(**parts)))

    def hold(self, kind: str = "put_item", **parts: Any) -> "SwitchInThread":
        """A barrier before the next such request is done; after it, with `after_applying=True`."""
        return self.fault(kind=kind, hold=True, **{"times": 1, **parts})

    def no_faults(self) -> None:
        """Switch all off; requests that are held go on."""
        self.run(self._sierra.faults.clear)

    def expire_tokens(self) -> None:
        """Their lives end early."""
        self.run(self._sierra.tokens.expire_all)

    def revoke_key(self, revoked: bool = True) -> None:
        """No token is given or good any more, until it is restored."""
        self._sierra.tokens.key_revoked = revoked

    def set_token_seconds(self, seconds: float) -> None:
        """The life of the tokens given from now on."""
        self._sierra.tokens.life_seconds = seconds

    def set_latency(self, seconds: float) -> None:
        """Make every answer take at least so long."""
        self._sierra.latency_seconds = seconds

    @property
    def entries(self) -> list[Entry]:
        """The journal so far."""
        return self.run(lambda: list(self._sierra.journal.entries))

    def requests(self, kind: str | None = None, item_number: str | None = None) -> list[Entry]:
        """The journal's entries of that kind that touch that item."""
        return self.run(self._sierra.journal.find, kind, item_number)

    def puts(self, item_number: str | None = None) -> list[Entry]:
        """The PUTs that were done and answered."""
        return self.run(self._sierra.journal.puts, item_number)

    @property
    def most_in_flight(self) -> int:
        """The most requests that were under way at one time."""
        return self._sierra.journal.most_in_flight

    async def until(self, look: Callable[[Journal], Result], at_most: float = PATIENCE_SECONDS) -> Result:
        """The value that `look` sees in the journal, once that is anything. TimeoutError."""
        return await self._loop.wait_for(self._sierra.journal.until(look), at_most)

    def block_until(self, look: Callable[[Journal], Result], at_most: float = PATIENCE_SECONDS) -> Result:
        """`until`, where nothing can be awaited."""
        return self._loop.block_on(asyncio.wait_for(self._sierra.journal.until(look), at_most))

    def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Called in the simulator's loop, between two of its steps."""
        return self._loop.run(function, *arguments)


class SwitchInThread:
    """A fault that is on."""

    def __init__(self, sierra: SierraInThread, switch: Switch) -> None:
        self._sierra, self._switch = sierra, switch

    @property
    def met(self) -> int:
        """The number of requests that met it."""
        return self._switch.met

    async def reached(self, at_most: float = PATIENCE_SECONDS) -> None:
        """A request has met it, and stands there if it holds. TimeoutError."""
        await self._sierra._loop.wait_for(self._reach(), at_most)

    def block_until_reached(self, at_most: float = PATIENCE_SECONDS) -> None:
        """`reached`, where nothing can be awaited."""
        self._sierra._loop.block_on(asyncio.wait_for(self._reach(), at_most))

    async def _reach(self) -> None:
        await self._switch.reached.wait()

    def release(self) -> None:
        """Let the requests that it holds go on."""
        self._sierra.run(self._switch.released.set)

    def off(self) -> None:
        """Switch it off; requests that it holds go on."""
        self._sierra.run(self._sierra._sierra.faults.remove, self._switch)


def make_record(number: str = "2043111", *call_numbers: str, **parts: Any) -> Record:
    """A plain item record, with these call numbers."""
    plain = make_catalogue(1)[0].record()
    others = [var_field for var_field in plain.var_fields if var_field["fieldTag"] != "c"]
    return Record(
        **{
            "number": number,
            "bib_numbers": plain.bib_numbers,
            "fixed_fields": plain.fixed_fields,
            "var_fields": [*others, *map(call_number_field, call_numbers)],
            **parts,
        }
    )


@pytest.fixture
def sierra() -> Iterator[SierraInThread]:
    """Empty of records; `sierra.add(make_record("2043111", "84.2 Jännitys"))` fills it."""
    with SierraInThread() as running:
        yield running
