"""The token for Sierra: one for all requests, kept for its whole life."""

import asyncio
import time
from collections.abc import Awaitable, Callable

RENEW_BEFORE_SECONDS = 60.0


class Token:
    """The token, fetched when first wanted and again shortly before it expires or when it was forgotten.

    Requests that need it at the same time share one fetch: all get its token or its error.
    """

    def __init__(self, fetch: Callable[[], Awaitable[tuple[str, float]]]) -> None:
        self._fetch = fetch
        self._value: str | None = None
        self._good_until = 0.0
        self._fetching: asyncio.Task[str] | None = None

    async def get(self) -> str:
        """The token. Raise the fetch's error."""
        if self._value is not None and time.monotonic() < self._good_until:
            return self._value
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._renew())
            self._fetching.add_done_callback(self._fetched)
        return await asyncio.shield(self._fetching)

    def forget(self, value: str) -> None:
        """Forget this token, which Sierra refuses; do nothing where it was replaced meanwhile."""
        if value == self._value:
            self._value = None

    async def aclose(self) -> None:
        """Cancel a fetch that is under way: nothing waits for it any more."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    @property
    def seconds_left(self) -> float:
        """Seconds until the token is renewed; 0 without one."""
        return max(0.0, self._good_until - time.monotonic()) if self._value is not None else 0.0

    async def _renew(self) -> str:
        asked_at = time.monotonic()
        value, seconds = await self._fetch()
        self._value = value
        self._good_until = asked_at + seconds - min(RENEW_BEFORE_SECONDS, seconds / 10)
        return value

    def _fetched(self, task: asyncio.Task[str]) -> None:
        self._fetching = None
        if not task.cancelled():
            task.exception()  # read, or asyncio would log it: each `get` has raised it too
