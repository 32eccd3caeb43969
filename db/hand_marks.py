"""How does a person mark items? As a print station does, with the same statement, in their own name."""

from collections.abc import Sequence
from functools import cache
from typing import LiteralString

from sqlalchemy import ARRAY, BigInteger, Text, any_, bindparam, select
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from db.marks import mark
from db.models import SierraItem
from db.queue import Connection


async def mark_items(connection: Connection, person: str, item_record_ids: Sequence[int], priority: int) -> list[int]:
    """Mark items in a person's name. Those that were: an item that has gone meanwhile is not among them."""
    statement, parameters = _mark_by_hand(priority)
    cursor = await connection.execute(
        statement, {**parameters, "person": person, "item_record_ids": list(item_record_ids)}
    )
    row = await cursor.fetchone()
    return (row and row[1]) or []


@cache
def _mark_by_hand(priority: int) -> tuple[LiteralString, dict[str, object]]:
    """The mark's statement as text for psycopg, with those of its parameters that are always the same.

    The text is made by SQLAlchemy from our models and never from a user: hence LiteralString.
    """
    item = SierraItem.__table__  # type: ignore[attr-defined]
    person = select(bindparam("person", type_=Text).label("name")).cte("person")
    named = item.c.item_record_id == any_(bindparam("item_record_ids", type_=ARRAY(BigInteger)))
    dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]
    compiled = mark(person, named, priority).compile(dialect=dialect)  # type: ignore[attr-defined]
    return str(compiled), compiled.params
