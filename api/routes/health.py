"""The routes `/healthz` and `/readiness`: whether to restart this process, and whether to send it requests."""

from fastapi import APIRouter, Request

from api.auth import database_of
from api.problems import problems
from api.schemas import Alive, Readiness
from db.connections import DatabaseUnavailable
from db.schema.version import READINESS, schema_problem, warn_if_newer
from runtime.release import release

router = APIRouter(tags=["Health"])


@router.get("/healthz", summary="Is the process alive?")
@router.get("/healthz/", include_in_schema=False)
async def is_alive() -> Alive:
    """Answer 200 as long as the process lives, whatever the state of the database."""
    return Alive(version=release())


@router.get("/readiness", summary="Can it serve requests?", responses=problems({}))
@router.get("/readiness/", include_in_schema=False)
async def is_ready(request: Request) -> Readiness:
    """Answer 503, with the reason, while the database is away or its schema is older than this release's.

    Where no server of the database takes writes, `status` is `read-only`: barcodes are read, and marks are told 503. It
    stays 200, for a proxy that sent no more requests here would take the reads away too.
    """
    rows = await database_of(request).fetch(READINESS)
    revision, only_reads = rows[0] if rows else (None, False)
    if problem := schema_problem(revision):
        raise DatabaseUnavailable(problem)
    warn_if_newer(revision)
    return Readiness(status="read-only" if only_reads else "ok")
