-- Items that a person names, by what is printed on them.


-- name: find_named_items
-- A barcode may stand on several items, and so may (in theory) a number: all of them are found. By number it reads the
-- whole table: no index serves it, for only people ask so.
SELECT item_record_id, item_number, barcode, best_title, classification
FROM sierra_item
WHERE barcode = ANY (%(barcodes)s::text[]) OR item_number = ANY (%(item_numbers)s::text[])
ORDER BY item_record_id;


-- name: list_barcodes
-- The whole catalogue, to tell whose it is. In no order: sorting would hold all of it back until the last is read.
SELECT item_record_id, barcode FROM sierra_item;
