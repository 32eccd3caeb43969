"""The errors of Sierra: the type says what to do next.

SierraError
├── SierraUnavailable       Sierra as a whole: stop, give everything back, wait, probe. Uses up no attempts
│   ├── SierraSilent        … it gives no answer
│   ├── NotReached          … there was no connection, so no item is ever to blame
│   └── NeedsPerson         … and waiting alone does not help: the address, the configuration
│       └── SierraRefused   … our key or its role is refused
├── ListFailed              says nothing about any one item: read them one by one
└── ItemError               this item only
    ├── ItemTroubled        try it again later
    └── ItemRejected        never again until a person acts
LeaseTooShort               not Sierra's: too little of the lease is left to begin a write
"""

from typing import Literal

from db.reasons import ReasonCode

WaitsFor = Literal["answer", "Sierra", "person"]


class SierraError(Exception):
    """Sierra did not do what we asked."""


class SierraUnavailable(SierraError):
    """Sierra is unwell as a whole. `retry_after`: the seconds that it asked us to wait, if it did.

    `waits_for`: the event that pushing waits for, as in the column of notifier_state.
    """

    waits_for: WaitsFor = "Sierra"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SierraSilent(SierraUnavailable):
    """Sierra gives no answer, or half of one."""

    waits_for = "answer"


class NotReached(SierraUnavailable):
    """No connection could be made, so nothing was sent. `waits_for` says whose fault that is."""

    def __init__(self, message: str, waits_for: WaitsFor = "answer") -> None:
        super().__init__(message)
        self.waits_for = waits_for


class NeedsPerson(SierraUnavailable):
    """Waiting alone does not help: a person must act, as the text says."""

    waits_for = "person"


class SierraRefused(NeedsPerson):
    """Sierra refuses our key or what it may do."""


class ListFailed(SierraError):
    """Sierra could not answer for several items at once: ask for each."""


class ItemError(SierraError):
    """Sierra did not do what we asked for this item.

    `reason_code` is its kind, for people. `ambiguous` names the kind of a failure that may be Sierra's or the
    configuration's: the same kind at several items in a row is not theirs. `shows_sierra_well` is False where there was
    no response, or a busy record's. `retry_after`: the seconds that Sierra asked us to wait with this item, if it did.
    """

    def __init__(
        self,
        reason_code: ReasonCode,
        message: str,
        *,
        ambiguous: str | None = None,
        shows_sierra_well: bool = True,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.reason_code = reason_code
        self.retry_after = retry_after
        self.ambiguous = ambiguous
        self.shows_sierra_well = shows_sierra_well and ambiguous is None


class ItemTroubled(ItemError):
    """Not now: try this item again later."""


class ItemRejected(ItemError):
    """Never, as things are: a person must look."""


class LeaseTooShort(Exception):
    """A write that begins now might end after the lease: leave it to the next claim."""
