-- The listener's statements: LISTEN, and the echo by which it proves that notifications arrive.


-- name: listen
-- Be notified of items that become due.
LISTEN update_queue;


-- name: listen_echo
-- Be notified of our own echo.
LISTEN update_queue_echo;


-- name: send_echo
-- Sent on another connection than the one that listens: only then does its arrival prove that NOTIFY reaches us.
SELECT pg_notify('update_queue_echo', %(notifier)s);
