-- What the schema says of itself.


-- name: version
-- The revision that Alembic brought it to.
SELECT version_num FROM alembic_version;
