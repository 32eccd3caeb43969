"""Logging is after each test as it was before it: commands that run in the tests' own process configure it."""

import logging
from collections.abc import Iterator

import pytest

CONFIGURED = ("root", "signum", "uvicorn", "alembic.runtime.migration", "psycopg.pool")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Levels and handlers."""
    loggers = [logging.getLogger(name) for name in CONFIGURED]
    before = [(logger, logger.level, logger.handlers) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers = handlers
