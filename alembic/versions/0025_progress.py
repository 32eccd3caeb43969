r"""The progress of the whole relabelling is counted: by collection, and by day and desk.

`progress_count` says of each collection how many items are relabelled and how many are not, as of `counted_at`. A
notifier counts them anew every ten minutes (db/sql/progress.sql): a count while a page waits would take seconds.

`progress_day` outlives history, so that the first year's labels are still known in the third. Each count adds up the
last days of `update_log` again, so a count that never came loses nothing. It names print stations alone: marks of
persons stand together under the empty name, for nothing takes these rows out again.

`progress_overview` has the sums, the pace and the day when it ends. Pace and end are computed here and nowhere else, so
that commands, pages and DBAs read the same.

The previous release runs on: it knows nothing of them. 0026 makes the indexes that the count reads.

Revision ID: 0025
Revises: 0024
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

UPGRADE = r"""
CREATE TABLE progress_count (
    location text NOT NULL,
    item_type text NOT NULL,
    material text NOT NULL,
    done bigint NOT NULL,
    to_do bigint NOT NULL,
    without_classification bigint NOT NULL,
    unknown bigint NOT NULL,
    counted_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT progress_count_pkey PRIMARY KEY (location, item_type, material),
    CONSTRAINT progress_count_counted_at_readable CHECK (counted_at AT TIME ZONE 'UTC' BETWEEN '0001-01-02' AND '9999-12-30')
);
COMMENT ON TABLE progress_count IS 'How many living items of each collection are relabelled; a notifier counts them every ten minutes. See the view progress_overview';
COMMENT ON INDEX progress_count_pkey IS 'One row per collection';
COMMENT ON COLUMN progress_count.location IS 'Name of the location; empty: none, or the ETL does not bring it';
COMMENT ON COLUMN progress_count.item_type IS 'Name of the item type; empty: none';
COMMENT ON COLUMN progress_count.material IS 'Name of the material type; empty: none';
COMMENT ON COLUMN progress_count.done IS 'Items whose call number in Sierra has the classification in front';
COMMENT ON COLUMN progress_count.to_do IS 'Items with a classification that their call number in Sierra does not have in front';
COMMENT ON COLUMN progress_count.without_classification IS 'Items that have no classification, and so nothing to be relabelled with';
COMMENT ON COLUMN progress_count.unknown IS 'Items with a classification whose call number in Sierra is not known here';
COMMENT ON COLUMN progress_count.counted_at IS 'As of when';

CREATE TABLE progress_day (
    day date NOT NULL,
    desk text NOT NULL,
    pushed bigint NOT NULL,
    relabelled bigint NOT NULL,
    CONSTRAINT progress_day_pkey PRIMARY KEY (day, desk)
);
COMMENT ON TABLE progress_day IS 'What each print station had written to Sierra, day by day; kept for ever. A notifier adds it up from update_log every ten minutes';
COMMENT ON INDEX progress_day_pkey IS 'One row per day and print station; found from the newest day on';
COMMENT ON COLUMN progress_day.day IS 'The day (UTC)';
COMMENT ON COLUMN progress_day.desk IS 'The print station; empty: all marks of persons and scripts together';
COMMENT ON COLUMN progress_day.pushed IS 'Updates that were written to Sierra, without those that undid one';
COMMENT ON COLUMN progress_day.relabelled IS 'Of them, those that changed the call number';

CREATE VIEW progress_overview AS
SELECT
    c.counted_at,
    c.done,
    c.to_do,
    c.without_classification,
    c.unknown,
    d.pushed,
    d.relabelled,
    d.first_day,
    round(p.a_day, 1) AS a_day,
    CASE WHEN e.because IS NULL THEN t.today + ceil((c.to_do + c.unknown) / p.a_day)::integer END AS ends_on,
    e.because AS no_end_because
FROM (
    SELECT
        max(counted_at) AS counted_at,
        coalesce(sum(done), 0)::bigint AS done,
        coalesce(sum(to_do), 0)::bigint AS to_do,
        coalesce(sum(without_classification), 0)::bigint AS without_classification,
        coalesce(sum(unknown), 0)::bigint AS unknown
    FROM progress_count
) AS c
CROSS JOIN (SELECT (now() AT TIME ZONE 'UTC')::date AS today) AS t
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(pushed), 0)::bigint AS pushed,
        coalesce(sum(relabelled), 0)::bigint AS relabelled,
        sum(relabelled) FILTER (WHERE day BETWEEN t.today - 28 AND t.today - 1) AS in_four_weeks,
        min(day) AS first_day
    FROM progress_day
) AS d
CROSS JOIN LATERAL (SELECT d.in_four_weeks / nullif(least(28, t.today - d.first_day), 0) AS a_day) AS p
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN c.counted_at IS NULL THEN 'nothing has been counted yet'
        WHEN c.to_do + c.unknown = 0 THEN 'all items with a classification are relabelled'
        WHEN c.done + c.to_do = 0 THEN 'the ETL brings no call numbers, so only what was pushed is known'
        WHEN coalesce(p.a_day, 0) = 0 THEN 'nothing was relabelled in the four weeks before today'
        WHEN (c.to_do + c.unknown) / p.a_day > 36525 THEN 'at this pace it takes more than a hundred years'
    END AS because
) AS e;
COMMENT ON VIEW progress_overview IS 'One row: how much of the relabelling is done, at which pace, and when it ends at that pace';
COMMENT ON COLUMN progress_overview.counted_at IS 'As of when the items were counted; NULL: not yet';
COMMENT ON COLUMN progress_overview.done IS 'Items whose call number in Sierra has the classification in front';
COMMENT ON COLUMN progress_overview.to_do IS 'Items with a classification that their call number in Sierra does not have in front';
COMMENT ON COLUMN progress_overview.without_classification IS 'Items that have no classification, and so nothing to be relabelled with';
COMMENT ON COLUMN progress_overview.unknown IS 'Items with a classification whose call number in Sierra is not known here; for the end they count as to do';
COMMENT ON COLUMN progress_overview.pushed IS 'Updates written to Sierra since first_day, without those that undid one';
COMMENT ON COLUMN progress_overview.relabelled IS 'Of them, those that changed the call number';
COMMENT ON COLUMN progress_overview.first_day IS 'The first day (UTC) of which that is known';
COMMENT ON COLUMN progress_overview.a_day IS 'Call numbers changed a day, Sundays included, in the four weeks before today, or since first_day; NULL: not known before there was a day';
COMMENT ON COLUMN progress_overview.ends_on IS 'The day (UTC) when it ends at that pace; NULL: see no_end_because';
COMMENT ON COLUMN progress_overview.no_end_because IS 'Why no end is told, in a sentence; NULL: it is';
"""

DOWNGRADE = r"""
DROP VIEW progress_overview;
DROP TABLE progress_day;
DROP TABLE progress_count;
"""


def upgrade() -> None:
    op.execute(UPGRADE)


def downgrade() -> None:
    op.execute(DOWNGRADE)
