-- Items that a person names, by what is printed on them.


-- name: find_named_items
-- A barcode may stand on several items, and so may (in theory) a number: all of them are found. By number it reads the
-- whole table: only people ask so, and an index would cost each batch.
SELECT item_record_id, item_number, barcode, best_title, classification
FROM sierra_item
WHERE barcode = ANY (%(barcodes)s::text[]) OR item_number = ANY (%(item_numbers)s::text[])
ORDER BY item_record_id;


-- name: list_barcodes
-- The whole catalogue, to tell whether it is the sandbox's own. Without order: sorting would hold all rows back until
-- the last is read.
SELECT item_record_id, barcode FROM sierra_item;
