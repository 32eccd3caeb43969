"""Statements from a file, as the driver gets them."""

import pytest
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH

from runtime.statements import load

QUEUE = load("db", "queue")


@pytest.mark.parametrize("name", QUEUE)
def test_psycopg_keeps_each_statement_of_the_queue_as_it_was_read_once(name: str) -> None:
    assert len(QUEUE[name].encode()) <= MAX_CACHED_STATEMENT_LENGTH


def test_a_statement_is_sent_without_its_comments() -> None:
    assert not any("--" in statement for statement in QUEUE.values())
