"""The pictures of docs/console.md: taken by `make screenshots`, and each of a page that is there."""

import os
import re

import pytest

from tests.docs.markdown import HOUSE, read
from tests.fix_pages import OpenPage
from tests.fix_postgres import TestDatabase

PAGE = "docs/console.md"
PICTURES = {"now": "/", "queue": "/queue", "stations": "/stations"}
LIBRARY = """
INSERT INTO client (client_name, client_type, api_key_sha256, api_key_prefix, last_seen_at)
SELECT name, kind, sha256(name::bytea), 'sig_' || left(md5(name), 4), now() - seen
FROM (
    VALUES ('Pasila 1', 'signum-printer', interval '20 s'), ('Pasila 2', 'signum-printer', interval '3 min'),
        ('Kallio', 'signum-printer', interval '2 h'), ('etl', 'etl', interval '4 min')
) AS station (name, kind, seen);
INSERT INTO sierra_item (item_record_id, item_number, barcode, best_title, classification, updated_at)
SELECT 450971566080 + n, n, '3301000' || n, (ARRAY[
    'Seitsemän veljestä', 'Tuntematon sotilas', 'Sinuhe egyptiläinen', 'Muumipappa ja meri', 'Täällä Pohjantähden alla'
])[n % 5 + 1], '84.31', now()
FROM generate_series(2043111, 2043330) AS n;
INSERT INTO update_log (
    item_record_id, item_number, barcode, title, queued_at, queued_by, finished_at, finished_by, outcome, attempts,
    call_number_before, call_number_after, sierra_ms
)
SELECT item_record_id, item_number, barcode, best_title, at,
    (ARRAY['Pasila 1', 'Pasila 2', 'Kallio'])[item_record_id % 3 + 1],
    at, 'kirjasto:1', 'pushed', 1, '84.2 Jännitys', '84.31 Jännitys', 14
FROM sierra_item
CROSS JOIN LATERAL (SELECT now() - (2043330 - item_number::int) * interval '9 s' - interval '12 s') AS moment (at)
WHERE item_number::int > 2043116
ORDER BY item_record_id;
INSERT INTO update_queue (item_record_id, due_at, attempts, last_error, reason_code)
SELECT item_record_id, CASE WHEN n < 4 THEN NULL ELSE now() + interval '40 s' END, 1,
    CASE WHEN n < 4 THEN 'Sierra has no item ' ELSE 'Somebody is using item ' END || item_number,
    CASE WHEN n < 4 THEN 'absent' ELSE 'in_use' END
FROM (SELECT *, row_number() OVER (ORDER BY item_record_id) AS n FROM sierra_item) AS item
WHERE n < 6;
INSERT INTO notifier_state (notifier, mode, breaker, looped_at, last_success_at, seen_at)
VALUES ('kirjasto:1', 'listening', 'closed', now(), now() - interval '12 s', now());
UPDATE sync_state SET sync_mode = 'SYNC_CHANGES', last_sync_run_completed_at = now() - interval '4 min';
"""


@pytest.mark.long
@pytest.mark.parametrize("name", PICTURES)
async def test_page_that_is_pictured_is_there(database: TestDatabase, open_page: OpenPage, name: str) -> None:
    with database.connect() as connection:
        connection.execute(LIBRARY)
    page = await open_page(PICTURES[name], width=1100)
    assert await page.locator("main h1").count() == 1
    if os.environ.get("RENEW_SCREENSHOTS"):
        await page.screenshot(path=HOUSE / f"docs/console-{name}.png", full_page=True)


def test_each_picture_stands_on_the_page_and_is_taken() -> None:
    shown = re.findall(r"\]\((console-\w+\.png)\)", read(PAGE))
    assert shown == [f"console-{name}.png" for name in PICTURES]
    assert all((HOUSE / "docs" / picture).is_file() for picture in shown)
