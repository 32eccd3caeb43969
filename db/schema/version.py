"""The schema's revision against this release's, without Alembic, whose import takes a third of a second."""

import logging
from functools import cache
from pathlib import Path

from runtime.statements import load

log = logging.getLogger("signum.db")

_INSTALLED = Path(__file__).resolve().with_name("migrations")
# In a wheel alembic/ travels within db/schema/, for its own name is the library's there.
MIGRATIONS = _INSTALLED if _INSTALLED.is_dir() else _INSTALLED.parents[2] / "alembic"
READINESS = load("db", "schema")["readiness"]


@cache
def known_revisions() -> tuple[str, ...]:
    """All revisions of this release, oldest first: a migration's file begins with its number."""
    return tuple(sorted(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py")))


def schema_problem(revision: str | None) -> str | None:
    """The reason why this release can't work with a schema at `revision`, or None.

    An unknown revision is newer and no problem: migrations keep the previous release running.
    """
    head = known_revisions()[-1]
    if revision is None:
        return f'the database has no schema: run "signum migrate" (to revision {head})'
    if revision in known_revisions()[:-1]:
        return f'the schema is at revision {revision}, behind {head}: run "signum migrate"'
    return None


@cache
def warn_if_newer(revision: str) -> None:
    """Log, once per process, that a newer release has migrated the schema."""
    if revision not in known_revisions():
        log.warning("schema is newer than this release: carrying on", extra={"revision": revision})
