"""Bad days of SierraDNA, and wrong settings, at the real backend: nothing is lost, and nothing that lives is deleted.

Each day ends with the oracle's catalogue. Files with NUL, which no SierraDNA can hold, are in tests/api/ingest.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from etl.errors import SierraIsEmpty
from etl.plan import Done
from etl.service import Etl
from sandbox.catalogue import Item, call_number_field
from sandbox.dna import SierraDna
from sandbox.dna_bibs import class_field, var_field
from sandbox.etl import Etl as DeployedEtl
from sandbox.etl import Row, next_batch
from tests.fix_dna import ITEMS, DnaInThread, item_key
from tests.fix_dna_oracle import expected_rows
from tests.fix_etl import owner, running, until_rest
from tests.fix_real_backend import SEEN, RealBackend
from tests.fix_sierra import SierraInThread

ITEM, OTHER, THIRD = ITEMS[:3]
NUMBER, BIB = str(ITEM.number), str(ITEM.bibs[0].number)
WITH_BARCODE = "SELECT item_record_id FROM sierra_item WHERE barcode = %s AND deleted_on IS NULL"
HELD = "SELECT deletions_held FROM sync_overview"
ROWS = "SELECT item_record_id, xmin::text FROM sierra_item ORDER BY 1"
CHANGED = """SELECT item_record_id FROM sierra_view.bib_record_item_record_link
    JOIN sierra_view.record_metadata ON record_metadata.id IN (item_record_id, bib_record_id)
    WHERE record_last_updated_gmt >= %s"""
TITLE = "A\ttab, \"quotes\", 'more', a\rCR,\na LF,\r\nboth, \\n, \x01\x1b, \u2028, \u0098Der \u009c, 📚"


@pytest.fixture
def etl(dna: DnaInThread, real_backend: RealBackend) -> Iterator[Etl]:
    """An ETL that has brought all items."""
    with running(dna, real_backend.url, real_backend.key) as etl:
        until_rest(etl)
        yield etl


def oracle(dna: DnaInThread) -> list[list[Any]]:
    with dna.connect() as session:
        return [[row[name] for name in SEEN] for row in expected_rows(session)]


def look(etl: Etl) -> None:
    """Have it look for all that is due once its intervals are over."""
    etl.done = Done()
    until_rest(etl)


def compare(etl: Etl) -> None:
    """Have it compare all items, with the names of types as they are now."""
    etl._reader._names = None
    etl.begin_pass()
    until_rest(etl)


def edit(sierra: SierraInThread, number: str, text: str) -> None:
    sierra.edit(number, {"varFields": [call_number_field(text)]})


def edit_class(dna: DnaInThread, item: Item, text: str) -> None:
    dna.do(lambda real: real.edit_bib(str(item.bibs[0].number), [class_field(text)]))


@contextmanager
def changed_login(dna: DnaInThread, change: str, back: str) -> Iterator[None]:
    """The login's next sessions are other ones."""
    with owner(dna) as session:
        session.execute(change.encode())
        dna.do(SierraDna.disconnect)
        try:
            yield
        finally:
            session.execute(back.encode())
            dna.do(SierraDna.disconnect)


def test_a_wrong_campus_deletes_nothing_and_ends_no_catalogue(
    etl: Etl, dna: DnaInThread, real_backend: RealBackend
) -> None:
    before = real_backend.living()
    with running(dna, real_backend.url, real_backend.key, etl_campus_code="wrong") as wrong:
        compare(wrong)
        assert real_backend.database.fetch(HELD) == [(len(ITEMS),)]
        real_backend.database.fetch("UPDATE sync_state SET full_sync_requested_at = now()")
        with pytest.raises(SierraIsEmpty, match="ETL_CAMPUS_CODE 'wrong'"):
            look(wrong)
    assert real_backend.living() == before
    compare(etl)
    assert real_backend.database.fetch(HELD) == [(0,)]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_the_zone_of_the_login_changes_no_row_and_hides_no_change(
    etl: Etl, dna: DnaInThread, sierra: SierraInThread, real_backend: RealBackend, zone: str
) -> None:
    before = dict(real_backend.database.fetch(ROWS))
    with (
        changed_login(dna, f"ALTER ROLE signum_dna SET timezone = '{zone}'", "ALTER ROLE signum_dna RESET timezone"),
        running(dna, real_backend.url, real_backend.key) as elsewhere,
    ):
        compare(elsewhere)
        assert dict(real_backend.database.fetch(ROWS)) == before
        edit(sierra, str(OTHER.number), "99.1")
        edit_class(dna, THIRD, "99.2")
        dna.do(lambda real: real.delete_item(NUMBER))
        look(elsewhere)
        assert real_backend.living() == oracle(dna)


def test_a_login_of_another_language_brings_other_names_and_nothing_else_and_the_right_one_brings_them_back(
    etl: Etl, dna: DnaInThread, real_backend: RealBackend
) -> None:
    before, names = real_backend.living(), SEEN.index("item_type_name")
    with (
        changed_login(
            dna,
            "UPDATE iiirecord.iii_user SET iii_language_id = 1",
            "UPDATE iiirecord.iii_user SET iii_language_id = 2",
        ),
        running(dna, real_backend.url, real_backend.key) as elsewhere,
    ):
        compare(elsewhere)
        others = real_backend.living()
        assert others != before
        assert [row[:names] + row[names + 1 :] for row in others] == [row[:names] + row[names + 1 :] for row in before]
    with running(dna, real_backend.url, real_backend.key) as again:
        compare(again)
    assert real_backend.living() == before


