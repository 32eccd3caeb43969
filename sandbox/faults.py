"""Faults of the simulated Sierra, as switches: the requests that a fault meets, how often, and their treatment.

A request meets the first fault that fits it, and only that one. Whatever a fault leaves open goes as usual:
`Fault(kind="put_item", times=1, hold=True)` is a barrier before the next PUT, `Fault(delay_seconds=1)` a slow Sierra.
`Fault(write="late", delay_seconds=5)` leaves a PUT without an answer, and does it after 5 s, on top of what is in the
record then, as Sierra or a proxy does with what it has queued; with `hold=True`, once it is released. Its client gets
no answer, or that of `status`, `html` or `manner="empty"`. `Fault(write="never")` answers 204 to a PUT and does
nothing, as Sierra does with a locked record.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict

from sandbox.http import Manner
from sandbox.journal import Kind, Write


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One switch, in the order in which its parts act."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")  # where it comes in as JSON

    kind: Kind | Literal["*"] = "*"
    item: str | None = None  # None: every item; a list request is met by any item it names
    times: int | None = None  # None: until it is taken out

    expire_tokens: bool = False  # end every token's life just before this request is checked
    after_applying: bool = (
        False  # do what was asked, *then* let this happen: a PUT is done, but its client never hears of it
    )
    write: Write = "usual"  # "late" and "never" meet PUTs only; delay and hold are a late write's, not its answer's
    delay_seconds: float = 0
    hold: bool = False  # wait until it is released

    status: int | None = None  # answer with this status, and do nothing
    code: int = 0  # Sierra's own; by the status if 0
    specific_code: int = 0
    description: str | None = None
    retry_after: str | None = None  # seconds or an HTTP date, as it stands in the header
    html: bool = False  # the page of a proxy in front, not Sierra's JSON
    manner: Manner = Manner.WHOLE
    pace_seconds: float = 0.1

    staff_edit: dict[str, Any] | None = None  # the change that a librarian makes to the record right after this answer

    @property
    def answers_instead(self) -> bool:
        """Return whether the fault answers the request in Sierra's place."""
        return self.status is not None or self.html or self.manner in (Manner.EMPTY, Manner.HANG)

    def fits(self, kind: Kind, item_numbers: Sequence[str]) -> bool:
        """Return whether the fault meets such a request."""
        if self.write != "usual" and kind != "put_item":
            return False
        return self.kind in ("*", kind) and (self.item is None or self.item in item_numbers)


@dataclass(slots=True)
class Switch:
    """A fault that is on. `met` counts the requests that met it; `reached` is set at the first, `released` lets go."""

    number: int
    fault: Fault
    met: int = 0
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def spent(self) -> bool:
        """Return whether the fault has met as many requests as it should."""
        return self.fault.times is not None and self.met >= self.fault.times


class Faults:
    """All switches, spent ones too, so that their counts can be read."""

    def __init__(self) -> None:
        self.switches: list[Switch] = []
        self._made = 0

    def add(self, fault: Fault) -> Switch:
        """Switch a fault on."""
        switch = Switch(self._made, fault)
        self._made += 1
        self.switches.append(switch)
        return switch

    def take(self, kind: Kind, item_numbers: Sequence[str]) -> Switch | None:
        """Return the switch that such a request meets, if any."""
        for switch in self.switches:
            if not switch.spent and switch.fault.fits(kind, item_numbers):
                switch.met += 1
                return switch
        return None

    def remove(self, switch: Switch) -> None:
        """Switch a fault off, and let go the requests that it holds."""
        self.switches.remove(switch)
        switch.released.set()

    def clear(self) -> None:
        """Switch all faults off."""
        for switch in list(self.switches):
            self.remove(switch)
