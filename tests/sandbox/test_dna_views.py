"""SierraDNA's views, and the rights and limits of the library's login, as that login meets them."""

import psycopg
import pytest
from psycopg import errors

from sandbox.dna import SierraDna
from sandbox.postgres import EmbeddedPostgres, PostgresFailed
from sandbox.records import Records
from tests.fix_dna import DnaInThread, make_dna
from tests.fix_sierra import SierraInThread

COLUMNS = """
record_metadata id:bigint record_type_code:char(1) record_num:integer creation_date_gmt:timestamptz
  deletion_date_gmt:date campus_code:varchar(5) agency_code_num:smallint num_revisions:integer
  record_last_updated_gmt:timestamptz previous_last_updated_gmt:timestamptz
item_record id:bigint record_id:bigint icode1:integer icode2:char(1) itype_code_num:smallint location_code:varchar(5)
  agency_code_num:smallint item_status_code:varchar(3) is_inherit_loc:boolean price:numeric(30,6)
  last_checkin_gmt:timestamptz last_checkout_gmt:timestamptz inventory_gmt:timestamptz checkout_total:integer
  renewal_total:integer use3_count:integer internal_use_count:integer copy_use_count:integer copy_num:integer
  item_message_code:char(1) opac_message_code:char(1) virtual_type_code:char(1) holdings_code:char(1)
  last_patron_record_metadata_id:bigint save_itype_code_num:smallint save_location_code:varchar(5)
  save_checkout_total:integer old_location_code:varchar(5) is_suppressed:boolean is_available_at_library:boolean
item_record_property id:bigint item_record_id:bigint call_number:varchar(1000) call_number_norm:varchar(1000)
  barcode:varchar(1000)
item_view id:bigint record_num:integer barcode:varchar(1000) itype_code_num:smallint
  record_creation_date_gmt:timestamptz
bib_record id:bigint record_id:bigint language_code:varchar(3) country_code:varchar(3) bcode1:char(1) bcode3:char(1)
  bcode2:varchar(3) index_change_count:integer skip_num:integer cataloging_date_gmt:timestamptz
  marc_type_code:char(1) is_suppressed:boolean
bib_record_property id:integer bib_record_id:bigint best_title:varchar(1000) best_author:varchar(1000)
  best_title_norm:varchar(1000) best_author_norm:varchar(1000) bib_level_code:varchar(3) material_code:varchar(3)
  publish_year:integer
bib_record_item_record_link id:bigint bib_record_id:bigint item_record_id:bigint items_display_order:integer
  bibs_display_order:integer
varfield id:bigint record_id:bigint varfield_type_code:char(1) marc_tag:varchar(3) marc_ind1:char(1)
  marc_ind2:char(1) occ_num:integer field_content:varchar(20001)
subfield record_id:bigint varfield_id:bigint field_type_code:char(1) marc_tag:varchar(3) marc_ind1:char(1)
  marc_ind2:char(1) occ_num:integer display_order:integer tag:char(1) content:varchar(20001)
varfield_view record_type_code:char(1) record_num:integer field_content:varchar(20001)
subfield_view record_type_code:char(1) record_num:integer content:varchar(20001)
phrase_entry id:bigint record_id:bigint index_tag:varchar(20) varfield_type_code:varchar(20) occurrence:integer
  index_entry:varchar(512) original_content:varchar(1000)
itype_property id:integer code_num:integer
itype_property_name itype_property_id:integer iii_language_id:integer name:varchar(255)
itype_property_myuser code:integer display_order:integer name:varchar(255)
material_property id:integer code:varchar(3) is_public:boolean
material_property_name material_property_id:integer iii_language_id:integer name:varchar(255) facet_text:varchar(500)
material_property_myuser code:varchar(3) display_order:integer is_public:boolean name:varchar(255)
location id:integer code:varchar(5) branch_code_num:integer parent_location_code:varchar(5) is_public:boolean
  is_requestable:boolean
location_name location_id:integer iii_language_id:integer name:varchar(255)
location_myuser code:varchar(5) branch_code_num:integer parent_location_code:varchar(5) is_public:boolean
  name:varchar(255)
"""
TYPES = """SELECT relname, attname, format_type(atttypid, atttypmod)
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relnamespace = 'sierra_view'::regnamespace AND attnum > 0"""
SHORT = {"character varying": "varchar", "character": "char", "timestamp with time zone": "timestamptz"}
STAMP_INDEXES = "SELECT count(*) FROM pg_indexes WHERE indexdef LIKE '%(record_last_updated)'"


