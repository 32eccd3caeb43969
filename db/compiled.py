"""The models' statements as text for psycopg: SQLAlchemy builds each once, and a pooled connection runs it."""

from typing import LiteralString

from psycopg.sql import Literal
from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

_DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call]


def compile_statement(statement: Executable) -> LiteralString:
    """The statement's text. Its parameters are `%(name)s`, with a cast where a type is needed; constants stand in it.

    The text is made from our models and constants, and never from a user's words: hence LiteralString.
    """
    compiled = statement.compile(dialect=_DIALECT)  # type: ignore[attr-defined]
    text = str(compiled)
    for name, parameter in compiled.binds.items():
        if not parameter.required:
            constant = Literal(parameter.value).as_string().replace("%", "%%")
            text = text.replace(f"%({name})s", constant)
    return text
