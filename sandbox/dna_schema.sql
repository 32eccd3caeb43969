-- SierraDNA: Sierra's own PostgreSQL, database `iii`, as a library's login meets it.
--
-- Base tables lie in schema iiirecord, which such a login may not read; what it reads are the views of sierra_view. A view
-- has no xmin, so changes can't be followed by transaction id. Names, types and widths of the views are those that
-- https://github.com/unt-libraries/catalog-api (django/sierra/base/models.py) and a SQLAlchemy model generated from a
-- production system agree on. Base names that public queries show are used (record_type, record_last_updated,
-- field_type_tag, field_group_tag); the other base columns are called as in the view.
--
-- Of the 300 views these are the ones that an ETL of items may need. Indexes are visible in pg_indexes, although the
-- tables are not (https://ils-underground.github.io/sierra-sql-tips.html); which ones a site has differs.

CREATE SCHEMA iiirecord;
CREATE SCHEMA sierra_view;

-- Every record of any kind. A deleted one keeps this row and loses all others; its last stamp stays, or is NULL.
-- deletion_date is a day of the server's local calendar, in spite of the view's `_gmt`.
CREATE TABLE iiirecord.record_metadata (
    id bigint PRIMARY KEY,  -- 16 bits campus, 16 bits record type, 32 bits record_num
    record_type character(1) NOT NULL,
    record_num integer NOT NULL,  -- once per record type and campus, so not unique by itself
    creation_date timestamp with time zone,
    deletion_date date,
    campus_code character varying(5) NOT NULL DEFAULT '',  -- empty: our own; else another library's (a virtual record)
    agency_code_num smallint NOT NULL DEFAULT 0,
    num_revisions integer NOT NULL DEFAULT 0,
    record_last_updated timestamp with time zone,  -- set by the application: the row is visible later, at the commit
    previous_last_updated timestamp with time zone
);
CREATE INDEX ON iiirecord.record_metadata (record_type, record_num);

CREATE VIEW sierra_view.record_metadata AS
SELECT id, record_type AS record_type_code, record_num, creation_date AS creation_date_gmt,
    deletion_date AS deletion_date_gmt, campus_code, agency_code_num, num_revisions,
    record_last_updated AS record_last_updated_gmt, previous_last_updated AS previous_last_updated_gmt
FROM iiirecord.record_metadata;

-- An item's fixed fields. `id` and `record_id` are record_metadata.id; join on record_id.
CREATE TABLE iiirecord.item_record (
    id bigint PRIMARY KEY,
    record_id bigint NOT NULL UNIQUE,
    icode1 integer,
    icode2 character(1),
    itype_code_num smallint,  -- above 255 too; its name may be missing
    location_code character varying(5),
    agency_code_num smallint,
    item_status_code character varying(3),
    is_inherit_loc boolean,
    price numeric(30, 6),
    last_checkin_gmt timestamp with time zone,
    checkout_total integer,
    renewal_total integer,
    last_year_to_date_checkout_total integer,
    year_to_date_checkout_total integer,
    is_bib_hold boolean,
    copy_num integer,
    checkout_statistic_group_code_num integer,
    last_patron_record_metadata_id bigint,  -- a borrower
    inventory_gmt timestamp with time zone,
    checkin_statistics_group_code_num integer,
    use3_count integer,
    last_checkout_gmt timestamp with time zone,
    internal_use_count integer,
    copy_use_count integer,
    item_message_code character(1),
    opac_message_code character(1),
    virtual_type_code character(1),
    virtual_item_central_code_num integer,
    holdings_code character(1),
    save_itype_code_num smallint,
    save_location_code character varying(5),
    save_checkout_total integer,
    old_location_code character varying(5),
    distance_learning_status smallint,
    is_suppressed boolean,  -- computed from icode2
    is_available_at_library boolean
);
CREATE VIEW sierra_view.item_record AS SELECT * FROM iiirecord.item_record;

-- A product of indexing: the row may be missing, and its barcode one that the item's fields no longer have.
CREATE TABLE iiirecord.item_record_property (
    id bigint PRIMARY KEY,
    item_record_id bigint NOT NULL UNIQUE,
    call_number character varying(1000),
    call_number_norm character varying(1000),
    barcode character varying(1000)
);
CREATE VIEW sierra_view.item_record_property AS SELECT * FROM iiirecord.item_record_property;

CREATE TABLE iiirecord.bib_record (
    id bigint PRIMARY KEY,
    record_id bigint NOT NULL UNIQUE,
    language_code character varying(3),
    bcode1 character(1),
    bcode2 character varying(3),
    bcode3 character(1),
    country_code character varying(3),
    index_change_count integer,
    is_on_course_reserve boolean,
    is_right_result_exact boolean,
    allocation_rule_code character(1),
    skip_num integer,
    cataloging_date_gmt timestamp with time zone,
    marc_type_code character(1),
    is_suppressed boolean  -- computed from bcode3
);
CREATE VIEW sierra_view.bib_record AS SELECT * FROM iiirecord.bib_record;

-- Another product of indexing.
CREATE TABLE iiirecord.bib_record_property (
    id integer PRIMARY KEY,
    bib_record_id bigint NOT NULL UNIQUE,
    best_title character varying(1000),
    bib_level_code character varying(3),
    material_code character varying(3),
    publish_year integer,
    best_title_norm character varying(1000),
    best_author character varying(1000),
    best_author_norm character varying(1000)
);
CREATE VIEW sierra_view.bib_record_property AS SELECT * FROM iiirecord.bib_record_property;

-- An item may have no bib, one, or several. Whether a link that comes or goes moves a stamp at a library is not known in
-- public; here it moves none.
CREATE TABLE iiirecord.bib_record_item_record_link (
    id bigint PRIMARY KEY,
    bib_record_id bigint NOT NULL,
    item_record_id bigint NOT NULL,
    items_display_order integer,
    bibs_display_order integer
);
CREATE INDEX ON iiirecord.bib_record_item_record_link (bib_record_id);
CREATE INDEX ON iiirecord.bib_record_item_record_link (item_record_id);
CREATE VIEW sierra_view.bib_record_item_record_link AS SELECT * FROM iiirecord.bib_record_item_record_link;

-- A variable-length field, whole: `|aText|bmore`, as it was entered. Without a MARC tag there are no subfields.
CREATE TABLE iiirecord.varfield (
    id bigint PRIMARY KEY,
    record_id bigint NOT NULL,
    field_type_tag character(1),
    marc_tag character varying(3),
    marc_ind1 character(1),
    marc_ind2 character(1),
    occ_num integer,
    field_content character varying(20001)
);
CREATE INDEX ON iiirecord.varfield (record_id);
CREATE VIEW sierra_view.varfield AS
SELECT id, record_id, field_type_tag AS varfield_type_code, marc_tag, marc_ind1, marc_ind2, occ_num, field_content
FROM iiirecord.varfield;

-- The same, a row per subfield. A field that has none is one row: `tag` NULL, the whole content.
CREATE TABLE iiirecord.subfield (
    record_id bigint NOT NULL,
    varfield_id bigint NOT NULL,
    field_type_code character(1),
    marc_tag character varying(3),
    marc_ind1 character(1),
    marc_ind2 character(1),
    occ_num integer,
    display_order integer,
    tag character(1),
    content character varying(20001)
);
CREATE INDEX ON iiirecord.subfield (record_id);
CREATE INDEX ON iiirecord.subfield (varfield_id);
CREATE VIEW sierra_view.subfield AS SELECT * FROM iiirecord.subfield;

-- What the staff's search looks in; here the items' barcodes alone. It is fast only for a condition on
-- `index_tag || index_entry`. The vendor warns that its contents may change.
CREATE TABLE iiirecord.phrase_entry (
    id bigint PRIMARY KEY,
    record_key bigint NOT NULL,
    index_tag character varying(20),
    field_group_tag character varying(20),
    occurrence integer,
    index_entry character varying(512),
    original_content character varying(1000)
);
CREATE INDEX ON iiirecord.phrase_entry ((index_tag::text || index_entry::text));
CREATE INDEX ON iiirecord.phrase_entry (record_key);
CREATE VIEW sierra_view.phrase_entry AS
SELECT id, record_key AS record_id, index_tag, field_group_tag AS varfield_type_code, occurrence, index_entry,
    original_content
FROM iiirecord.phrase_entry;
