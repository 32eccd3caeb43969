"""The backend away or refusing, and the pauses after failed rounds."""

import logging
from datetime import time

import pytest

from etl.errors import Away, BackendAway, BackendRefuses, NeedsPerson, SierraAway, SierraRefuses, TooLong
from etl.process import STALLED_SECONDS
from etl.troubles import ALARM_SECONDS, Troubles
from sandbox.postgres import free_port
from tests.etl.recording import KEY, recording
from tests.fix_dna import ITEMS, DnaInThread, item_key
from tests.fix_etl import running, until_rest

KEYS = sorted(map(item_key, ITEMS))
FULL = {"mode": "SYNC_FULL", "batch_size": 80}
NIGHT = "22:00-05:00"


@pytest.mark.parametrize("statuses", [[409], [503], [409, 503, 500, 429]])
def test_a_batch_that_is_not_taken_now_is_sent_again(dna: DnaInThread, statuses: list[int]) -> None:
    with recording(**FULL, statuses=statuses) as backend, running(dna, backend.url, KEY) as etl:
        etl.round()
        assert (sorted(backend.items), len(backend.batches)) == (KEYS, 1)


def test_a_batch_whose_answer_was_cut_is_sent_again_and_comes_twice_for_one(dna: DnaInThread) -> None:
    with recording(mode="SYNC_FULL", batch_size=30, cut_after_commit=1) as backend:
        with running(dna, backend.url, KEY) as etl:
            etl.round()
            first, second = backend.batches
            assert (first.rows, first.fields) == (second.rows, second.fields)
            until_rest(etl)
        assert sorted(backend.items) == KEYS


def test_a_backend_that_stays_away_is_left_after_some_tries(dna: DnaInThread) -> None:
    with recording(**FULL, statuses=[503] * 5) as backend, running(dna, backend.url, KEY) as etl:
        with pytest.raises(BackendAway, match="answered with 503: not now"):
            etl.round()
        assert backend.statuses == []


@pytest.mark.parametrize("status", [400, 401, 413, 422])
def test_what_the_backend_refuses_for_good_is_sent_once(dna: DnaInThread, status: int) -> None:
    with recording(**FULL, statuses=[status, status]) as backend, running(dna, backend.url, KEY) as etl:
        with pytest.raises(BackendRefuses, match=f"answered with {status}: not now"):
            etl.round()
        assert backend.statuses == [status]


def test_a_wrong_key_needs_a_person(dna: DnaInThread) -> None:
    with (
        recording() as backend,
        running(dna, backend.url, "wrong") as etl,
        pytest.raises(
            BackendRefuses, match=r"GET /sync was answered with 403: Invalid x-api-key\. Check ETL_CLIENT_API_KEY"
        ),
    ):
        etl.round()


@pytest.mark.parametrize("status", [301, 302, 307, 308, 404])
def test_an_address_of_another_server_is_told_with_its_setting(dna: DnaInThread, status: int) -> None:
    with recording(**FULL, statuses=[status]) as backend, running(dna, backend.url, KEY) as etl:
        with pytest.raises(BackendRefuses, match=rf"with {status}: not now\. Check BACKEND_URL, {backend.url}/sync$"):
            etl.round()
        assert backend.batches == []


def test_an_address_where_nothing_answers_is_told_with_its_setting(dna: DnaInThread) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with running(dna, url, KEY) as etl, pytest.raises(BackendAway, match=rf"no answer from {url}/? \(BACKEND_URL\)"):
        etl.round()


def test_pauses_double_up_to_ten_minutes_and_begin_anew_after_a_success() -> None:
    troubles = Troubles()
    pauses = [troubles.failed(SierraAway("x"), 0, time(12), 30)[1] for _ in range(9)]
    assert pauses == [5, 10, 20, 40, 80, 160, 320, 600, 600]
    troubles.succeeded()
    assert troubles.failed(SierraAway("x"), 0, time(12), 30) == (logging.WARNING, 5)


def test_no_pause_is_so_long_that_the_process_seems_to_have_stalled() -> None:
    assert Troubles().failed(TooLong("x"), 0, time(12), 30)[1] == 30
    assert Troubles().failed(TooLong("x"), 0, time(12), 86_400)[1] <= STALLED_SECONDS / 2


@pytest.mark.parametrize(
    ("error", "hour", "levels"),
    [
        (SierraAway("x"), 12, [logging.WARNING, logging.ERROR, logging.WARNING]),
        (SierraAway("x"), 23, [logging.WARNING] * 3),
        (BackendAway("x"), 23, [logging.WARNING, logging.ERROR, logging.WARNING]),
        (SierraRefuses("x"), 23, [logging.ERROR, logging.WARNING, logging.WARNING]),
    ],
)
def test_quiet_hours_raise_no_error_and_each_reason_is_one_error(
    error: Away | NeedsPerson, hour: int, levels: list[int]
) -> None:
    troubles = Troubles(NIGHT)
    moments = (0, ALARM_SECONDS, 2 * ALARM_SECONDS)
    assert [troubles.failed(error, now, time(hour), 30)[0] for now in moments] == levels
