"""docs/queue.md says of each column what the database itself says of it."""

import pytest

from tests.docs.markdown import table
from tests.fix_postgres import TestDatabase

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
