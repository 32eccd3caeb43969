-- Checks that the database is as the processes need it.


-- name: triggers_not_ringing
-- The triggers that are missing, or do not fire for an ordinary session.
SELECT expected.name, t.tgname IS NOT NULL AS is_there
FROM (
    VALUES
        ('update_queue', 'update_queue_notify_insert'),
        ('update_queue', 'update_queue_notify_update'),
        ('queue_control', 'queue_control_notify')
) AS expected (relation, name)
LEFT JOIN pg_trigger t ON t.tgrelid = to_regclass(expected.relation) AND t.tgname = expected.name
WHERE t.tgenabled IS NULL OR t.tgenabled IN ('D', 'R')
ORDER BY expected.name;


-- name: clock
-- The time now, not the transaction's; and how many items were queued later than that, and wait until then.
SELECT
    extract(epoch FROM clock_timestamp())::float8,
    (SELECT count(*) FROM update_queue WHERE queued_at > clock_timestamp() + interval '2 seconds' AND due_at > now());


-- name: notification_usage
-- The fill level of the server's queue of notifications, from 0 to 1. At 1 every mark fails.
SELECT pg_notification_queue_usage();


-- name: barcodes
-- The number of barcodes that several items share, and of items whose barcode no print station can ask for.
SELECT
    (SELECT count(*) FROM shared_barcode) AS shared,
    (SELECT count(*) FROM unreadable_barcode) AS unreadable;
