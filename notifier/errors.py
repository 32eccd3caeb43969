"""What can go wrong at Sierra, and what to do then? The type says it.

SierraError
├── SierraUnavailable       Sierra as a whole: stop, give everything back, wait, probe. Burns nobody's attempts
│   └── SierraRefused       … and a person must act: our key or its role is refused
├── ListFailed              says nothing about any one item: read them one by one
└── ItemError               this item only
    ├── ItemTroubled        try it again later
    └── ItemRejected        never again until a person acts
LeaseTooShort               not Sierra's: too little of the lease is left to begin a write
"""


class SierraError(Exception):
    """Sierra did not do what we asked."""


class SierraUnavailable(SierraError):
    """Sierra is unwell as a whole. `retry_after`: how many seconds it asked us to wait, if it did."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SierraRefused(SierraUnavailable):
    """Sierra refuses our key or what it may do. Waiting alone does not help: a person must act."""


class ListFailed(SierraError):
    """Sierra could not answer for several items at once: ask for each."""


class ItemError(SierraError):
    """Sierra did not do it for this item.

    `doubt` is set where the answer may tell more of Sierra, or of our configuration, than of the item: the same doubt
    on several items in a row is not theirs. `shows_sierra_well` is False where there was no answer, or a busy record's.
    `retry_after`: how many seconds Sierra asked us to wait with this item, if it did.
    """

    def __init__(
        self,
        message: str,
        *,
        doubt: str | None = None,
        shows_sierra_well: bool = True,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.doubt = doubt
        self.shows_sierra_well = shows_sierra_well and doubt is None


class ItemTroubled(ItemError):
    """Not now: try this item again later."""


class ItemRejected(ItemError):
    """Never, as things are: a person must look."""


class LeaseTooShort(Exception):
    """A write that begins now might end after the lease: leave it to the next claim."""
