"""Sentry's events, received over real HTTP and looked at as they arrive, hold errors and nothing personal."""

import os
import subprocess
import sys
import time

import pytest

from runtime.sentry import FILTERED, scrubbed
from tests.fix_sentry import Receiver

KEY = "sig_4qTq8Yk2m3xkQ1vW7n0rS5tU9aB6cD2eF8gH1jK4lM0"
WIRE_SECONDS = 30


HEAD = """
import logging, sys
from runtime.logging import configure_logging
from runtime.sentry import configure_sentry, current_trace, reporting, tell_steps, timed
from runtime.settings import DatabaseSettings, read_settings
settings = read_settings(DatabaseSettings)
configure_logging(settings.log_level)
configure_sentry(settings, "api")
log = logging.getLogger("signum.test")
"""


def run(code: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, as Sentry is one per process."""
    environment = {
        "PATH": os.environ["PATH"],
        "SETTINGS_FILE": os.devnull,
        **{name.upper(): value for name, value in settings.items()},
    }
    return subprocess.run(
        [sys.executable, "-c", HEAD + code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_error_is_reported_with_where_and_what_led_there(receiver: Receiver) -> None:
    done = run(
        """
log.info("claimed", extra={"items": 3})
try:
    raise LookupError("no such shelf")
except LookupError:
    log.exception("push failed", extra={"item_number": "2043111"})
""",
        sentry_dsn=receiver.dsn,
        env="PROD",
        sentry_release="signum@1.2.3",
    )
    assert done.returncode == 0, done.stderr
    (event,) = receiver.events()
    assert (event["environment"], event["release"], event["level"]) == ("PROD", "signum@1.2.3", "error")
    assert event["tags"]["process"] == "api"
    assert event["logentry"]["message"] == "push failed"
    assert event["extra"]["item_number"] == "2043111"
    assert event["exception"]["values"][-1]["value"] == "no such shelf"
    assert [crumb["message"] for crumb in event["breadcrumbs"]["values"]] == ["claimed"]


def test_only_errors_are_reported_and_log_level_decides_what_led_there(receiver: Receiver) -> None:
    code = 'log.debug("looked"); log.info("claimed"); log.warning("late"); log.error("push failed")'
    for level, crumbs in {
        "DEBUG": ["looked", "claimed", "late"],
        "INFO": ["claimed", "late"],
        "WARNING": ["late"],
    }.items():
        run(code, sentry_dsn=receiver.dsn, log_level=level)
        (event,) = receiver.events()
        assert event["logentry"]["message"] == "push failed"
        assert [crumb["message"] for crumb in event.get("breadcrumbs", {}).get("values", [])] == crumbs


def test_error_that_ends_the_process_is_reported(receiver: Receiver) -> None:
    assert run('raise LookupError("no such shelf")', sentry_dsn=receiver.dsn).returncode == 1
    (event,) = receiver.events()
    assert event["exception"]["values"][-1]["type"] == "LookupError"


def test_nothing_secret_and_nothing_personal_leaves(receiver: Receiver) -> None:
    done = run(
        f"""
def push(x_api_key, patron="nenialäkieM ittaM"[::-1]):  # a report may show this line
    raise RuntimeError(f"Sierra refused x-api-key: {{x_api_key}} with Bearer abc.def-ghi123456 and hunter2-hunter2")

log.info("sent Authorization: Basic dXNlcjpwYXNzd29yZA==", extra={{"api_key": "{KEY}"}})
try:
    push("{KEY}")
except RuntimeError:
    log.exception(
        "push failed with %s", "access_token=s3cr3t-value",
        extra={{"authorization": "Bearer zzzzzzzz", "nested": {{"client_secret": "n3sted", "list": ["{KEY}"]}}}},
    )
""",
        sentry_dsn=receiver.dsn,
        db_password="hunter2-hunter2",
    )
    assert done.returncode == 0, done.stderr
    sent = receiver.envelopes.get(timeout=WIRE_SECONDS).decode()
    for secret in (KEY, "abc.def", "hunter2", "dXNlcj", "s3cr3t", "zzzzzzzz", "n3sted", "Matti", '"vars"'):
        assert secret not in sent
    assert FILTERED in sent


def test_what_is_reported_inside_a_request_stays_with_it(receiver: Receiver) -> None:
    run(
        """
trace = "771a43a4192642f0b136d5159a501700-7b5b6e5c4d3f2a19"
with reporting(request_id="first"):
    log.info("of the first")
with reporting(trace, request_id="second"):
    print(current_trace())
    log.error("push failed")
""",
        sentry_dsn=receiver.dsn,
    )
    (event,) = receiver.events()
    assert event["tags"]["request_id"] == "second"
    assert not event.get("breadcrumbs", {}).get("values")
    assert event["contexts"]["trace"]["trace_id"] == "771a43a4192642f0b136d5159a501700"


def test_trace_of_one_process_is_gone_on_with_in_another(receiver: Receiver) -> None:
    first = run("with reporting():\n    print(current_trace()); log.error('marked')", sentry_dsn=receiver.dsn)
    trace = first.stdout.strip()
    run(f"with reporting({trace!r}):\n    log.error('pushed')", sentry_dsn=receiver.dsn)
    one, other = receiver.events()
    assert one["contexts"]["trace"]["trace_id"] == other["contexts"]["trace"]["trace_id"] == trace.partition("-")[0]


def test_requests_are_traces_of_their_own(receiver: Receiver) -> None:
    done = run(
        "with reporting(): print(current_trace())\nwith reporting(): print(current_trace())", sentry_dsn=receiver.dsn
    )
    first, second = (line.partition("-")[0] for line in done.stdout.split())
    assert first != second


TIME = """
with reporting({trace!r}):
    with timed("mark"):
        print(current_trace())
tell_steps("push", {trace!r}, 0.0, [("read", 1.0, 2.0)])
"""
TRACE = "771a43a4192642f0b136d5159a501700-7b5b6e5c4d3f2a19"


@pytest.mark.parametrize(
    ("rate", "trace", "told"),
    [("1", TRACE, 2), ("0", TRACE, 0), ("0", f"{TRACE}-1", 0), ("0.001", f"{TRACE}-1", 2), ("1", f"{TRACE}-0", 0)],
)
def test_times_are_told_of_the_sample_only_and_the_trace_says_whether_it_is_in(
    receiver: Receiver, rate: str, trace: str, told: int
) -> None:
    done = run(TIME.format(trace=trace), sentry_dsn=receiver.dsn, sentry_traces_sample_rate=rate)
    assert done.stdout.startswith(TRACE.partition("-")[0]), done.stderr
    assert [each["transaction"] for each in receiver.transactions()] == ["mark", "push"][:told]


def test_without_a_dsn_nothing_of_sentry_is_even_imported() -> None:
    done = run(
        "with reporting('x'), timed('x'): log.error('push failed')\n"
        "tell_steps('x', None, 0.0, [])\n"
        "print('sentry_sdk' in sys.modules, current_trace())"
    )
    assert done.stdout == "False None\n", done.stderr


def test_sentry_that_can_not_be_reached_keeps_no_process_waiting() -> None:
    with Receiver() as receiver:
        dsn = receiver.dsn  # it listens, and never answers
        began = time.monotonic()
        done = run("log.error('push failed'); print('went on')", sentry_dsn=dsn)
    assert (done.returncode, done.stdout) == (0, "went on\n")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("text", ["token refused", "the secret is out", "no password given", "basic shelf", "signum_x"])
def test_talk_about_secrets_is_no_secret(text: str) -> None:
    assert scrubbed(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Authorization: Bearer abcdefgh", "Authorization: [filtered]"),
        ("password=hunter2 host=db", "password=[filtered] host=db"),
        ("{'x-api-key': 'abc', 'a': 1}", "{'x-api-key': [filtered], 'a': 1}"),
        (f"key {KEY} is unknown", "key [filtered] is unknown"),
        ("client_secret='a b'", "client_secret=[filtered]"),
    ],
)
def test_secrets_are_known_by_their_looks(text: str, left: str) -> None:
    assert scrubbed(text) == left