def test_a_restored_backup_is_followed_by_the_next_comparison_of_all(
    etl: Etl, dna: DnaInThread, sierra: SierraInThread, real_backend: RealBackend
) -> None:
    """An edit is undone, a deleted item lives again, and a new one is no more."""
    before = real_backend.living()
    dna.do(SierraDna.save_moment)
    edit_class(dna, ITEM, "99.1")
    dna.do(lambda real: real.delete_item(str(OTHER.number)))
    sierra.add(replace(sierra.record(str(THIRD.number)), number="2099999", var_fields=[]))
    look(etl)
    assert real_backend.living() == oracle(dna) != before
    dna.do(SierraDna.restore_moment)
    etl._dna.close()  # the restore ended its session
    compare(etl)
    assert real_backend.living() == oracle(dna) == before


def test_edited_and_deleted_on_one_day_it_is_deleted_and_its_barcode_is_that_of_the_new_item(
    etl: Etl, dna: DnaInThread, sierra: SierraInThread, real_backend: RealBackend
) -> None:
    old = sierra.record(NUMBER)
    edit(sierra, NUMBER, "99.1")
    look(etl)
    edit(sierra, NUMBER, "99.2")
    dna.do(lambda real: real.delete_item(NUMBER))
    sierra.add(replace(old, number="2099999"))
    look(etl)
    assert real_backend.database.fetch(WITH_BARCODE, ITEM.barcode) == [(item_key("2099999"),)]
    assert real_backend.living() == oracle(dna)
    look(etl)
    assert real_backend.database.fetch(WITH_BARCODE, ITEM.barcode) == [(item_key("2099999"),)]


def test_a_title_of_tabs_quotes_line_ends_and_control_characters_comes_whole(
    etl: Etl, dna: DnaInThread, real_backend: RealBackend
) -> None:
    title = var_field("t", "245", "1", "0", ("a", TITLE), ("b", TITLE))
    author = var_field("a", "100", "1", " ", ("a", "Waltari\rMika"))  # without a quote, for which all would be quoted
    dna.do(lambda real: real.edit_bib(BIB, [author, title]))
    look(etl)
    stored = real_backend.living()
    assert stored == oracle(dna)
    assert (item_key(ITEM), TITLE) in [(row[0], row[SEEN.index("best_title")]) for row in stored]
    assert real_backend.database.fetch("SELECT FROM rejected_row") == []


def test_headings_without_end_keep_no_other_item_back(etl: Etl, dna: DnaInThread, real_backend: RealBackend) -> None:
    headings = [var_field("b", "110", "2", " ", ("a", "ä" * 20_001))] * 30
    dna.do(lambda real: real.edit_bib(BIB, [class_field("99.1"), *headings]))
    edit_class(dna, OTHER, "99.2")
    look(etl)
    classes = {row[0]: row[SEEN.index("classification")] for row in real_backend.living()}
    assert (classes[item_key(ITEM)], classes[item_key(OTHER)]) == ("99.1", "99.2")


@pytest.mark.parametrize("stamp", ["infinity", "0044-03-15 BC"])
def test_a_stamp_that_no_calendar_has_keeps_no_other_item_back(
    etl: Etl, dna: DnaInThread, real_backend: RealBackend, stamp: str
) -> None:
    with owner(dna) as session:
        for column, item in (("record_last_updated", ITEM), ("deletion_date", THIRD)):
            update = f"UPDATE iiirecord.record_metadata SET {column} = %s WHERE id = %s"
            session.execute(update.encode(), (stamp, item_key(item)))
    edit_class(dna, OTHER, "99.2")
    look(etl)
    compare(etl)
    classes = {row[0]: row[SEEN.index("classification")] for row in real_backend.living()}
    assert [classes.get(item_key(item)) for item in (OTHER, THIRD)] == ["99.2", None]
    assert item_key(ITEM) in classes


class Deployed:
    """The deployed ETL, reading the test's SierraDNA: no overlap, no deletions, no additions of ours."""

    def __init__(self, dna: DnaInThread, backend: RealBackend) -> None:
        self.dna, self.http = dna, DeployedEtl(backend.url, backend.key)

    def read(self, wanted: dict[str, Any]) -> tuple[list[Row], Any]:
        """The batch that answers the offer, and SierraDNA's clock."""
        with self.dna.connect() as session:
            ((now,),) = session.execute("SELECT now()").fetchall()
            rows = expected_rows(session)
            if wanted["sync_mode"] == "SYNC_FULL":
                return next_batch(rows, wanted["last_synced_id"], wanted["batch_size"]), now
            changed = {key for (key,) in session.execute(CHANGED, (wanted["timestamp"],))}
        return [row for row in rows if row["item_record_id"] in changed], now


def test_the_deployed_etl_and_ours_at_once_lose_no_change_and_delete_nothing_that_lives(
    dna: DnaInThread, sierra: SierraInThread, real_backend: RealBackend
) -> None:
    """Each asks before the other has sent, in the full sync and after it; the deployed one sends last."""
    deployed = Deployed(dna, real_backend)
    with running(dna, real_backend.url, real_backend.key) as etl:
        for turn, item in enumerate([item for item in ITEMS if item.bibs][:12]):
            batch = deployed.read(deployed.http.ask())
            edit(sierra, str(item.number), f"99.{turn}")
            edit_class(dna, item, f"9{turn}")
            etl.done = replace(etl.done, changes_at=Done().changes_at, deletions_at=Done().deletions_at)
            etl.round()
            deployed.http.send(*batch)
        dna.do(lambda real: real.delete_item(NUMBER))
        look(etl)
        deployed.http.send(*deployed.read(deployed.http.ask()))
        look(etl)
        classes = SEEN.index("classification")
        assert [(row[0], row[1], row[classes]) for row in real_backend.living()] == [
            (row[0], row[1], row[classes]) for row in oracle(dna)
        ]
        compare(etl)
        assert real_backend.living() == oracle(dna)
    deployed.http.close()
