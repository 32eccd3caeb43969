"""What is the ETL asked to send next? One statement, which notes what it hands out: a batch is judged by that."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import text

from db.connections import Database
from runtime.statements import load

HAND_OUT = text(re.sub(r"%\((\w+)\)s", r":\1", load("db", "sync")["hand_out"]))

SyncMode = Literal["SYNC_FULL", "SYNC_CHANGES"]
SyncStatus = Literal["idle", "processing_sync_batch"]


@dataclass(frozen=True, slots=True)
class Offer:
    """What was handed out; nothing was if a batch is being taken in."""

    sync_mode: SyncMode
    last_synced_id: int
    timestamp: datetime
    sync_status: SyncStatus


async def hand_out(database: Database, batch_size: int) -> Offer:
    """Tell what to send next, and remember it. A full sync that was asked for begins with this."""
    (row,) = await database.fetch(HAND_OUT, {"batch_size": batch_size}, may_wait=True)
    return Offer(**row._mapping)
