"""Each fault of SierraDNA, as the library's login meets it, and its end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import errors

from sandbox.catalogue import call_number_field
from sandbox.dna_bibs import var_field
from sandbox.dna_standby import LaggingStandby
from sandbox.quirks import Refused
from tests.fix_dna import ITEMS, DnaInThread, bib_key, item_key
from tests.fix_postgres import memory
from tests.fix_sierra import SierraInThread

ITEM = ITEMS[0]
NUMBER, KEY = str(ITEM.number), item_key(ITEM)
BIB, BIB_KEY = str(ITEM.bibs[0].number), bib_key(ITEM)
CALL_NUMBER = "SELECT content FROM sierra_view.subfield WHERE record_id = %s AND field_type_code = 'c'"
TITLE = "SELECT best_title FROM sierra_view.bib_record_property WHERE bib_record_id = %s"
BARCODE = "SELECT barcode FROM sierra_view.item_record_property WHERE item_record_id = %s"
NOW = datetime(2026, 11, 20, 10, 0, 5, tzinfo=UTC)


def edit(sierra: SierraInThread, text: str) -> None:
    sierra.edit(NUMBER, {"varFields": [call_number_field(text)]})


def test_a_held_commit_shows_later_with_the_stamp_of_its_time(dna: DnaInThread, sierra: SierraInThread) -> None:
    sierra._sierra.records.now = lambda: NOW
    before = dna.stamp(KEY)
    dna.fault(commits_held=True)
    edit(sierra, "85.2")
    edit(sierra, "85.25")
    assert (dna.stamp(KEY), dna.fetch(CALL_NUMBER, KEY)) == (before, [("84.2 Jännitys",)])
    assert dna.do(lambda real: real.held) == 2
    sierra._sierra.records.now = lambda: NOW + timedelta(minutes=5)
    dna.fault()
    assert (dna.stamp(KEY), dna.fetch(CALL_NUMBER, KEY)) == (NOW, [("85.25",)])


@pytest.mark.parametrize("seconds", [120, -120])
def test_the_clock_that_stamps_may_be_ahead_or_behind(dna: DnaInThread, sierra: SierraInThread, seconds: float) -> None:
    sierra._sierra.records.now = lambda: NOW
    dna.fault(clock_seconds=seconds)
    edit(sierra, "85.2")
    assert dna.stamp(KEY) == NOW + timedelta(seconds=seconds)


def test_property_rows_may_come_late(dna: DnaInThread, sierra: SierraInThread) -> None:
    before, title = dna.one(TITLE, BIB_KEY), var_field("t", "245", "1", "0", ("a", "Uusi nimi"))
    dna.fault(properties_held=True)
    dna.do(lambda real: real.edit_bib(BIB, [title]))
    sierra.edit(NUMBER, {"varFields": [{"fieldTag": "b", "content": "33010012345678"}]})
    new = "SELECT content FROM sierra_view.subfield WHERE record_id = %s AND marc_tag = '245' AND tag = 'a'"
    assert dna.one(new, BIB_KEY) == "Uusi nimi"
    assert (dna.one(TITLE, BIB_KEY), dna.one(BARCODE, KEY)) == (before, ITEM.barcode)
    dna.fault()
    assert (dna.one(TITLE, BIB_KEY), dna.one(BARCODE, KEY)) == ("Uusi nimi", "33010012345678")
    entries = "SELECT record_id FROM sierra_view.phrase_entry WHERE index_tag || index_entry = %s"
    assert dna.fetch(entries, f"b{ITEM.barcode}") == []
    assert dna.fetch(entries, "b33010012345678") == [(KEY,)]


def test_a_slow_view_meets_the_statements_time_out_and_fewer_rows_do_not(dna: DnaInThread) -> None:
    some = "SELECT count(*) FROM sierra_view.item_record WHERE record_id = ANY(%s)"
    keys = [item_key(item) for item in ITEMS]
    dna.fault(slow_views={"item_record": 0.05}, statement_timeout_seconds=0.5)
    with pytest.raises(errors.QueryCanceled, match="statement timeout"):
        dna.one(some, keys)
    assert dna.one(some, keys[:2]) == 2
    dna.fault()
    assert dna.one(some, keys) == 50
    assert dna.one("SHOW statement_timeout") == "10min"


def test_the_logins_sessions_may_be_used_up(dna: DnaInThread) -> None:
    dna.fault(connection_limit=0)
    with pytest.raises(psycopg.OperationalError, match='too many connections for role "signum_dna"'):
        dna.connect()
    dna.fault()
    dna.connect().close()


def test_a_view_may_be_empty_and_is_whole_again(dna: DnaInThread) -> None:
    count = "SELECT count(*) FROM sierra_view.item_record"
    dna.fault(empty_views=("item_record", "subfield"))
    assert dna.one(count) == 0
    assert dna.fetch(CALL_NUMBER, KEY) == []
    dna.fault()
    assert dna.one(count) == 51
    with pytest.raises(LookupError, match="no such view: shelf"):
        dna.fault(empty_views=("shelf",))


def test_rights_on_a_view_may_be_lost_and_given_back(dna: DnaInThread) -> None:
    dna.fault(forbidden_views=("subfield",))
    with pytest.raises(errors.InsufficientPrivilege):
        dna.fetch(CALL_NUMBER, KEY)
    assert dna.one(BARCODE, KEY) == ITEM.barcode
    dna.fault()
    assert dna.fetch(CALL_NUMBER, KEY) == [("84.2 Jännitys",)]


def test_a_restart_ends_sessions_and_sierra_goes_on_behind_it(dna: DnaInThread, sierra: SierraInThread) -> None:
    with dna.connect() as session:
        dna.do(lambda real: real.disconnect())
        with pytest.raises(errors.AdminShutdown):
            session.execute("SELECT 1")
    with dna.connect() as session:
        dna.server.restart()
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    edit(sierra, "85.2")
    assert dna.fetch(CALL_NUMBER, KEY) == [("85.2",)]


def test_without_its_database_sierra_does_nothing(dna: DnaInThread, sierra: SierraInThread) -> None:
    before = sierra.record(NUMBER)
    dna.server.stop()
    try:
        with pytest.raises(Refused) as refused:
            edit(sierra, "85.2")
    finally:
        dna.server.start()
    assert (refused.value.status, sierra.record(NUMBER)) == (503, before)
    assert dna.fetch(CALL_NUMBER, KEY) == [("84.2 Jännitys",)]


def test_sierra_may_be_restored_to_an_earlier_moment(dna: DnaInThread, sierra: SierraInThread) -> None:
    everything = "SELECT id, record_last_updated_gmt, num_revisions, deletion_date_gmt FROM sierra_view.record_metadata"
    edit(sierra, "85.2")
    dna.do(lambda real: real.save_moment())
    record, rows = sierra.record(NUMBER), sorted(dna.fetch(everything))
    edit(sierra, "85.25")
    dna.do(lambda real: real.edit_bib(BIB, []))
    dna.do(lambda real: real.delete_item(str(ITEMS[1].number)))
    dna.do(lambda real: real.restore_moment())
    assert (sierra.record(NUMBER), sorted(dna.fetch(everything))) == (record, rows)
    assert dna.fetch(CALL_NUMBER, KEY) == [("85.2",)]
    edit(sierra, "86.2")
    assert dna.fetch(CALL_NUMBER, KEY) == [("86.2",)]


def test_a_standby_lags_and_says_since_when(dna: DnaInThread, sierra: SierraInThread) -> None:
    with (
        LaggingStandby(dna.server, memory()) as standby,
        psycopg.connect(dna.login, port=standby.port, autocommit=True) as session,
    ):

        def shown() -> Any:
            return session.execute(CALL_NUMBER, [KEY]).fetchone()

        assert session.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
        edit(sierra, "85.2")
        standby.catch_up()
        assert shown() == ("85.2",)
        standby.pause()
        edit(sierra, "85.25")
        standby.receive()
        assert (shown(), dna.fetch(CALL_NUMBER, KEY)) == (("85.2",), [("85.25",)])
        replayed = "SELECT pg_last_xact_replay_timestamp() < now(), pg_last_xact_replay_timestamp() IS NOT NULL"
        assert session.execute(replayed).fetchone() == (True, True)
        with pytest.raises(errors.ReadOnlySqlTransaction):
            session.execute("CREATE TEMP TABLE mine AS SELECT 1")
        standby.resume()
        standby.catch_up()
        assert shown() == ("85.25",)


def test_a_statement_in_the_way_of_a_standbys_replay_is_cancelled(dna: DnaInThread, sierra: SierraInThread) -> None:
    with LaggingStandby(dna.server, memory()) as standby, psycopg.connect(dna.login, port=standby.port) as session:
        standby.set("max_standby_streaming_delay", "0")
        session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        session.execute(CALL_NUMBER, [KEY])
        edit(sierra, "85.2")
        with psycopg.connect(dna.server.dsn("iii"), autocommit=True) as owner:
            owner.execute("VACUUM iiirecord.subfield")  # the version that the session may still read goes
        standby.catch_up()
        with pytest.raises(psycopg.OperationalError, match="conflict with recovery") as cancelled:
            session.execute(CALL_NUMBER, [KEY])
        assert cancelled.value.sqlstate == "40001"
