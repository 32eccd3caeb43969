"""docs/queue.md says of each column what the database itself says of it, and of each step what runs it."""

import re
from pkgutil import resolve_name

import pytest

from runtime.statements import load
from tests.docs.markdown import table
from tests.fix_postgres import TestDatabase
from tests.protocol.rules import Protocol

COMMENTS = """
SELECT attname, col_description(attrelid, attnum) FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""


@pytest.mark.parametrize(
    ("heading", "of"),
    [
        ("Columns of update_queue", "update_queue"),
        ("Columns of update_log", "update_log"),
        ("Pause", "queue_control"),
    ],
)
def test_every_column_stands_there_with_its_comment(database: TestDatabase, heading: str, of: str) -> None:
    expected = [[f"`{column}`", comment] for column, comment in database.fetch(COMMENTS, of)]
    assert table("docs/queue.md", heading) == expected


def test_each_step_of_the_explored_protocol_names_its_function_and_statement() -> None:
    steps = table("docs/queue.md", "The protocol, explored")
    for step, functions, statements in steps:
        assert callable(getattr(Protocol, step))
        assert all(callable(resolve_name(name)) for name in re.findall("`(.*?)`", functions))
        file, *names = re.findall(r"\w+", statements.replace(".sql", "")) or [""]
        assert names or file in ("", "mark"), "the mark is no named statement"
        assert set(names) <= (load("db", file).keys() if names else set())
    assert len({step for step, _, _ in steps}) == len(steps)
