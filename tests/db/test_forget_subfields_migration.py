"""Migration 0008 on a database in use: shelfmarks that the new rule may change are made anew, and nothing waits."""

import json
import re
import unicodedata
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from hypothesis import assume, example, given
from hypothesis import strategies as st

from api.ingest import shelfmark
from api.ingest.shelfmark import main_heading, shelfmark_of
from api.ingest.subfields import MAIN_ENTRY_TAGS, MainEntry, UnreadableSubfields, read_objects
from db.schema.migrate import alembic_config, migrate
from tests.fix_batch import Send, heading, row
from tests.fix_migrator import Migrator
from tests.fix_postgres import TestDatabase

ODD = ScriptDirectory.from_config(alembic_config()).get_revision("0008").module.ODD
ITEMS = """
INSERT INTO sierra_item (item_record_id, shelfmark_json, shelfmark, updated_at)
SELECT 450971566080 + number, %s, 'OLD', '2026-11-20' FROM generate_series(%s::int, %s::int) AS number
"""
FORGOTTEN = (
    "SELECT count(*) FROM sierra_item WHERE shelfmark_json = '' AND shelfmark = 'OLD' AND updated_at = '2026-11-20'"
)
WAITING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
SHELFMARKS = "SELECT shelfmark FROM sierra_item ORDER BY item_record_id"
MARK = "INSERT INTO update_queue (item_record_id) VALUES (450971566080 + %s)"
NAMES = ("marc_tag", "marc_ind1", "marc_ind2", "tag", "content")
ODD_HEADINGS = ["Чехов", "{u00C4}iti", "&#x410;", "Ⅷ", "a\u0308", "\u200b", "\x98Der\x9c", "\x08", "１Ｑ８４"]
USUAL_HEADINGS = [
    "Heikkilä, Markku,",
    "A user's guide /",
    "Žižek – “Être”",
    "3M {x} &#; \\n",
    "Royce Da 5'9\",",
    "a\tb",
]


def json_of(value: Any) -> str:
    """JSON with its characters as they are."""
    return json.dumps(value, ensure_ascii=False)


@pytest.fixture
def before(empty_database: TestDatabase) -> TestDatabase:
    """A database of the revision before."""
    migrate(empty_database.parameters, "0007")
    return empty_database


@pytest.mark.parametrize("form", [repr, json.dumps, json_of], ids=["repr", "ASCII", "JSON"])
def test_only_what_the_new_rule_may_change_is_forgotten_and_its_letters_stay(before: TestDatabase, form: Any) -> None:
    texts = [f"[{{'content': {form(text)}}}]" for text in [*ODD_HEADINGS, *USUAL_HEADINGS]]
    for number, text in enumerate(texts):
        before.fetch(ITEMS, text, number, number)
    before.fetch(ITEMS, None, 99, 99)
    migrate(before.parameters, "0008")
    left = [text for (text,) in before.fetch("SELECT shelfmark_json FROM sierra_item WHERE shelfmark_json <> ''")]
    assert sorted(left) == sorted(text for text in texts if not re.search(ODD, text)), "Python's re reads it alike"
    assert not set(left) & set(texts[: len(ODD_HEADINGS)])
    assert before.fetch(FORGOTTEN) == [(len(texts) - len(left),)]


def old_shelfmark_of(text: str) -> str:
    """The shelfmark by the rule before."""
    try:
        objects = read_objects(text)
    except UnreadableSubfields:
        return "***"
    entries = [
        MainEntry(one["marc_tag"], one["marc_ind1"], one["marc_ind2"], one["content"])
        for one in objects
        if one["tag"] == "a" and one["marc_tag"] in MAIN_ENTRY_TAGS and one["content"] and one["content"].strip()
    ]
    if (entry := main_heading(entries)) is None:
        return "***"
    content = unicodedata.normalize("NFC", entry.content)
    skips = entry.marc_tag == "245" and entry.ind2 and entry.ind2 in "0123456789"
    content = content[int(entry.ind2 or 0) if skips else 0 :]
    return shelfmark._first_letters(content) or shelfmark._romanised_letters(content[:64]) or "***"


not_odd = [character for character in map(chr, range(0x2100)) if not re.search(ODD, character)]
usual = st.lists(st.sampled_from(not_odd) | st.sampled_from([*" 0Aä\"'\\\n\t\r", "{", "u", "&#x"]), max_size=9).map(
    "".join
)
entries = st.tuples(
    *(st.sampled_from(choice) for choice in (["100", "110", "111", "130", "245"], "0123", "0149 x", "aab")), usual
)
forms = st.sampled_from([repr, json_of])


@given(st.lists(entries.map(lambda entry: dict(zip(NAMES, entry, strict=True))), max_size=4), forms)
@example([dict(zip(NAMES, ("245", "1", "1", "a", "\t“”'9"), strict=True))], repr)
def test_both_rules_agree_on_what_is_not_forgotten(objects: list[dict[str, str]], form: Any) -> None:
    text = form(objects)
    assume(not re.search(ODD, text))
    assert shelfmark_of(text) == old_shelfmark_of(text)


def test_migration_holds_up_no_mark_and_cut_off_it_goes_on_with_what_is_left(before: TestDatabase) -> None:
    before.fetch(ITEMS, heading("Чехов"), 1, 7_000)
    migrator = Migrator(before, "0008")
    with before.connect() as batch, batch.transaction():
        batch.execute("UPDATE sierra_item SET best_title = 'x' WHERE item_record_id = 450971566080 + 6000")
        migrator.start()
        while not (waiting := before.fetch(WAITING)):
            assert migrator.is_alive(), migrator.failed
        assert before.fetch(FORGOTTEN) == [(5_000,)], "each portion is committed, and a batch is waited for"
        before.fetch(MARK, 5_500)
        before.fetch("SELECT pg_terminate_backend(%s)", *waiting[0])
        migrator.join(60)
    assert migrator.failed
    assert before.fetch("SELECT version_num FROM alembic_version") == [("0007",)]
    migrate(before.parameters, "0008")
    assert before.fetch(FORGOTTEN) == [(7_000,)]


def test_shelfmark_whose_subfields_were_forgotten_is_made_anew_by_the_next_batch_and_by_no_older_one(
    send: Send, database: TestDatabase
) -> None:
    send([row(1), row(2)], timestamp="2026-11-20T12:00:00+02:00")
    database.fetch("UPDATE sierra_item SET shelfmark_json = '', shelfmark = 'OLD' WHERE item_number = '1000001'")
    send([row(1), row(2)], timestamp="2026-11-20T11:00:00+02:00")
    assert database.fetch(SHELFMARKS) == [("OLD",), ("WAL",)]
    assert send([row(1), row(2)], timestamp="2026-11-20T13:00:00+02:00").json()["written"] == 1
    assert database.fetch(SHELFMARKS) == [("WAL",), ("WAL",)]
