"""Fixture `real_backend`: the api and its database for our own ETL, without a process for each batch."""

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator, Mapping
from typing import IO, Any

import pytest

from api.ingest.__main__ import run
from api.ingest.protocol import END_OF_FILE, Job, LastWords, Result, frame, json_frame
from etl.errors import BackendAway, EtlError
from etl.service import Etl
from tests.fix_api import StartApi
from tests.fix_postgres import TestDatabase

COLUMNS = ("item_record_id", "barcode", "bib_record_id", "best_title", "itype_code_num", "item_type_name")
SEEN = (*COLUMNS, "classification", "shelfmark_json")
LIVING = f"SELECT {', '.join(SEEN)} FROM sierra_item WHERE deleted_on IS NULL ORDER BY item_record_id"
EMPTY = (
    "TRUNCATE sierra_item, update_queue, update_log, rejected_row",
    "DELETE FROM sync_state",
    "INSERT INTO sync_state DEFAULT VALUES",
)


class InlineIngest:
    """An ingest in the api's own process: the same frames, the same transaction."""

    def __init__(self, job: Job) -> None:
        self._frames = bytearray(json_frame(job))

    async def send(self, file_bytes: bytes) -> None:
        self._frames += frame(file_bytes)

    async def finish(self, last_words: LastWords) -> Result:
        self._frames += frame(END_OF_FILE) + json_frame(last_words)
        return await asyncio.to_thread(run, io.BytesIO(self._frames))


class RealBackend:
    """The real one, emptied, and what the wire to it does: `cuts` of answers, `refusals` of batches."""

    def __init__(self, url: str, key: str, database: TestDatabase) -> None:
        self.url, self.key, self.database = url, key, database
        self.cuts, self.refusals = 0, list[EtlError]()

    def empty(self) -> None:
        for statement in EMPTY:
            self.database.fetch(statement)

    def living(self) -> list[list[Any]]:
        rows = self.database.fetch(LIVING)
        return [[*others, subfields and json.loads(subfields)] for *others, subfields in rows]

    def disturb(self, etl: Etl) -> None:
        """Have what this ETL sends meet the wire."""
        send = etl._backend.send

        def disturbed(file: IO[bytes], fields: Mapping[str, str]) -> Mapping[str, Any]:
            if self.refusals:
                raise self.refusals.pop(0)
            answer = send(file, fields)
            if self.cuts:
                self.cuts -= 1
                raise BackendAway("the answer was cut off")
            return answer

        etl._backend.send = disturbed  # type: ignore[method-assign]


@pytest.fixture
def real_backend(
    start_api: StartApi, etl_key: str, database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> RealBackend:
    """The real one, whose full syncs go by twenties."""

    @contextlib.asynccontextmanager
    async def start_ingest(job: Job) -> AsyncIterator[InlineIngest]:
        yield InlineIngest(job)

    monkeypatch.setattr("api.routes.sync.start_ingest", start_ingest)
    return RealBackend(str(start_api(full_sync_batch_size=20).base_url), etl_key, database)
