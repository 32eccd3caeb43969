"""Deletions and passes, sent to a backend that knows them."""

from datetime import timedelta

from sandbox.dna_bibs import class_field
from tests.etl.recording import KEY, recording
from tests.fix_dna import ITEMS, DnaInThread, item_key
from tests.fix_etl import owner, running, until_rest

ITEM, OTHER = ITEMS[0], ITEMS[1]
NUMBER, ITEM_KEY = str(ITEM.number), item_key(ITEM)
KEYS = sorted(map(item_key, ITEMS))
STEPS = ["changes", "deletions"]


def test_a_deleted_item_is_told_with_its_day_and_the_position_stays(dna: DnaInThread) -> None:
    position, today = dna.fetch("SELECT now(), current_date")[0]
    dna.do(lambda real: real.delete_item(NUMBER))
    with (
        recording(timestamp=position, passed_at=position.isoformat(), items={ITEM_KEY: {}}) as backend,
        running(dna, backend.url, KEY) as etl,
    ):
        assert until_rest(etl) == STEPS
        changes, deletions = backend.batches
        assert backend.deleted == {ITEM_KEY: today.isoformat()}
        assert deletions.fields["changes_until"] == deletions.fields["changes_since"] == changes.fields["changes_until"]
        assert backend.deletions_since == today.isoformat()
        assert list(deletions.rows[0])[-1] == "deleted_on"
        assert backend.timestamp == changes.time("timestamp")


def test_deleted_late_on_the_day_before_by_local_time_is_seen(dna: DnaInThread) -> None:
    today = dna.one("SELECT current_date")
    with owner(dna) as session:
        session.execute(
            "UPDATE iiirecord.record_metadata SET deletion_date = %s WHERE id = %s",
            (today - timedelta(days=1), ITEM_KEY),
        )
    with (
        recording(deletions_since=today.isoformat(), passed_at=f"{today}T23:00:00+00:00") as backend,
        running(dna, backend.url, KEY) as etl,
    ):
        assert until_rest(etl) == STEPS
        assert backend.batches[1].ids == [ITEM_KEY]


def test_what_was_deleted_long_ago_and_at_other_libraries_is_not_told(dna: DnaInThread) -> None:
    with recording(passed_at=f"{dna.one('SELECT now()').isoformat()}") as backend:
        with running(dna, backend.url, KEY) as etl:
            assert until_rest(etl) == STEPS
        assert backend.batches[1].rows == []


def test_an_old_backend_gets_no_tombstones(dna: DnaInThread) -> None:
    dna.do(lambda real: real.delete_item(NUMBER))
    with recording(accepts=()) as backend, running(dna, backend.url, KEY) as etl:
        assert until_rest(etl) == ["changes"]
        assert all("deleted_on" not in row for batch in backend.batches for row in batch.rows)


def test_an_empty_view_deletes_nothing_by_itself(dna: DnaInThread) -> None:
    """The file of the range is empty: the backend holds such a one, and the ETL claims no deletion."""
    dna.fault(empty_views=("record_metadata", "item_record"))
    with recording() as backend, running(dna, backend.url, KEY) as etl:
        assert until_rest(etl) == [*STEPS, "pass page"]
        assert [batch.rows for batch in backend.batches] == [[], [], []]


def test_a_pass_sends_every_living_item_in_ranges_that_follow_each_other(dna: DnaInThread) -> None:
    with recording() as backend, running(dna, backend.url, KEY) as etl:
        etl._sizes = type(etl._sizes)(chunk=7, part=20)
        assert until_rest(etl) == [*STEPS, "pass page", "pass page", "pass page"]
        ranges = [batch.fields for batch in backend.batches[2:]]
        assert [len(batch.rows) for batch in backend.batches[2:]] == [20, 20, 10]
        edges = [(int(one["all_from_id"]), int(one["all_to_id"])) for one in ranges]
        assert edges == [(0, KEYS[19]), (KEYS[19], KEYS[39]), (KEYS[39], (1 << 63) - 1)]
        assert [one.get("pass_complete") for one in ranges] == [None, None, "true"]
        assert sorted(backend.items) == KEYS
        assert backend.timestamp == backend.batches[0].time("timestamp")
        assert until_rest(etl) == []


def test_the_further_columns_come_to_a_backend_that_knows_additions(dna: DnaInThread) -> None:
    dna.do(lambda real: real.edit_bib(str(ITEM.bibs[0].number), [class_field("84.2")]))
    with recording() as backend, running(dna, backend.url, KEY) as etl:
        until_rest(etl)
        row = backend.items[ITEM_KEY]
        assert row["item_call_number"] == ITEM.record().call_numbers()[0]
        assert (row["location_code"], row["location_name"]) == ("mainl", "Pääkirjasto")
        assert row["item_updated_at"] == dna.stamp(ITEM_KEY).isoformat()
