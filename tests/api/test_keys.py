"""Each request needs a key of its type, and a refusal does not say why."""

import hashlib
import logging

import pytest

from tests.fix_api import ApiClient, add_key, detail
from tests.fix_postgres import TestDatabase

PRINTERS = [("GET", "/itemdata/1231231230012"), ("PUT", "/itemdata/450972567890"), ("POST", "/status")]
ETLS = [("GET", "/sync"), ("POST", "/sync")]
REFUSED = "Invalid x-api-key"


@pytest.fixture(autouse=True)
def item(database: TestDatabase) -> None:
    database.add_item(1, item_record_id=450972567890, barcode="1231231230012")


def refusals(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]


@pytest.mark.parametrize(("method", "path"), PRINTERS + ETLS)
@pytest.mark.parametrize("headers", [{}, {"x-api-key": ""}])
def test_request_without_a_key_is_not_authenticated(
    api: ApiClient, method: str, path: str, headers: dict[str, str]
) -> None:
    assert api.request(method, path, headers=headers).status_code == 401


@pytest.mark.parametrize(("method", "path"), PRINTERS + ETLS)
def test_unknown_key_is_refused_and_the_log_says_why(
    api: ApiClient, caplog: pytest.LogCaptureFixture, method: str, path: str
) -> None:
    answer = api.request(method, path, headers={"x-api-key": "sig_nobody-has-this-key-at-all"})
    assert (answer.status_code, detail(answer)) == (403, REFUSED)
    assert refusals(caplog) == ["x-api-key refused: unknown"]


@pytest.mark.parametrize(("method", "path"), PRINTERS)
def test_revoked_key_is_refused_and_the_log_says_why(
    api: ApiClient,
    database: TestDatabase,
    printer_key: str,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
) -> None:
    database.fetch("UPDATE client SET revoked_at = now()")
    answer = api.request(method, path, headers={"x-api-key": printer_key})
    assert (answer.status_code, detail(answer)) == (403, REFUSED)
    assert refusals(caplog) == ["x-api-key refused: revoked"]
    assert database.fetch("SELECT FROM update_queue") == []


@pytest.mark.parametrize(("method", "path"), PRINTERS)
def test_key_of_the_wrong_type_is_refused_and_the_log_says_why(
    api: ApiClient, database: TestDatabase, etl_key: str, caplog: pytest.LogCaptureFixture, method: str, path: str
) -> None:
    answer = api.request(method, path, headers={"x-api-key": etl_key})
    assert (answer.status_code, detail(answer)) == (403, REFUSED)
    assert refusals(caplog) == ["x-api-key refused: not of type signum-printer"]
    assert database.fetch("SELECT FROM update_queue") == []


@pytest.mark.parametrize(("method", "path"), ETLS)
def test_print_station_may_not_sync(
    api: ApiClient, printer_key: str, caplog: pytest.LogCaptureFixture, method: str, path: str
) -> None:
    answer = api.request(method, path, headers={"x-api-key": printer_key})
    assert (answer.status_code, detail(answer)) == (403, REFUSED)
    assert refusals(caplog) == ["x-api-key refused: not of type etl"]


@pytest.mark.parametrize("key", [b"\xff\xfe\xed\xa0\x80", "avain-äö".encode(), b"' OR 1=1 --", b"x" * 10_000])
def test_odd_key_is_refused(api: ApiClient, key: bytes) -> None:
    answer = api.get("/itemdata/1231231230012", headers=[(b"x-api-key", key)])
    assert (answer.status_code, detail(answer)) == (403, REFUSED)


def test_hash_of_a_key_is_not_a_key(api: ApiClient, database: TestDatabase, printer_key: str) -> None:
    ((stored,),) = database.fetch("SELECT api_key_sha256 FROM client")
    assert stored == hashlib.sha256(printer_key.encode()).digest()
    for wrong in (stored.hex(), "\\x" + stored.hex()):
        assert api.get("/itemdata/1231231230012", headers={"x-api-key": wrong}).status_code == 403


def test_key_is_never_logged(
    api: ApiClient, database: TestDatabase, printer_key: str, etl_key: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    revoked = add_key(database, "old desk", "signum-printer")
    database.fetch("UPDATE client SET revoked_at = now() WHERE client_name = 'old desk'")
    keys = [printer_key, etl_key, revoked, "hunter2", "short", "sig_nobody-has-this-key-at-all"]
    for key in keys:
        for method, path in PRINTERS:
            api.request(method, path, headers={"x-api-key": key}, data={"internal_hostname": "a"})
    heard = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "old desk" in heard
    assert not [key for key in keys if key[8:] and key[8:] in heard]
    assert "hunter2" not in heard
