"""Counts the progress of the relabelling every ten minutes, for all who want to know.

The notifier does it because it is the one process that every installation has running and that no person waits for. Of
several the first one to ask does it. Nothing waits for a count: it has a connection of its own, on which a statement
may take as long as it must where vacuum has not come for a while. One that fails is made again ten minutes later.
"""

import asyncio
import logging

import psycopg

from db import progress
from db.connections import DATABASE_AWAY, Parameters, aconnect, one_line

log = logging.getLogger("signum.notifier")

ASK_AGAIN_SECONDS = 60.0  # a count is due ten minutes after the last one, whichever notifier made that
TRY_AGAIN_SECONDS = 600.0


async def count_progress(parameters: Parameters) -> None:
    """Count for ever. A database that is away or refuses does not end it."""
    while True:
        pause = ASK_AGAIN_SECONDS
        try:
            await count_if_due(parameters)
        except psycopg.Error as error:
            # The loop logs that the database is away. A cancelled query took longer than it may.
            if not isinstance(error, DATABASE_AWAY) or isinstance(error, psycopg.errors.QueryCanceled):
                pause = TRY_AGAIN_SECONDS
                log.warning("progress was not counted: %s", one_line(error))
        await asyncio.sleep(pause)


async def count_if_due(parameters: Parameters) -> None:
    """Count the items, and add up the pushes of the last days, unless that was done within ten minutes."""
    async with await aconnect(parameters) as connection:
        if await progress.count_items(connection):
            for first_day in await progress.find_weeks(connection):
                await progress.add_up_week(connection, first_day)
