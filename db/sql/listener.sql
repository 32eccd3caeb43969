-- What the listener says on its connection, and how it proves that it can hear.


-- name: listen
-- Hear of items that became due.
LISTEN update_queue;


-- name: listen_echo
-- Hear ourselves.
LISTEN update_queue_echo;


-- name: send_echo
-- Sent on another connection than the one that listens: only then does hearing it prove that NOTIFY reaches us.
SELECT pg_notify('update_queue_echo', %(notifier)s);
