"""Dry runs of an item's update in Sierra: read, compute and compare; nothing is written."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from cli.exit_codes import Refused, Unreachable
from db.items import NamedItem
from notifier.config import client_of, rules_of
from notifier.patch import INVDA_FIELD, Plan, Wish, call_number_texts, plan_update
from notifier.sierra.errors import SierraError, SierraUnavailable
from notifier.sierra.records import Field, Record
from notifier.sierra.responses import Deleted
from runtime.settings import NotifierSettings


@dataclass(frozen=True, slots=True)
class Change:
    """A field that would be written, and its value in Sierra before and after. None: no such field."""

    field: str
    before: str | None
    after: str | None


def plan_changes(item: NamedItem, settings: NotifierSettings) -> tuple[list[Change], tuple[str, ...]]:
    """The changes that a mark made now would bring, and remarks on text that would be left out or lost, and why."""
    record = _read(item, settings)
    now = datetime.now(UTC)
    plan = plan_update(record, Wish(item.classification, queued_at=now, now=now), rules_of(settings))
    if plan.refusal:
        raise Refused(plan.refusal.sentence)
    return list(_changes(record, plan)), plan.remarks


def _read(item: NamedItem, settings: NotifierSettings) -> Record:
    """The item as Sierra has it now."""
    number = item.item_number or ""
    if not (number.isascii() and number.isdigit()):
        raise Refused(f"the item with barcode {item.barcode} has no number in Sierra that could be asked for")

    async def read() -> Record | Deleted:
        async with client_of(settings) as sierra:
            return await sierra.read_item(number)

    try:
        answer = asyncio.run(read())
    except SierraUnavailable as error:
        raise Unreachable(f"{settings.sierra_api_endpoint}: {error}") from error
    except SierraError as error:
        raise Refused(str(error)) from error
    if isinstance(answer, Deleted):
        raise Refused(f"item {number} was deleted in Sierra on {answer.on}")
    return answer


def _changes(record: Record, plan: Plan) -> Iterator[Change]:
    """The fields of the patch that differ from the record. Fields that are sent unchanged are left out."""
    for position, var_field in enumerate(plan.patch.get("varFields", ())):
        old = record.var_fields[position : position + 1]
        if [var_field] != list(old):
            yield _call_number_change(old[0] if old else {}, var_field)
    for number, fixed_field in plan.patch.get("fixedFields", {}).items():
        label = str(fixed_field["label"]).strip()
        yield Change(f"{label} ({number})", _fixed_value(record, number), fixed_field["value"])
    if "inventoryDate" in plan.patch:
        yield Change(f"INVDA ({INVDA_FIELD})", _fixed_value(record, INVDA_FIELD), plan.patch["inventoryDate"])


def _call_number_change(old: Field, new: Field) -> Change:
    before, after = call_number_texts(old), call_number_texts(new)
    position = next(position for position, text in after.items() if text != before.get(position))
    return Change("call number (099)", before.get(position), after[position])


def _fixed_value(record: Record, number: str) -> str | None:
    value = record.fixed_fields.get(number, {}).get("value")
    return None if value is None else str(value)
