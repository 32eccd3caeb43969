-- The page of the catalogue: refused rows and held deletions. What the sync itself is at stands in sync_state.sql.


-- name: refused_by_reason
-- The refused rows by kind of reason, the most first, with the last one's sentence. Bounded: a file of another program
-- may have left millions.
SELECT
    reason_code, count(*) AS rows, max(last_at) AS last_at, (array_agg(reason ORDER BY rejected_row_id DESC))[1] AS reason
FROM (
    SELECT rejected_row_id, reason_code, reason, last_at FROM rejected_row ORDER BY rejected_row_id DESC LIMIT 10000
) AS newest
GROUP BY reason_code
ORDER BY rows DESC, reason_code;


-- name: refused_rows
-- The newest refused rows of one kind of reason, with the text of each, cut.
SELECT item_record_id, reason, left(line, 300) AS line, times, first_at, last_at
FROM rejected_row
WHERE reason_code = %(reason_code)s
ORDER BY rejected_row_id DESC
LIMIT %(limit)s;


-- name: held_deletions
-- The deletions that wait for a person, by the day on which Sierra deleted the items; by the index on deletions. The sum
-- of the ids says which they are.
SELECT deletion_held_on, count(*) AS items, sum(item_record_id) AS ids_sum, min(best_title) AS one_title
FROM sierra_item
WHERE deletion_held_on IS NOT NULL AND deleted_on IS NULL
GROUP BY deletion_held_on
ORDER BY deletion_held_on;
