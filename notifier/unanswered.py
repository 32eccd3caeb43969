"""The writes of this notifier that had no answer, for as long as Sierra may still do them."""

import time
from collections.abc import Collection

from db.queue import LATE_SECONDS, Claim


class UnansweredWrites:
    """Remembers when each was sent. No claim may take its item before two time-outs after that.

    The database may lose what was recorded of them, in a crash or a failover. So each is remembered until it can't be
    done any more and the database is known to have lost nothing: see `forget_past`.
    """

    def __init__(self, timeout_seconds: float = 10.0, late_seconds: float = LATE_SECONDS) -> None:
        self.late_seconds = late_seconds
        self._keep_seconds = 2 * timeout_seconds
        self._sent_at: dict[Claim, float] = {}

    def __contains__(self, claim: Claim) -> bool:
        return claim in self._sent_at

    def add(self, claim: Claim, sent_at: float) -> None:
        """Note that the claim's write, sent then by the monotonic clock, had no answer."""
        self._sent_at[claim] = sent_at

    def keep_seconds(self, claim: Claim) -> float | None:
        """The seconds for which the claim's item must still be kept; None if no write of the claim is unanswered."""
        sent_at = self._sent_at.get(claim)
        return None if sent_at is None else max(0.0, sent_at + self._keep_seconds - time.monotonic())

    def claims(self) -> list[Claim]:
        """The claims whose writes may still be done, or were done while the database was away."""
        return list(self._sent_at)

    def forget_past(self, in_flight: Collection[Claim]) -> None:
        """Forget those that can't be done any more, but for those whose outcome is still to be written.

        Not while a session is lost: what they did is still to be found.
        """
        oldest = time.monotonic() - self.late_seconds
        self._sent_at = {
            claim: sent_at for claim, sent_at in self._sent_at.items() if sent_at > oldest or claim in in_flight
        }
