"""signum notifier --check, tells a notifier that gets no answer from Sierra from a Sierra that gives none."""

import socket
from typing import Any

import pytest

from sandbox.wire import Wire, through
from tests.fix_library import Library
from tests.fix_postgres import TestDatabase
from tests.fix_processes import Start
from tests.fix_sierra import SierraInThread
from tests.fix_signum import Ran, Signum

HERE = f"{socket.gethostname()}:4711:beef"
BEAT = (
    "INSERT INTO notifier_state (notifier, mode, breaker, waits_for, reason, looped_at, started_at, last_success_at)"
    " VALUES (%s, 'listening', %s, %s, 'Sierra does not answer: ReadError', now(), now() - interval '1 hour',"
    " now() - %s * interval '1 s')"
)


@pytest.fixture
def look(signum: Signum, sierra: SierraInThread) -> Signum:
    """Run the command with a notifier's settings; `SETTING=value` as keywords."""

    def run(**others: Any) -> Ran:
        settings = {
            "SIERRA_API_ENDPOINT": sierra.endpoint,
            "SIERRA_API_CLIENT_KEY": sierra.key,
            "SIERRA_API_CLIENT_SECRET": sierra.secret,
            "SIERRA_API_CLIENT_RETRIES": "0",
        }
        return signum("notifier", "--check", settings=settings | others)

    return run


@pytest.fixture
def check(look: Signum, database: TestDatabase) -> Signum:
    """The same, after a heartbeat."""

    def run(breaker: str = "open", waits_for: str | None = "answer", answered: int | None = 300, **others: Any) -> Ran:
        database.fetch(BEAT, HERE, breaker, waits_for, answered)
        return look(**others)

    return run


@pytest.mark.parametrize("answered", [300, None])
def test_notifier_that_gets_no_answer_from_a_sierra_that_is_well_is_not(check: Signum, answered: int | None) -> None:
    ran = check(answered=answered)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"{HERE} gets no answer from Sierra, which answers here. ")
    assert ran.err.endswith("restart it\n")


def test_notifier_whose_probe_is_under_way_is_not_either(check: Signum, database: TestDatabase) -> None:
    lease = (
        "INSERT INTO update_queue (item_record_id, claimed_by, lease_until) VALUES (%s, %s, now() + interval '1 min')"
    )
    database.fetch(lease, database.add_item(1001), HERE)
    assert check("probing").code == 1


@pytest.mark.parametrize(
    ("given", "well"),
    [
        ({"breaker": "probing"}, "nothing is claimed: there is nothing to ask for"),
        ({"answered": 60}, "Sierra may just have come back"),
        ({"waits_for": "Sierra"}, "Sierra answered it, and said no"),
        ({"waits_for": "person"}, "a restart does not help"),
        ({"waits_for": None}, "a notifier of the release before does not say"),
        ({"SIERRA_API_ENDPOINT": ""}, "without its settings Sierra can not be asked"),
        ({"SIERRA_API_CA_BUNDLE": "/nowhere"}, "nor with wrong ones"),
    ],
)
def test_notifier_that_may_well_wait_is_well(check: Signum, given: dict[str, Any], well: str) -> None:
    assert check(**given).code == 0, well


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503},
        {"kind": "info", "status": 503},
        {"manner": "empty"},
        {"kind": "info", "manner": "hang"},
        {"html": True},
        {"kind": "token", "status": 401},
    ],
)
def test_notifier_that_waits_for_a_sierra_that_is_unwell_is_well(
    check: Signum, sierra: SierraInThread, fault: dict[str, Any]
) -> None:
    sierra.fault(**fault)
    ran = check()
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"{HERE} is waiting for Sierra")


def test_notifier_to_which_the_way_alone_is_cut_is_found(
    look: Signum, sierra: SierraInThread, database: TestDatabase, library: Library, wire_to_sierra: Wire, start: Start
) -> None:
    library.add(1001)
    endpoint = through(wire_to_sierra, sierra.endpoint)
    deaf = start("notifier", sierra_api_endpoint=endpoint, sierra_api_client_timeout_seconds=0.5)
    wire_to_sierra.black_hole()
    library.mark(1001)
    deaf.wait_for_words("stopped pushing: Sierra does not answer")
    database.fetch("UPDATE notifier_state SET started_at = now() - interval '1 hour', last_success_at = NULL")
    deaf.wait_until(lambda: look().code == 1)
    wire_to_sierra.heal()
    deaf.wait_for_words("pushing again: Sierra answers")
    deaf.wait_until(lambda: look().code == 0)
