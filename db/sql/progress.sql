-- The progress of the whole relabelling.


-- name: take_turn
-- Be the one that counts, until the transaction ends: true if the last count is ten minutes old and no other notifier
-- is counting. The lock's number is "PROG" in ASCII.
SELECT
    NOT EXISTS (SELECT FROM progress_count WHERE counted_at > now() - interval '10 minutes')
    AND pg_try_advisory_xact_lock(1347571527) AS taken;


-- name: clear_counts
-- The old counts are read until the transaction commits.
DELETE FROM progress_count;


-- name: count
-- All living items, by collection. Each half reads an index of its own, and not the table: sierra_item_progress_idx, and
-- sierra_item_unclassified_idx.
INSERT INTO progress_count (location, item_type, material, done, to_do, without_classification, unknown)
SELECT
    coalesce(location_name, ''), coalesce(item_type_name, ''), coalesce(material_name, ''),
    sum(done), sum(to_do), sum(without_classification), sum(unknown)
FROM (
    SELECT
        location_name, item_type_name, material_name,
        count(*) FILTER (WHERE is_relabelled) AS done,
        count(*) FILTER (WHERE NOT is_relabelled) AS to_do,
        0 AS without_classification,
        count(*) FILTER (WHERE is_relabelled IS NULL) AS unknown
    FROM sierra_item
    WHERE deleted_on IS NULL AND classification IS NOT NULL
    GROUP BY location_name, item_type_name, material_name
    UNION ALL
    SELECT location_name, item_type_name, material_name, 0, 0, count(*), 0
    FROM sierra_item
    WHERE deleted_on IS NULL AND classification IS NULL
    GROUP BY location_name, item_type_name, material_name
) AS counted
GROUP BY 1, 2, 3;


-- name: days_to_add_up
-- The days from the last that was added up to today. The day before it as well: what was logged at its end may have been
-- committed after the count. With no day yet: from the beginning of history.
SELECT
    coalesce(
        (SELECT max(day) - 1 FROM progress_day),
        (SELECT (finished_at AT TIME ZONE 'UTC')::date FROM update_log ORDER BY update_log_id LIMIT 1)
    ) AS first_day,
    (now() AT TIME ZONE 'UTC')::date AS today;


-- name: add_up
-- The pushes of the week from `first_day` on. Added up again, a day can only grow: of the oldest one, history may have
-- been pruned meanwhile.
INSERT INTO progress_day AS kept (day, desk, pushed, relabelled)
SELECT
    (l.finished_at AT TIME ZONE 'UTC')::date, coalesce(c.client_name, ''), count(*),
    count(*) FILTER (WHERE l.call_number_before IS DISTINCT FROM l.call_number_after)
FROM update_log l
LEFT JOIN client c ON c.client_name = l.queued_by AND c.client_type = 'signum-printer'
WHERE l.outcome = 'pushed'
    AND l.revert_of IS NULL
    AND l.finished_at >= %(first_day)s::date::timestamp AT TIME ZONE 'UTC'
    AND l.finished_at < (%(first_day)s::date + 7)::timestamp AT TIME ZONE 'UTC'
GROUP BY 1, 2
ORDER BY 1, 2
ON CONFLICT (day, desk) DO UPDATE SET
    pushed = greatest(kept.pushed, excluded.pushed),
    relabelled = greatest(kept.relabelled, excluded.relabelled)
WHERE excluded.pushed > kept.pushed OR excluded.relabelled > kept.relabelled;


-- name: overview
-- How much is done, the pace, and when it ends.
SELECT
    counted_at, done, to_do, without_classification, unknown, pushed, relabelled, first_day, a_day::float8 AS a_day,
    ends_on, no_end_because
FROM progress_overview;


-- name: collections
-- The counts by those of the three that are asked for, the most to do first.
SELECT
    CASE WHEN %(by_location)s THEN location END AS location,
    CASE WHEN %(by_item_type)s THEN item_type END AS item_type,
    CASE WHEN %(by_material)s THEN material END AS material,
    sum(done)::bigint AS done,
    sum(to_do)::bigint AS to_do,
    sum(without_classification)::bigint AS without_classification,
    sum(unknown)::bigint AS unknown,
    max(counted_at) AS counted_at
FROM progress_count
GROUP BY 1, 2, 3
ORDER BY sum(to_do) + sum(unknown) DESC, 1, 2, 3;


-- name: days
-- What each desk had written, the last days first.
SELECT day, desk, pushed, relabelled
FROM progress_day
WHERE day > (now() AT TIME ZONE 'UTC')::date - %(days)s::integer
ORDER BY day DESC, desk;
