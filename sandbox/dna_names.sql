-- SierraDNA's tables of codes and their names, its combined views, and its logins. Executed after dna_schema.sql.
--
-- A code that a record has need not be in its table. A name comes in several languages; the views `…_myuser` show it in
-- the language of the session's login, so two logins may see different names.

CREATE TABLE iiirecord.iii_user (name text PRIMARY KEY, iii_language_id integer NOT NULL);
INSERT INTO iiirecord.iii_user VALUES ('signum_dna', 2);  -- 1 English, 2 Finnish

CREATE TABLE iiirecord.itype_property (id integer PRIMARY KEY, code_num integer UNIQUE, display_order integer);
CREATE TABLE iiirecord.itype_property_name (
    itype_property_id integer NOT NULL,
    iii_language_id integer,
    name character varying(255)
);
CREATE VIEW sierra_view.itype_property AS SELECT * FROM iiirecord.itype_property;
CREATE VIEW sierra_view.itype_property_name AS SELECT * FROM iiirecord.itype_property_name;
CREATE VIEW sierra_view.itype_property_myuser AS
SELECT code_num AS code, display_order, name
FROM iiirecord.itype_property LEFT JOIN iiirecord.itype_property_name
    ON itype_property_id = id AND iii_language_id =
        coalesce((SELECT iii_language_id FROM iiirecord.iii_user WHERE iii_user.name = session_user), 1);

CREATE TABLE iiirecord.material_property (
    id integer PRIMARY KEY,
    code character varying(3) UNIQUE,
    display_order integer,
    is_public boolean
);
CREATE TABLE iiirecord.material_property_name (
    material_property_id integer NOT NULL,
    iii_language_id integer,
    name character varying(255),
    facet_text character varying(500)
);
CREATE VIEW sierra_view.material_property AS SELECT * FROM iiirecord.material_property;
CREATE VIEW sierra_view.material_property_name AS SELECT * FROM iiirecord.material_property_name;
CREATE VIEW sierra_view.material_property_myuser AS
SELECT code, display_order, is_public, name
FROM iiirecord.material_property LEFT JOIN iiirecord.material_property_name
    ON material_property_id = id AND iii_language_id =
        coalesce((SELECT iii_language_id FROM iiirecord.iii_user WHERE iii_user.name = session_user), 1);

CREATE TABLE iiirecord.location (
    id integer PRIMARY KEY,
    code character varying(5) UNIQUE,
    branch_code_num integer,
    parent_location_code character varying(5),
    is_public boolean,
    is_requestable boolean
);
CREATE TABLE iiirecord.location_name (
    location_id integer NOT NULL,
    name character varying(255),
    iii_language_id integer
);
CREATE VIEW sierra_view.location AS SELECT * FROM iiirecord.location;
CREATE VIEW sierra_view.location_name AS SELECT * FROM iiirecord.location_name;
CREATE VIEW sierra_view.location_myuser AS
SELECT code, branch_code_num, parent_location_code, is_public, name
FROM iiirecord.location LEFT JOIN iiirecord.location_name
    ON location_id = id AND iii_language_id =
        coalesce((SELECT iii_language_id FROM iiirecord.iii_user WHERE iii_user.name = session_user), 1);

-- The combined views are convenient, and take about three times the tables' time.
CREATE VIEW sierra_view.varfield_view AS
SELECT varfield.id, record_id, record_type AS record_type_code, record_num, field_type_tag AS varfield_type_code,
    marc_tag, marc_ind1, marc_ind2, occ_num, field_content
FROM iiirecord.varfield JOIN iiirecord.record_metadata ON record_metadata.id = record_id;

CREATE VIEW sierra_view.subfield_view AS
SELECT record_id, record_type AS record_type_code, record_num, varfield_id, field_type_code AS varfield_type_code,
    marc_tag, marc_ind1, marc_ind2, occ_num, display_order, tag, content
FROM iiirecord.subfield JOIN iiirecord.record_metadata ON record_metadata.id = record_id;

CREATE VIEW sierra_view.item_view AS
SELECT item_record.id, record_type AS record_type_code, record_num, barcode, icode1, icode2, itype_code_num,
    location_code, item_record.agency_code_num, item_status_code, is_inherit_loc, price, last_checkin_gmt,
    checkout_total, renewal_total, copy_num, last_patron_record_metadata_id, inventory_gmt, use3_count,
    last_checkout_gmt, internal_use_count, copy_use_count, item_message_code, opac_message_code, virtual_type_code,
    holdings_code, old_location_code, is_suppressed, creation_date AS record_creation_date_gmt
FROM iiirecord.item_record
JOIN iiirecord.record_metadata ON record_metadata.id = record_id
LEFT JOIN iiirecord.item_record_property ON item_record_id = record_id;

-- The library's login may read the views, and make temporary tables. Its name and password are the sandbox's own.
CREATE ROLE signum_dna LOGIN PASSWORD 'sandbox-dna' CONNECTION LIMIT 5;
ALTER ROLE signum_dna SET statement_timeout = '10min';  -- the vendor's limit
REVOKE ALL ON DATABASE iii FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE iii TO signum_dna;
GRANT USAGE ON SCHEMA sierra_view TO signum_dna;
GRANT SELECT ON ALL TABLES IN SCHEMA sierra_view TO signum_dna;

-- The names that the sandbox's catalogue needs. Type 299 has no row, and 18's name ends in a blank, as it was typed.
INSERT INTO iiirecord.itype_property (id, code_num, display_order)
VALUES (1, 1, 0), (2, 2, 1), (3, 17, 2), (4, 18, 3), (5, 300, 4);
INSERT INTO iiirecord.itype_property_name (itype_property_id, iii_language_id, name)
VALUES (1, 1, 'Book'), (1, 2, 'Kirja'), (2, 1, 'Book'), (2, 2, 'Kirja'), (3, 1, 'Book'), (3, 2, 'Kirja'),
    (4, 1, 'Audio book '), (4, 2, 'Äänikirja '), (5, 1, 'Board game'), (5, 2, 'Lautapeli');
INSERT INTO iiirecord.material_property (id, code, display_order, is_public) VALUES (1, 'a', 0, true);
INSERT INTO iiirecord.material_property_name (material_property_id, iii_language_id, name)
VALUES (1, 1, 'Book'), (1, 2, 'Kirja');
INSERT INTO iiirecord.location (id, code, branch_code_num, is_public, is_requestable) VALUES (1, 'mainl', 1, true, true);
INSERT INTO iiirecord.location_name (location_id, iii_language_id, name)
VALUES (1, 1, 'Main library'), (1, 2, 'Pääkirjasto');
