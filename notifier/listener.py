"""The listener: one connection that does nothing but LISTEN, and proves at an interval that it still hears.

A notification only says "look at the queue", so none needs to be kept. But a connection can go deaf silently: a
firewall forgets it, a pooler hands it to others. So the listener notifies itself through another connection. If that
is not heard, it connects anew, and until it hears again the queue is polled. Every connect sets the wakeup, so that
marks of the time before are found.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Literal

import psycopg

from db.connections import Parameters, aconnect, one_line
from db.pool import Pool, lend
from notifier.backoff import reconnect_pause
from notifier.wakeup import Wakeup
from runtime.statements import load

log = logging.getLogger("signum.listener")

SQL = load("db", "listener")
QUEUE_CHANNEL = "update_queue"
ECHO_INTERVAL_SECONDS = 10.0
ECHO_DEADLINE_SECONDS = 5.0


class Deaf(Exception):
    """The listener does not hear its own notification, or listens at a server where nothing is marked any more."""


class Listener:
    """Sets the wakeup at each notification. `mode` and `reason` say whether it hears any.

    `on_lost` is called when it hears no more: a session that is lost is the first sign of a failover.
    """

    def __init__(
        self,
        parameters: Parameters,
        pool: Pool,
        notifier: str,
        wakeup: Wakeup,
        on_lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_lost = on_lost
        self._parameters, self._pool, self._notifier, self._wakeup = parameters, pool, notifier, wakeup
        self._echo = asyncio.Event()
        self._failures = 0
        self.mode: Literal["starting", "listening", "polling"] = "starting"
        self.reason: str | None = None

    async def run(self) -> None:
        """Listen for ever: a connection that is lost is replaced."""
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError, TimeoutError, Deaf) as error:
                self._lost(one_line(error))
            await asyncio.sleep(reconnect_pause(self._failures, random.random()))  # noqa: S311  jitter, not a secret
            self._failures += 1

    async def ring(self) -> None:
        """Have the other notifiers look at the queue: what this one has put back may be due."""
        async with lend(self._pool) as connection:
            await connection.execute(SQL["ring"])

    async def _listen(self) -> None:
        """Listen on one connection until it fails. Set the wakeup first: earlier notifications are lost."""
        self._pool.found_read_only.clear()
        connection = await aconnect(self._parameters)
        try:
            async with asyncio.timeout(ECHO_DEADLINE_SECONDS):
                await connection.execute(SQL["listen"])
                await connection.execute(SQL["listen_echo"])
            self._wakeup.set()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._hear(connection))
                tasks.create_task(self._prove())
                tasks.create_task(self._leave_read_only_server())
        except ExceptionGroup as errors:  # not `except*`: until Python 3.11.4 it would wrap what is raised in it
            raise errors.exceptions[0] from None
        finally:
            with suppress(psycopg.Error, OSError):
                await connection.close()

    async def _hear(self, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        async for notification in connection.notifies():
            if notification.channel == QUEUE_CHANNEL:
                self._wakeup.set_by_notification()
            elif notification.payload == self._notifier:
                self._echo.set()

    async def _prove(self) -> None:
        """Notify ourselves at an interval. Raise Deaf if that is not heard in time."""
        while True:
            self._echo.clear()
            async with lend(self._pool) as connection:
                await connection.execute(SQL["send_echo"], {"notifier": self._notifier})
            try:
                async with asyncio.timeout(ECHO_DEADLINE_SECONDS):
                    await self._echo.wait()
            except TimeoutError:
                raise Deaf(f"our own notification was not heard within {ECHO_DEADLINE_SECONDS:g} s") from None
            self._heard()
            await asyncio.sleep(ECHO_INTERVAL_SECONDS)

    async def _leave_read_only_server(self) -> None:
        """Raise Deaf when the pool has met a server that only reads: we may listen there, and be marked elsewhere."""
        await self._pool.found_read_only.wait()
        raise Deaf("the database's server takes no writes any more")

    def _heard(self) -> None:
        if self.mode != "listening":
            log.info("listening")
        self.mode, self.reason, self._failures = "listening", None, 0

    def _lost(self, reason: str) -> None:
        if self.mode != "polling":
            log.warning("not listening, polling until we hear again: %s", reason)
            self._wakeup.set(something_due=False)
        if self.mode == "listening":
            self._on_lost()
        self.mode, self.reason = "polling", reason
