-- LISTEN, the echo by which the listener proves that notifications arrive, and the notification of a notifier that stops.


-- name: listen
-- Be notified of items that become due.
LISTEN update_queue;


-- name: listen_echo
-- Be notified of our own echo.
LISTEN update_queue_echo;


-- name: send_echo
-- Sent on another connection than the one that listens: only then does its arrival prove that NOTIFY reaches us.
SELECT pg_notify('update_queue_echo', %(notifier)s);


-- name: ring
-- Have the others look at the queue. Outcomes notify nobody: their commits would wait for those of marks.
SELECT pg_notify('update_queue', '');
