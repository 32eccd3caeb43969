"""The routes `/healthz` and `/readiness`: whether to restart this process, and whether to send it requests."""

from fastapi import APIRouter, Request

from api.auth import database_of
from api.problems import problems
from api.schemas import Alive, Health
from db.connections import DatabaseUnavailable
from db.schema.version import SCHEMA_VERSION, schema_problem, warn_if_newer
from runtime.release import release

router = APIRouter(tags=["Health"])


@router.get("/healthz", summary="Is the process alive?")
@router.get("/healthz/", include_in_schema=False)
async def is_alive() -> Alive:
    """Answer 200 as long as the process lives, whatever the state of the database."""
    return Alive(version=release())


@router.get("/readiness", summary="Can it serve requests?", responses=problems({}))
@router.get("/readiness/", include_in_schema=False)
async def is_ready(request: Request) -> Health:
    """Answer 503, with the reason, while the database is away or its schema is older than this release's."""
    rows = await database_of(request).fetch(SCHEMA_VERSION)
    revision = rows[0][0] if rows else None
    if problem := schema_problem(revision):
        raise DatabaseUnavailable(problem)
    warn_if_newer(revision)
    return Health()
