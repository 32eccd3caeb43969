"""db/sql/mark.sql shows the statement that PUT /itemdata sends, though SQLAlchemy builds it from the models."""

import re
from pathlib import Path

import db
from db import items
from tests.fix_renewal import assert_is_as_made

MARK = Path(db.__file__).with_name("sql") / "mark.sql"
CLAUSES = r"SELECT (?!array_agg|printer)|INSERT|FROM (?!\w+\))|WHERE|ORDER BY|ON CONFLICT|RETURNING"
LINE_STARTS = rf"{CLAUSES}|\w+ AS \((?=SELECT|INSERT)"


def made_mark() -> str:
    """The statement as it is sent, broken into lines."""
    text = re.sub(r"\s+", " ", items.MARK)
    text = re.sub(rf" ({LINE_STARTS})", r"\n\1", text)
    return re.sub(r"(SET|,) (?=\w+ = )", r"\1\n    ", text) + ";\n"


def test_mark_sql_is_the_statement_that_is_sent() -> None:
    header = "".join(re.findall(r"^--.*\n", MARK.read_text(encoding="utf-8"), re.MULTILINE))
    assert_is_as_made(MARK, f"{header}\n\n{made_mark()}")
