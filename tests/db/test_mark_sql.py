"""db/sql/mark.sql shows the statement that PUT /itemdata sends, though SQLAlchemy makes it from the models."""

import re
from pathlib import Path

from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

import db
from db import items
from tests.fix_renewal import assert_is_as_made

MARK = Path(db.__file__).with_name("sql") / "mark.sql"
CLAUSES = r"SELECT (?!array_agg|printer)|INSERT|FROM (?!\w+\))|WHERE|ORDER BY|ON CONFLICT|RETURNING"
LINE_STARTS = rf"{CLAUSES}|\w+ AS \((?=SELECT|INSERT)"
GIVEN_PER_REQUEST = {"api_key_sha256", "item_record_id", "request_id", "trace"}


def made_mark() -> str:
    """The statement as SQLAlchemy compiles it, constants in place of their parameters, broken into lines."""
    compiled = items._MARK.compile(dialect=PGDialect_psycopg())  # type: ignore[no-untyped-call, attr-defined]
    text = re.sub(r"\s+", " ", str(compiled))
    for name in compiled.params.keys() - GIVEN_PER_REQUEST:
        text = text.replace(f"%({name})s", as_sql(compiled.params[name]))
    text = re.sub(rf" ({LINE_STARTS})", r"\n\1", text)
    return re.sub(r"(SET|,) (?=\w+ = )", r"\1\n    ", text) + ";\n"


def as_sql(constant: str | int | bool | None) -> str:
    """The constant as a literal."""
    return "NULL" if constant is None else repr(constant).lower() if isinstance(constant, bool) else repr(constant)


def test_mark_sql_is_the_statement_that_is_sent() -> None:
    header = "".join(re.findall(r"^--.*\n", MARK.read_text(encoding="utf-8"), re.MULTILINE))
    assert_is_as_made(MARK, f"{header}\n\n{made_mark()}")
