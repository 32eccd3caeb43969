"""The routes of `/sync`: the ETL asks what to send (GET), and sends the catalogue in batches (POST)."""

import asyncio
import logging
from datetime import datetime
from time import perf_counter
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.exceptions import RequestValidationError

from api.auth import Etl, database_of
from api.batch_fields import read_fields
from api.ingest.process import start_ingest
from api.ingest.protocol import BUSY, Job, Result
from api.metrics import count_batch
from api.openapi import reference_to
from api.problems import KEYED, RETRY_AFTER_SECONDS, invalid, problems
from api.schemas import Batch, BatchTaken, ChangesSync, FullSync
from api.upload import FILE, TIMESTAMP, FieldRefused, UploadRefused, receive_upload, too_large
from db.connections import DatabaseRefuses, DatabaseUnavailable, connection_parameters
from db.sync_state import hand_out
from runtime.settings import ApiSettings

log = logging.getLogger("signum.sync")

router = APIRouter(tags=["ETL"])

# The ETL waits 120 s for the answer. A batch that takes longer is rolled back, and sent again.
DEADLINE_SECONDS = 110

_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": reference_to(Batch),
            "encoding": {FILE: {"contentType": "application/gzip"}},
        }
    },
}
_PROBLEMS = {
    400: "The header line lacks barcode",
    409: "Another batch is being taken in",
    413: "The upload is larger than 256 MiB",
}

_INVALID = invalid(["body", TIMESTAMP], "Field has no offset from UTC")


@router.get(
    "/sync",
    response_model=FullSync | ChangesSync,
    summary="Ask what to send next",
    responses=problems(KEYED),
)
@router.get("/sync/", response_model=FullSync | ChangesSync, include_in_schema=False)
async def offer(request: Request, etl: Etl) -> FullSync | ChangesSync:
    """Hand out mode and cursor. The next batch is judged by them."""
    batch_size = _settings(request).full_sync_batch_size
    offered = await hand_out(database_of(request), batch_size)
    if offered.sync_mode == "SYNC_FULL":
        return FullSync(
            sync_mode=offered.sync_mode,
            batch_size=batch_size,
            last_synced_id=offered.last_synced_id,
            changes_since=offered.timestamp if offered.last_synced_id else None,
            sync_status=offered.sync_status,
            deletions_since=offered.deletions_since,
            passed_at=offered.passed_at,
        )
    return ChangesSync(
        sync_mode=offered.sync_mode,
        timestamp=offered.timestamp,
        sync_status=offered.sync_status,
        deletions_since=offered.deletions_since,
        passed_at=offered.passed_at,
    )


@router.post(
    "/sync",
    response_model=BatchTaken,
    summary="Send a batch",
    responses=problems(KEYED | _PROBLEMS) | _INVALID,
    openapi_extra={"requestBody": _BODY},
)
@router.post("/sync/", response_model=BatchTaken, include_in_schema=False)
async def take_batch(request: Request, etl: Etl) -> BatchTaken:
    """Take in a batch, in one transaction. Rows that can't be stored are kept aside with their reason.

    Two further fields are understood where `accepts` has `changes_since`; both times are ISO 8601 with offset.

    - `changes_since`: all changes since then came with this batch and those before it, each item with the highest of
      all its bibs. Such a batch never answers a full sync: meanwhile its rows are stored, and the position stays.
    - `changes_until`: the position after this batch, instead of `timestamp`. As handed out: the position stays.

    Where `accepts` has `deleted_on`, a column of that name has the date on which Sierra deleted the row's item, and the
    field `deletions_until` the day until when all deletions have come.

    Where `accepts` has `all_from_id`, a file may be a range of a pass over all items.

    - `all_from_id`, `all_to_id`: the file has every living item with an id above the one, up to the other.
      Items of that range that it lacks are deleted. The position stays.
    - `pass_complete`: `true` with the last range. `GET /sync` then hands out its `timestamp` as `passed_at`.
    """
    began = perf_counter()
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            timestamp, result = await _ingest_alone(request, etl.client_name)
    except TimeoutError:
        about = {"client": etl.client_name}
        log.error("batch timed out after %d s: rolled back, unless its commit had begun", DEADLINE_SECONDS, extra=about)
        raise HTTPException(
            503,
            f"The batch timed out after {DEADLINE_SECONDS} s: nothing of it is stored, unless its commit had begun",
            {"Retry-After": str(RETRY_AFTER_SECONDS)},
        ) from None
    about = {"client": etl.client_name, "timestamp": timestamp.isoformat()}
    seconds = perf_counter() - began
    count_batch(result, seconds)
    return _answer(result, about, seconds)


