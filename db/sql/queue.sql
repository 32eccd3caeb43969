-- The queue protocol, in the order that one item lives it. An item enters by a mark (db/marks.py).
--
-- All times are the database's. No transaction is open while we talk to Sierra: claim and commit, push, finish.
-- A claim is known by its notifier and its lease: what comes of an older one changes nothing.
-- Statements on many rows lock them in item_record_id order, so that no two of them wait for each other for ever.
--
-- A write that had no answer may be done late, on top of a newer one. Its row keeps a lease without a holder until two
-- time-outs after the write was sent (keep_seconds from now): no claim takes it before, and a mark leaves it. From then on
-- unanswered_at has the row looked at again, until late_seconds have passed since and one more claim has read Sierra. It
-- stays until the row goes: a person who dismisses the item is to know it.


-- name: claim
-- Take what is due, the print stations' first, and lend it to us until the lease lapses; with the items as they are now.
-- One index scan per priority: `now()` can bound it (`clock_timestamp()` could not). Each takes what the ones before
-- left of the limit, so that no row is locked that is not claimed; MATERIALIZED: each runs once.
-- `newest`: instead, the latest of a random priority: a sample from the other end, where the first ones fail.
-- ARRAY: the planner then expects a few rows; of an unknown LIMIT it expects a tenth of the queue, and reads all of it.
-- A row that was rejected before starts its attempts anew; they never outgrow their column. While paused nothing is due.
-- A row that was never marked again may be a revert. Its push is looked up only then: a join would cost all claims.
-- A claim is on this server's disk when it is returned (`durable`), whatever the connection says: a crash of PostgreSQL
-- must not lend an item to another notifier while the first one writes it. It waits for no standby: one that does not
-- answer would keep all claims waiting, and row locks with them. Outcomes need not be on disk: a lost one is found by
-- another push.
-- Nobody knows whether a write was sent under a lease that lapsed: it counts as unanswered. A rejected row that kept a
-- lease counts from 1 as well: that lease ends sooner after unanswered_at than half of any claim's.
WITH durable AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'local', true)
), room AS MATERIALIZED (
    SELECT CASE WHEN EXISTS (
        SELECT FROM queue_control c WHERE c.paused_at IS NOT NULL AND (c.resume_at IS NULL OR c.resume_at > now())
    ) THEN 0 ELSE %(limit)s::bigint END AS items
    FROM durable
), newest AS MATERIALIZED (
    SELECT sample.item_record_id
    FROM (SELECT priority FROM (VALUES (0::smallint), (1), (2)) AS all_of (priority) ORDER BY random()) AS level
    CROSS JOIN LATERAL (
        SELECT u.item_record_id
        FROM update_queue u
        WHERE %(newest)s
            AND u.priority = level.priority
            AND u.due_at <= now()
            AND (u.lease_until IS NULL OR u.lease_until <= now())
        ORDER BY u.due_at DESC
        LIMIT (SELECT items FROM room)
        FOR UPDATE SKIP LOCKED
    ) AS sample
    LIMIT (SELECT items FROM room)
), print_stations AS MATERIALIZED (
    SELECT u.item_record_id
    FROM update_queue u
    WHERE NOT %(newest)s
        AND u.priority = 0
        AND u.due_at <= now()
        AND (u.lease_until IS NULL OR u.lease_until <= now())
    ORDER BY u.due_at
    LIMIT (SELECT items FROM room)
    FOR UPDATE SKIP LOCKED
), bulk AS MATERIALIZED (
    SELECT u.item_record_id
    FROM update_queue u
    WHERE NOT %(newest)s
        AND u.priority = 1
        AND u.due_at <= now()
        AND (u.lease_until IS NULL OR u.lease_until <= now())
    ORDER BY u.due_at
    LIMIT (SELECT items FROM room) - (SELECT count(*) FROM print_stations)
    FOR UPDATE SKIP LOCKED
), leisure AS MATERIALIZED (
    SELECT u.item_record_id
    FROM update_queue u
    WHERE NOT %(newest)s
        AND u.priority = 2
        AND u.due_at <= now()
        AND (u.lease_until IS NULL OR u.lease_until <= now())
    ORDER BY u.due_at
    LIMIT (SELECT items FROM room) - (SELECT count(*) FROM print_stations) - (SELECT count(*) FROM bulk)
    FOR UPDATE SKIP LOCKED
), due AS MATERIALIZED (
    SELECT item_record_id FROM newest
    UNION ALL SELECT item_record_id FROM print_stations
    UNION ALL SELECT item_record_id FROM bulk
    UNION ALL SELECT item_record_id FROM leisure
), claimed AS (
    UPDATE update_queue q
    SET claimed_by = %(notifier)s,
        lease_until = now() + %(lease_seconds)s * interval '1 second',
        attempts = CASE
            WHEN q.claimed_by IS NOT NULL
                AND (
                    q.lease_until IS NULL
                    OR q.lease_until < q.unanswered_at + %(lease_seconds)s * interval '0.5 seconds'
                )
            THEN 1
            ELSE least(q.attempts + 1, 32767)
        END,
        unanswered_at = CASE
            WHEN q.claimed_by IS NOT NULL AND q.lease_until IS NOT NULL THEN now()
            ELSE q.unanswered_at
        END
    WHERE q.item_record_id = ANY (ARRAY(SELECT item_record_id FROM due))
    RETURNING
        q.item_record_id, q.revision, q.priority, q.due_at, q.queued_at, q.attempts, q.request_id, q.trace, q.lease_until,
        CASE WHEN q.revision = 1 THEN q.revert_of END AS revert_of,
        q.pushed_revision IS NOT DISTINCT FROM q.revision AS is_recheck, q.pushed_call_number
)
SELECT
    c.item_record_id, c.revision, c.queued_at, c.attempts, c.request_id, c.trace, c.lease_until,
    i.item_number, i.barcode, i.classification,
    now() AS claimed_at, c.revert_of, c.is_recheck, c.pushed_call_number
