"""The mark, by which an item enters the queue: one statement, built on the models, for print stations and people.

Marking twice is one row with the next `revision`. An item under way keeps its lease; one that is rejected, or
pushed and only to be looked at again, enters anew, and a revert becomes an update. db/sql/mark.sql shows the text that
PUT /itemdata sends.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, LiteralString

from psycopg.errors import ForeignKeyViolation
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Executable,
    Text,
    any_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.elements import KeyedColumnElement
from sqlalchemy.sql.selectable import CTE

from db.compiled import compile_statement
from db.models import SierraItem, UpdateQueue
from db.queue import Connection

TABLE = UpdateQueue.__table__  # type: ignore[attr-defined]
MARKED_COLUMNS = (
    "item_record_id",
    "queued_by",
    "priority",
    "request_id",
    "trace",
)


def mark(marker: CTE, which: ColumnElement[bool], priority: int) -> Executable:
    """The statement that marks the living items which meet `which`, in the name of `marker`'s one row (column `name`).

    Parameters: `request_id`, `trace`, and those of `marker` and `which`. It returns one row: `name` (None if marker has
    no row: nothing was marked) and `item_record_ids` (the marked items; None if there are none).
    """
    item = SierraItem.__table__  # type: ignore[attr-defined]
    chosen = (
        select(
            item.c.item_record_id,
            marker.c.name,
            literal(priority, TABLE.c.priority.type),
            bindparam("request_id", type_=TABLE.c.request_id.type),
            bindparam("trace", type_=TABLE.c.trace.type),
        )
        .select_from(item.join(marker, literal(True)))
        .where(which, item.c.deleted_on.is_(None))
        .order_by(item.c.item_record_id)
    )
    entering = insert(TABLE).from_select(list(MARKED_COLUMNS), chosen)
    marked = (
        entering.on_conflict_do_update(index_elements=["item_record_id"], set_=_marked_again(entering.excluded))
        .returning(TABLE.c.item_record_id)
        .cte("marked")
    )
    return select(
        select(marker.c.name).scalar_subquery().label("name"),
        select(func.array_agg(marked.c.item_record_id)).scalar_subquery().label("item_record_ids"),
    )


def _marked_again(new: ReadOnlyColumnCollection[str, KeyedColumnElement[Any]]) -> dict[str, object]:
    """The new values of a row that is queued already. One that asks for no push now enters anew: it is due never, or
    pushed."""
    asks_for_none = or_(TABLE.c.due_at.is_(None), TABLE.c.pushed_revision == TABLE.c.revision)
    anew = ("queued_at", "queued_by")
    return {
        "revision": TABLE.c.revision + 1,
        "due_at": func.now(),
        "attempts": 0,
        "last_error": None,
        "priority": func.least(TABLE.c.priority, new.priority),
        "request_id": new.request_id,
        "trace": new.trace,
        "revert_of": None,
        **{name: case((asks_for_none, new[name]), else_=TABLE.c[name]) for name in anew},
    }


async def mark_items(connection: Connection, person: str, item_record_ids: Sequence[int], priority: int) -> list[int]:
    """Mark items in a person's name. Return the marked ones: an item that is gone meanwhile is not among them."""
    given = {"person": person, "item_record_ids": list(item_record_ids), "request_id": None, "trace": None}
    while True:
        try:
            async with connection.transaction():
                row = await (await connection.execute(_mark_by_hand(priority), given)).fetchone()
            return (row and row[1]) or []
        except ForeignKeyViolation:
            continue  # one of the items was removed just now: the next statement does not see it


@cache
def _mark_by_hand(priority: int) -> LiteralString:
    item = SierraItem.__table__  # type: ignore[attr-defined]
    person = select(bindparam("person", type_=Text).label("name")).cte("person")
    named = item.c.item_record_id == any_(bindparam("item_record_ids", type_=ARRAY(BigInteger)))
    return compile_statement(mark(person, named, priority))