async def _ingest_alone(request: Request, client: str) -> tuple[datetime, Result]:
    """Take in one batch at a time: the processes of many at once would make print stations wait."""
    batch_lock: asyncio.Lock = request.app.state.batch_lock
    if batch_lock.locked():
        log.warning("batch was refused: %s", BUSY, extra={"client": client})
        raise HTTPException(409, BUSY)
    async with batch_lock:
        return await _ingest(request, _settings(request))


async def _ingest(request: Request, settings: ApiSettings) -> tuple[datetime, Result]:
    limit_bytes = settings.sync_upload_limit_mib << 20
    try:
        if int(request.headers.get("content-length", 0)) > limit_bytes:
            raise too_large(limit_bytes)
        async with start_ingest(_job(settings)) as ingest:
            content_type = request.headers.get("content-type", "")
            texts = await receive_upload(content_type, request.stream(), limit_bytes, ingest.send)
            timestamp, last_words = read_fields(texts)
            return timestamp, await ingest.finish(last_words)
    except FieldRefused as error:
        raise RequestValidationError(
            [{"type": "value_error", "loc": ("body", error.name), "msg": str(error), "input": None}]
        ) from error
    except UploadRefused as error:
        raise HTTPException(error.status, str(error)) from error


def _job(settings: ApiSettings) -> Job:
    return {
        "connection": connection_parameters(
            settings,
            "signum sync",
            statement_timeout=DEADLINE_SECONDS * 1000,
            # A machine that vanished closes no connection: PostgreSQL would hold its batch's lock for two hours, and
            # take in no other batch. So the server probes as often as this side does. (COPY has no statement_timeout.)
            tcp_keepalives_idle=10,
            tcp_keepalives_interval=3,
            tcp_keepalives_count=2,
            idle_in_transaction_session_timeout=DEADLINE_SECONDS * 1000,
        ),
        "batch_size": settings.full_sync_batch_size,
        "unpacked_limit_bytes": settings.sync_unpacked_limit_mib << 20,
        "longest_pause_minutes": settings.etl_max_sync_delta_minutes,
    }


def _answer(result: Result, about: dict[str, Any], seconds: float) -> BatchTaken:
    match result.kind:
        case "taken":
            _log_taken(result, {**about, "seconds": f"{seconds:.1f}"})
            upserted = result.received - result.rejected
            return BatchTaken(
                upserted=upserted,
                written=result.written,
                unchanged=upserted - result.written,
                rejected=result.rejected,
                reasons=result.reasons,
                shown=result.shown,
                deleted=result.deleted,
                deletions_held=result.deletions_held,
            )
        case "unavailable":
            raise DatabaseUnavailable(result.detail)
        case "unconfirmed":
            raise DatabaseRefuses(result.detail)
        case "failed":
            raise RuntimeError(f"batch was not taken in: {result.detail}")
        case refused:
            log.warning("batch was refused: %s", result.detail, extra=about)
            raise HTTPException({"busy": 409, "unreadable": 400, "too_large": 413}[refused], result.detail)


def _log_taken(result: Result, about: dict[str, Any]) -> None:
    counts = {"received": result.received, "written": result.written, "rejected": result.rejected}
    log.info("batch taken in", extra=about | counts)
    if result.rejected:
        log.warning(
            "%d rows were refused and kept in rejected_row", result.rejected, extra={**about, "first": result.reasons}
        )
    for warning in result.warnings:
        log.warning("%s", warning, extra=about)


def _settings(request: Request) -> ApiSettings:
    settings: ApiSettings = request.app.state.settings
    return settings
