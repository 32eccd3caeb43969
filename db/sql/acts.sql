-- What people did. Time and database role are the server's.


-- name: write
-- In the transaction of the act.
INSERT INTO act (person, through, os_user, action, target, reason, number, result)
VALUES (
    %(person)s, %(through)s, %(os_user)s, %(action)s, %(target)s, %(reason)s, %(number)s, %(result)s
);


-- name: read
-- The newest first, from one on if that is given, of one person or of all.
SELECT act_id, acted_at, person, through, os_user, db_role, action, target, reason, number, result
FROM act
WHERE (%(before)s::bigint IS NULL OR act_id < %(before)s) AND (%(person)s::text IS NULL OR person = %(person)s)
ORDER BY act_id DESC
LIMIT %(limit)s;


-- name: prune
-- Delete the oldest acts, a little at a time, as history's are.
DELETE FROM act
WHERE act_id = ANY (ARRAY(
    SELECT oldest.act_id
    FROM (SELECT act_id, acted_at FROM act ORDER BY act_id LIMIT %(limit)s) AS oldest
    WHERE oldest.acted_at < now() - %(days)s * interval '1 day'
));