FROM claimed c
JOIN sierra_item i USING (item_record_id)
ORDER BY c.priority, c.due_at;


-- name: finish
-- Take pushed items off the queue and log them. One that was marked again meanwhile stays and is due at once; it is
-- logged too, for Sierra was written. It is due since that mark, so nothing notifies: the commits that notify come one by
-- one, and behind a mark that waits for its standby this one would wait, with all outcomes. Rows that are ours no more are
-- left alone: they are missing in the answer.
-- `held` locks first, and sees the revision of a mark that commits while the statement runs. What another session has
-- locked (a mark under way, a DBA's open transaction) is not waited for, or all others would wait for it: it is missing
-- in the answer too, and still_ours tells it from the others.
-- While a write may still be done late, the row stays, to be looked at again when that is over; what is found then as the
-- newest push wrote it is not logged.
-- A push is unproven where Sierra had another call number than the item's newest push had written: either staff changed it,
-- or Sierra answered that write well and did not keep it, and this answer proves nothing either. Nothing is done then,
-- until the record was read again.
WITH pushed AS (
    SELECT
        p.item_record_id, p.revision, p.lease_until, p.outcome, p.call_number_before, p.call_number_after, p.remark,
        p.sierra_ms, p.revert_of, p.claimed_at, p.unanswered, p.proven
    FROM unnest(
        %(item_record_ids)s::bigint[], %(revisions)s::bigint[], %(leases)s::timestamptz[], %(outcomes)s::text[],
        %(befores)s::text[], %(afters)s::text[], %(remarks)s::text[], %(sierra_ms)s::int[], %(revert_ofs)s::bigint[],
        %(claimed_ats)s::timestamptz[], %(unanswered)s::boolean[], %(proven)s::boolean[]
    ) AS p (
        item_record_id, revision, lease_until, outcome, call_number_before, call_number_after, remark, sierra_ms,
        revert_of, claimed_at, unanswered, proven
    )
), locked AS (
    SELECT
        q.item_record_id, q.revision = p.revision AS as_pushed, q.queued_at, q.queued_by, q.attempts, q.request_id,
        p.outcome, p.call_number_before, p.call_number_after, p.remark, p.sierra_ms, p.revert_of,
        p.claimed_at, CASE WHEN p.unanswered THEN now() ELSE q.unanswered_at END AS unanswered_at,
        p.outcome = 'unchanged'
        AND q.pushed_revision IS NOT DISTINCT FROM p.revision
        AND (p.call_number_before IS NULL OR p.call_number_before IS NOT DISTINCT FROM newest.call_number_after)
        AS is_nothing_new,
        NOT p.proven
        AND p.call_number_before IS DISTINCT FROM p.call_number_after
        AND newest.item_record_id IS NOT NULL
        AND newest.call_number_after IS DISTINCT FROM p.call_number_before
        AS is_unproven
    FROM update_queue q
    JOIN pushed p USING (item_record_id, lease_until)
    LEFT JOIN LATERAL (
        SELECT l.item_record_id, l.call_number_after
        FROM update_log l
        WHERE l.item_record_id = q.item_record_id AND l.outcome = 'pushed'
        ORDER BY l.update_log_id DESC
        LIMIT 1
    ) AS newest ON true
    WHERE q.claimed_by = %(notifier)s
    ORDER BY q.item_record_id
    FOR UPDATE OF q SKIP LOCKED
), held AS (
    SELECT
        item_record_id, as_pushed, queued_at, queued_by, attempts, request_id, outcome, call_number_before, call_number_after,
        remark, sierra_ms, revert_of, unanswered_at, is_nothing_new,
        as_pushed AND unanswered_at > claimed_at - %(late_seconds)s * interval '1 second' IS TRUE AS stays
    FROM locked
    WHERE NOT is_unproven
), gone AS (
    DELETE FROM update_queue q
    USING held h
    WHERE q.item_record_id = h.item_record_id AND h.as_pushed AND NOT h.stays
), kept AS (
    UPDATE update_queue q
    SET claimed_by = NULL,
        lease_until = NULL,
        attempts = 0,
        due_at = h.unanswered_at + %(late_seconds)s * interval '1 second',
        last_error = NULL,
        priority = 2,
        trace = NULL,
        unanswered_at = h.unanswered_at,
        pushed_revision = q.revision,
        pushed_call_number = h.call_number_after
    FROM held h
    WHERE q.item_record_id = h.item_record_id AND h.stays
), marked_again AS (
    UPDATE update_queue q
    SET claimed_by = NULL,
        lease_until = NULL,
        attempts = 0,
        due_at = least(q.due_at, clock_timestamp()),
        last_error = NULL,
        unanswered_at = h.unanswered_at
    FROM held h
    WHERE q.item_record_id = h.item_record_id AND NOT h.as_pushed
), logged AS (
    INSERT INTO update_log (
        item_record_id, item_number, barcode, title, queued_at, queued_by, finished_by, outcome, attempts,
        call_number_before, call_number_after, error, sierra_ms, request_id, revert_of
    )
    SELECT
        h.item_record_id, i.item_number, i.barcode, i.best_title, h.queued_at, h.queued_by, %(notifier)s, h.outcome,
        greatest(h.attempts, 1), h.call_number_before, h.call_number_after, h.remark, h.sierra_ms, h.request_id, h.revert_of
    FROM held h
    JOIN sierra_item i USING (item_record_id)
    WHERE NOT h.is_nothing_new
)
SELECT
    item_record_id,
    CASE WHEN is_unproven THEN 'unproven' WHEN as_pushed THEN 'finished' ELSE 'marked again' END AS came_of_it
FROM locked;


-- name: still_ours
-- Of the rows that were missing in an answer, those that are ours all the same, for as long as the lease holds: another
-- session had locked them. Asked by itself, for it is rare, and would cost every finish of many rows.
SELECT q.item_record_id
FROM update_queue q
JOIN unnest(%(item_record_ids)s::bigint[], %(leases)s::timestamptz[]) AS missing (item_record_id, lease_until)
    USING (item_record_id, lease_until)
WHERE q.claimed_by = %(notifier)s AND q.lease_until > now();


-- name: postpone
-- Make an item due later, with the reason. One that was marked again meanwhile is due at once and starts anew.
-- keep_seconds is NULL where no write of it is without an answer. A locked row is told as in finish.
WITH held AS (
    SELECT item_record_id
    FROM update_queue
    WHERE item_record_id = %(item_record_id)s AND claimed_by = %(notifier)s AND lease_until = %(lease)s
    FOR UPDATE SKIP LOCKED
)
UPDATE update_queue q
SET claimed_by = NULL,
    lease_until = now() + %(keep_seconds)s::float8 * interval '1 second',
    unanswered_at = CASE WHEN %(keep_seconds)s::float8 IS NULL THEN q.unanswered_at ELSE now() END,
    due_at = CASE
        WHEN q.revision = %(revision)s THEN now() + %(delay_seconds)s * interval '1 second'
        ELSE least(q.due_at, clock_timestamp())
    END,
    attempts = CASE WHEN q.revision = %(revision)s THEN q.attempts ELSE 0 END,
    last_error = CASE WHEN q.revision = %(revision)s THEN %(reason)s END,
    reason_code = CASE WHEN q.revision = %(revision)s THEN %(reason_code)s END
FROM held h
WHERE q.item_record_id = h.item_record_id
RETURNING q.revision = %(revision)s AS postponed, greatest(q.due_at, q.lease_until) AS next_try_at;


-- name: reject
-- Make an item due never, until a person acts, and log why. One that was marked again meanwhile is due at once instead.
-- A revert is not rejected while a write may still be done late, for history then says what Sierra has: it is due when
-- that is over, and stays a revert. What is rejected is no more to be looked at again, but to be tried anew.
-- claimed_by stays: with no lease beside it, it says who rejected the row, and tells a claim to count from 1 again.
-- keep_seconds as in postpone. A locked row is told as in finish.
WITH locked AS (
    SELECT
        q.item_record_id, q.revision = %(revision)s AS as_pushed,
        CASE WHEN %(keep_seconds)s::float8 IS NULL THEN q.unanswered_at ELSE now() END AS unanswered_at
    FROM update_queue q
    WHERE q.item_record_id = %(item_record_id)s AND q.claimed_by = %(notifier)s AND q.lease_until = %(lease)s
    FOR UPDATE SKIP LOCKED
), held AS (
    SELECT
        item_record_id, as_pushed, unanswered_at,
        as_pushed
        AND (
            %(revert_of)s::bigint IS NULL
            OR unanswered_at > %(claimed_at)s::timestamptz - %(late_seconds)s * interval '1 second' IS NOT TRUE
        ) AS is_rejected
    FROM locked
), decided AS (
    UPDATE update_queue q
    SET lease_until = now() + %(keep_seconds)s::float8 * interval '1 second',
        unanswered_at = h.unanswered_at,
        claimed_by = CASE WHEN h.is_rejected THEN q.claimed_by END,
        due_at = CASE
            WHEN h.is_rejected THEN NULL
            WHEN h.as_pushed THEN h.unanswered_at + %(late_seconds)s * interval '1 second'
            ELSE least(q.due_at, clock_timestamp())
        END,
        attempts = CASE WHEN h.as_pushed THEN q.attempts ELSE 0 END,
        last_error = CASE WHEN h.as_pushed THEN %(reason)s END,
        reason_code = CASE WHEN h.as_pushed THEN %(reason_code)s END,
        pushed_revision = CASE WHEN NOT h.is_rejected THEN q.pushed_revision END
    FROM held h
    WHERE q.item_record_id = h.item_record_id
    RETURNING h.is_rejected, q.item_record_id, q.queued_at, q.queued_by, q.attempts, q.request_id
), logged AS (
    INSERT INTO update_log (
        item_record_id, item_number, barcode, title, queued_at, queued_by, finished_by, outcome, attempts,
        call_number_before, call_number_after, error, request_id, revert_of, reason_code
    )
    SELECT
        d.item_record_id, i.item_number, i.barcode, i.best_title, d.queued_at, d.queued_by, %(notifier)s, 'rejected',
        d.attempts, %(call_number)s, %(call_number)s, %(reason)s, d.request_id, %(revert_of)s::bigint,
        %(reason_code)s
    FROM decided d
    JOIN sierra_item i USING (item_record_id)
    WHERE d.is_rejected
)
SELECT is_rejected AS rejected FROM decided;


-- name: release
-- Give leases back with their attempts, due as before, or delay_seconds later and for a reason where that is not 0. A
-- mark that came meanwhile has set the attempts to 0 (hence greatest) and is due at once (hence the revision).
-- What another session has locked is not waited for: it is missing in the answer. keep_seconds as in postpone, of each.
WITH given_back AS (
    SELECT g.item_record_id, g.revision, g.lease_until, g.keep_seconds
    FROM unnest(
        %(item_record_ids)s::bigint[], %(revisions)s::bigint[], %(leases)s::timestamptz[], %(keep_seconds)s::float8[]
    ) AS g (item_record_id, revision, lease_until, keep_seconds)
), held AS (
    SELECT q.item_record_id, q.revision = g.revision AS as_claimed, g.keep_seconds
    FROM update_queue q
    JOIN given_back g USING (item_record_id, lease_until)
    WHERE q.claimed_by = %(notifier)s
    ORDER BY q.item_record_id
    FOR UPDATE OF q SKIP LOCKED
)
UPDATE update_queue q
SET claimed_by = NULL,
    lease_until = now() + h.keep_seconds * interval '1 second',
    unanswered_at = CASE WHEN h.keep_seconds IS NULL THEN q.unanswered_at ELSE now() END,
    attempts = greatest(q.attempts - 1, 0),
    due_at = CASE
        WHEN %(delay_seconds)s > 0 AND h.as_claimed
        THEN now() + %(delay_seconds)s * interval '1 second'
        ELSE q.due_at
    END,
    last_error = CASE WHEN %(delay_seconds)s > 0 AND h.as_claimed THEN %(reason)s::text ELSE q.last_error END,
    reason_code = CASE WHEN %(delay_seconds)s > 0 AND h.as_claimed THEN %(reason_code)s::text ELSE q.reason_code END
FROM held h
WHERE q.item_record_id = h.item_record_id
RETURNING q.item_record_id;


-- name: give_back
-- Give back what is claimed in our name and is not in our hands: the answer to its claim was lost with the session, or
-- its outcome with a crash of the server. Reads the whole queue, for claims are in no index: asked after a lost session.
UPDATE update_queue q
SET claimed_by = NULL, lease_until = NULL, attempts = greatest(q.attempts - 1, 0)
FROM (
    SELECT s.item_record_id
    FROM update_queue s
    WHERE s.claimed_by = %(notifier)s
        AND s.lease_until > now()
        AND s.due_at IS NOT NULL
        AND s.item_record_id <> ALL (%(item_record_ids)s::bigint[])
    ORDER BY s.item_record_id
    FOR UPDATE SKIP LOCKED
) AS stray
WHERE q.item_record_id = stray.item_record_id
RETURNING q.item_record_id;


-- name: recheck
-- Have an item looked at again that was written under a claim that is not known any more: its row is another's now, or is
-- gone, and the write may have been done after a newer one. Where the newest was a revert, the look is one too: it would
-- undo the revert else. A row that another session has locked is not waited for, only one that is being entered: then
-- the answer has the item, which is still to be noted.
WITH held AS (
    SELECT item_record_id FROM update_queue WHERE item_record_id = %(item_record_id)s FOR UPDATE SKIP LOCKED
), noted AS (
    UPDATE update_queue q
    SET unanswered_at = now()
    FROM held h
    WHERE q.item_record_id = h.item_record_id
    RETURNING q.item_record_id
), entered AS (
    INSERT INTO update_queue (item_record_id, queued_by, priority, due_at, unanswered_at, pushed_revision, revert_of)
    SELECT
        i.item_record_id, %(notifier)s, 2, now() + %(late_seconds)s * interval '1 second', now(), 1,
        (
            SELECT l.revert_of
            FROM update_log l
            WHERE l.item_record_id = i.item_record_id AND l.outcome IN ('pushed', 'unchanged')
            ORDER BY l.update_log_id DESC
            LIMIT 1
        )
    FROM sierra_item i
    WHERE i.item_record_id = %(item_record_id)s
        AND NOT EXISTS (SELECT FROM update_queue q WHERE q.item_record_id = i.item_record_id)
    ON CONFLICT (item_record_id) DO NOTHING
    RETURNING item_record_id
)
SELECT i.item_record_id
FROM sierra_item i
WHERE i.item_record_id = %(item_record_id)s AND NOT EXISTS (SELECT FROM noted) AND NOT EXISTS (SELECT FROM entered);


-- name: next_wake
-- Seconds until the next item is due or the next lease lapses; NULL if there is none. One look per priority and kind:
-- min() over a million waiting rows would read them all. Asked when nothing can be claimed, so what is due already is
-- leased, and little; or its lease has lapsed since, or another session's lock hid it: look again in a second. While
-- the queue is paused it may be much, so only its start is looked at, where the leases are.
SELECT extract(epoch FROM min(wake.at) - clock_timestamp())::float8 AS seconds
FROM (VALUES (0::smallint), (1), (2)) AS level (priority)
CROSS JOIN LATERAL (
    (
        SELECT u.due_at AS at
        FROM update_queue u
        WHERE u.priority = level.priority AND u.due_at > now()
        ORDER BY u.due_at
        LIMIT 1
    )
    UNION ALL
    (
        SELECT min(CASE WHEN due.lease_until > now() THEN due.lease_until ELSE now() + interval '1 second' END)
        FROM (
            SELECT u.lease_until
            FROM update_queue u
            WHERE u.priority = level.priority AND u.due_at <= now()
            ORDER BY u.due_at
            LIMIT 1000
        ) AS due
        WHERE due.lease_until > now() OR NOT EXISTS (
            SELECT FROM queue_control c
            WHERE c.paused_at IS NOT NULL AND (c.resume_at IS NULL OR c.resume_at > now())
        )
    )
    UNION ALL
    SELECT c.resume_at FROM queue_control c WHERE c.paused_at IS NOT NULL AND c.resume_at > now()
) AS wake;