def expected() -> set[tuple[str, str, str]]:
    """Each column of the table above, with its view and type."""
    found, view = set(), ""
    for line in COLUMNS.strip().splitlines():
        words = line.split()
        view = view if line.startswith(" ") else words.pop(0)
        found |= {(view, *word.split(":")) for word in words}
    return found  # type: ignore[return-value]


def short(kind: str) -> str:
    name, bracket, width = kind.partition("(")
    return SHORT.get(name, name) + bracket + width


def test_the_views_have_sierras_columns_types_and_widths(shared_dna: DnaInThread) -> None:
    columns = {(view, column, short(kind)) for view, column, kind in shared_dna.fetch(TYPES)}
    assert expected() - columns == set()
    assert {view for view, *_ in columns} == {view for view, *_ in expected()}


def test_the_login_reads_every_view_and_no_base_table(shared_dna: DnaInThread) -> None:
    with shared_dna.connect() as connection:
        for view in sorted({view for view, *_ in expected()}):
            connection.execute(f"SELECT * FROM sierra_view.{view} LIMIT 1")
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute("SELECT * FROM iiirecord.record_metadata")


def test_the_login_may_make_temporary_tables_and_change_nothing(shared_dna: DnaInThread) -> None:
    with shared_dna.connect() as connection:
        connection.execute("CREATE TEMP TABLE mine AS SELECT record_id FROM sierra_view.item_record")
        connection.execute("ANALYZE mine")
        for forbidden in (
            "DELETE FROM sierra_view.item_record",
            "UPDATE sierra_view.item_record_property SET barcode = ''",
            "CREATE TABLE public.mine (id int)",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(forbidden)


def test_a_view_has_no_xmin(shared_dna: DnaInThread) -> None:
    with pytest.raises(errors.UndefinedColumn):
        shared_dna.fetch("SELECT xmin FROM sierra_view.record_metadata")


def test_a_statement_may_take_ten_minutes(shared_dna: DnaInThread) -> None:
    assert shared_dna.one("SHOW statement_timeout") == "10min"


def test_a_sixth_session_of_the_login_is_refused(shared_dna: DnaInThread) -> None:
    shared_dna.wait_until_no_session_is_left()
    sessions = [shared_dna.connect() for _ in range(5)]
    try:
        with pytest.raises(psycopg.OperationalError, match='too many connections for role "signum_dna"'):
            shared_dna.connect()
    finally:
        for session in sessions:
            session.close()
        shared_dna.wait_until_no_session_is_left()


def test_indexes_are_visible_and_those_on_stamps_are_there_only_if_asked_for(
    shared_dna: DnaInThread, sierra: SierraInThread
) -> None:
    by_record = "SELECT count(*) FROM pg_indexes WHERE tablename = 'subfield' AND indexdef LIKE '%(record_id)'"
    assert (shared_dna.one(by_record), shared_dna.one(STAMP_INDEXES)) == (1, 0)
    with EmbeddedPostgres(tcp=True) as server:
        for dna in make_dna(server, sierra, indexes=True):
            assert dna.one(STAMP_INDEXES) == 1


def test_a_server_that_has_such_a_database_is_left_alone(shared_dna: DnaInThread) -> None:
    with (
        pytest.raises(PostgresFailed, match="has a database iii already"),
        SierraDna(shared_dna.server.dsn(), Records(), []),
    ):
        pass
    assert shared_dna.one("SELECT count(*) FROM sierra_view.item_record") == 51


def test_names_are_in_the_language_of_the_login(shared_dna: DnaInThread) -> None:
    mine = "SELECT name FROM sierra_view.itype_property_myuser WHERE code = 300"
    assert shared_dna.one(mine) == "Lautapeli"
    with psycopg.connect(shared_dna.server.dsn("iii")) as other:
        assert other.execute("SELECT name FROM sierra_view.itype_property_myuser WHERE code = 300").fetchone() == (
            "Board game",
        )
    assert shared_dna.one("SELECT count(*) FROM sierra_view.itype_property_name WHERE itype_property_id = 5") == 2


def test_a_barcode_is_found_by_the_index_on_tag_and_entry_together(shared_dna: DnaInThread) -> None:
    one = "SELECT record_id FROM sierra_view.phrase_entry WHERE index_tag || index_entry = 'b33010000000001'"
    assert shared_dna.one(one) >> 32 == ord("i")
    with psycopg.connect(shared_dna.server.dsn("iii")) as owner:
        owner.execute("SET enable_seqscan = off")
        plan = owner.execute(f"EXPLAIN {one}").fetchall()
    assert "Index Cond" in str(plan)
