"""Invalid keys that come too often are told to wait, and nobody else is."""

import pytest

from api.failed_keys import MOST_PREFIXES, WINDOW_SECONDS, FailedKeys
from tests.fix_api import ApiClient, StartApi
from tests.fix_postgres import TestDatabase

BARCODE = "/itemdata/1231231230012"


def ask(api: ApiClient, key: str) -> int:
    return api.get(BARCODE, headers={"x-api-key": key}).status_code


def test_invalid_key_is_told_how_long_to_wait_and_is_not_looked_up(
    start_api: StartApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = start_api(api_key_failures_per_minute=3)
    assert [ask(api, "sig_nobody-has-this-key") for _ in range(4)] == [403, 403, 403, 429]

    async def looked_up(*_: object) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(api.app.state.database, "fetch", looked_up)
    answer = api.get(BARCODE, headers={"x-api-key": "sig_nobody-has-this-key"})
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= WINDOW_SECONDS
    assert answer.json()["detail"].startswith("Too many requests with an invalid x-api-key: try again in ")


def test_valid_key_is_never_limited_whatever_begins_like_it(start_api: StartApi, printer_key: str) -> None:
    api = start_api(api_key_failures_per_minute=3)
    guesses = [printer_key[:8] + str(number) * 39 for number in range(6)]
    assert [ask(api, guess) for guess in guesses] == [403, 403, 403, 429, 429, 429]
    assert ask(api, printer_key) == 404
    assert ask(api, "sig_another-prefix-is-not-limited") == 403


def test_key_of_the_wrong_type_is_held_up_only_where_it_is_wrong(start_api: StartApi, etl_key: str) -> None:
    api = start_api(api_key_failures_per_minute=2)
    assert [ask(api, etl_key) for _ in range(4)] == [403, 403, 429, 429]
    assert api.get("/sync", headers={"x-api-key": etl_key}).status_code == 200


def test_items_that_are_not_there_do_not_count(start_api: StartApi, printer_key: str) -> None:
    api = start_api(api_key_failures_per_minute=1)
    assert {ask(api, printer_key) for _ in range(5)} == {404}


def test_print_station_with_a_revoked_key_hears_403_as_ever(
    api: ApiClient, database: TestDatabase, printer_key: str
) -> None:
    database.fetch("UPDATE client SET revoked_at = now()")
    headers = {"x-api-key": printer_key}
    assert {api.post("/status", headers=headers).status_code for _ in range(30)} == {403}, "it posts 30 times a minute"


def test_the_count_begins_anew_after_a_minute() -> None:
    failed = FailedKeys(1)
    waits = [failed.count("sig_abcd", b"key", now, is_nobodys=True) for now in (0.0, 10.0, WINDOW_SECONDS)]
    assert waits == [0.0, WINDOW_SECONDS - 10, 0.0]
    assert failed.seconds_to_wait("sig_abcd", b"key", WINDOW_SECONDS) == 0.0


def test_what_is_remembered_has_a_bound() -> None:
    failed = FailedKeys(1)
    for number in range(2 * MOST_PREFIXES):
        for key in range(40):
            failed.count(f"sig_{number}", bytes([key]), 0.0, is_nobodys=True)
    assert len(failed._windows) == MOST_PREFIXES
    assert max(len(window.nobodys) for window in failed._windows.values()) <= 16
    assert failed.seconds_to_wait(f"sig_{2 * MOST_PREFIXES - 1}", b"\0", 1.0) > 0
