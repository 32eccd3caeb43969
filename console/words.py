"""Words of the database in a reader's language, and names as a reader may see them, for pages and downloads."""

from collections.abc import Collection, Sequence
from typing import Any

from fastapi import HTTPException, Response

from console.languages import N_
from console.reasons import REASONS, explain_reason
from console.visit import Visit
from db.clients import list_clients
from db.queue import Connection

STATES = (N_("waiting"), N_("in flight"), N_("postponed"), N_("rejected"), N_("to recheck"))
OUTCOMES = (N_("pushed"), N_("unchanged"), N_("rejected"), N_("dismissed"))

MOST_AT_ONCE = 100_000  # items or pushes that one act reaches: what is read of them takes 80 MB here

Row = dict[str, Any]


async def find_stations(connection: Connection) -> list[str]:
    """The names of the API's clients."""
    return [client["name"] for client in await list_clients(connection)]


def choices(visit: Visit, words: Sequence[str]) -> list[tuple[str, str]]:
    """The words as a form's options."""
    return [(word, visit.say(word)) for word in words]


def reason_choices(visit: Visit) -> list[tuple[str, str]]:
    """The kinds of reasons as a form's options."""
    return [(code, tell_reason(visit, code)) for code in REASONS]


def tell_reason(visit: Visit, code: str) -> str:
    """The kind of a reason in words."""
    text = visit.say(explain_reason(code).sentence.one)
    return text[:1].upper() + text[1:]


def hide_persons(visit: Visit, rows: Sequence[Row], stations: Collection[str], *names: str) -> None:
    """Take the names of persons out of these columns, which a viewer may not see: stations stay.

    A notifier's name, told by its colon, stays where an update was finished. In `queued_by`, where it stands for a
    second look only, it goes with persons': `--by` may be any text there.
    """
    if visit.may("operator"):
        return
    for row in rows:
        for name in names:
            is_notifier = name == "finished_by" and ":" in (row[name] or "")
            if row[name] not in stations and not is_notifier:
                row[name] = "–"


def refuse_persons_name(visit: Visit, name: str | None, stations: Collection[str]) -> None:
    """Refuse a viewer who filters by a person's name."""
    if name is not None and name not in stations and not visit.may("operator"):
        raise HTTPException(403, "This is for people with the role operator: you may filter by a station's name")


def answer_too_many(visit: Visit, address: str) -> Response:
    """Lead back to the filter, which more items or pushes match than one act may be done to."""
    sentence = N_(
        "Nothing was done: more than %(most)s match. Narrow the filter, by days for instance, and act in parts"
    )
    return visit.redirect(address, visit.say(sentence, most=MOST_AT_ONCE), is_good=False)
