"""An ETL whose full syncs go by threes, and what the database has of what it sent."""

from typing import Any

import pytest

from tests.fix_api import ApiClient, StartApi
from tests.fix_batch import Row, Send, row
from tests.fix_postgres import TestDatabase


def items(database: TestDatabase, columns: str = "item_record_id") -> list[tuple[Any, ...]]:
    return database.fetch(f"SELECT {columns} FROM sierra_item ORDER BY item_record_id")


def state(database: TestDatabase, *columns: str) -> tuple[Any, ...]:
    return database.fetch(f"SELECT {', '.join(columns)} FROM sync_state")[0]


def rows(*numbers: int, **cells: str) -> list[Row]:
    return [row(number, **cells) for number in numbers]


@pytest.fixture
def etl_by_threes(start_api: StartApi, etl_key: str) -> ApiClient:
    """An API with full syncs by threes."""
    api = start_api(full_sync_batch_size=3)
    api.headers["x-api-key"] = etl_key
    return api


@pytest.fixture
def in_changes(etl: ApiClient, send: Send) -> None:
    """The full sync was complete at once, with items 1 and 2."""
    etl.get("/sync")
    assert send(rows(1, 2)).status_code == 200
    assert etl.get("/sync").json()["sync_mode"] == "SYNC_CHANGES"
