"""Reports to Sentry: each logged ERROR with the log lines before it, and nothing personal. With
SENTRY_TRACES_SAMPLE_RATE also the times of a share of the updates, from the mark to the push.

Without a DSN Sentry is not even imported, and the functions here do nothing.

Sentry gets log lines, and steps with their times. It never sees requests, bodies, headers, local variables or queries,
and `scrubbed` takes secrets out of all that it gets.
"""

import logging
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from pydantic import SecretStr

from runtime.release import PACKAGE, release
from runtime.settings import ProcessSettings

FILTERED = "[filtered]"

Step = tuple[str, float, float]  # name, begin and end by the monotonic clock

_SECRET_NAME = re.compile(r"api.?key|authori[sz]ation|token|secret|passw|cookie|\bdsn\b", re.IGNORECASE)
_SECRET_TEXT = re.compile(
    r"""
    (?P<kept> \b [a-z_-]* (?: api[_-]?key | authorization | token | secret | password ) ['"]? \s* [:=] \s* )
    (?: "[^"]*" | '[^']*' | (?: (?:bearer|basic) \s+ )? [^\s'",;&}]+ )
    | \b (?:bearer|basic) \s+ [\w.~+/=-]{8,}
    | \b sig_ [\w-]{8,}
    """,
    re.IGNORECASE | re.VERBOSE,
)


def configure_sentry(settings: ProcessSettings, process: str) -> None:
    """Report errors from now on, as those of `process` (`api`, `notifier`). Never waits for Sentry."""
    if settings.sentry_dsn is None:
        return
    import sentry_sdk
    from sentry_sdk.integrations import Integration, atexit, dedupe, excepthook, threading
    from sentry_sdk.integrations import logging as log

    level = logging.getLevelNamesMapping()[settings.log_level]
    secrets = _secrets(settings)
    integrations: list[Integration] = [
        log.LoggingIntegration(level=level, event_level=max(level, logging.ERROR)),
        excepthook.ExcepthookIntegration(),
        threading.ThreadingIntegration(),
        dedupe.DedupeIntegration(),
        atexit.AtexitIntegration(callback=lambda pending, timeout: None),
    ]
    sentry_sdk.init(
        dsn=settings.sentry_dsn.get_secret_value(),
        environment=settings.env,
        release=settings.sentry_release or f"{PACKAGE}@{release()}",
        default_integrations=False,
        integrations=integrations,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        before_send=lambda event, hint: scrubbed(event, secrets),
        before_send_transaction=lambda event, hint: scrubbed(event, secrets),
        traces_sample_rate=settings.sentry_traces_sample_rate or None,  # 0 would still do what a caller's trace says
        shutdown_timeout=2,
    )
    sentry_sdk.set_tag("process", process)


@contextmanager
def reporting(trace: str | None = None, **tags: str) -> Iterator[None]:
    """Group the reports made inside, for one request or one item. Continue `trace`, if there is one."""
    sdk = _sdk()
    if sdk is None:
        yield
        return
    with sdk.isolation_scope() as scope:
        scope.clear_breadcrumbs()
        sdk.continue_trace({"sentry-trace": trace} if trace else {})
        for name, value in tags.items():
            scope.set_tag(name, value)
        yield


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Report the time that the block took, if it is in the sample; inside `reporting`, to whose trace it belongs."""
    sdk = _sdk()
    if sdk is None:
        yield
        return
    with _transaction(sdk, what):
        yield


def tell_steps(what: str, trace: str | None, began: float, steps: Iterable[Step], **tags: str) -> None:
    """Report something that has ended and its steps, if its trace is in the sample."""
    sdk = _sdk()
    if sdk is None:
        return
    clock = time.time() - time.monotonic()
    with reporting(trace, **tags):
        whole = _transaction(sdk, what, start_timestamp=began + clock)
        for name, step_began, step_ended in steps:
            step = whole.start_child(op=name, name=name, start_timestamp=step_began + clock)
            step.finish(end_timestamp=step_ended + clock)
        whole.finish(end_timestamp=clock + time.monotonic())


def _transaction(sdk: ModuleType, what: str, **more: float) -> Any:
    """A transaction, Sentry's timed unit, as a part of the current trace and sampled as that is."""
    going_on = sdk.get_current_scope().get_active_propagation_context()
    return sdk.start_transaction(
        op=what,
        name=what,
        trace_id=going_on.trace_id,
        parent_span_id=going_on.parent_span_id,
        parent_sampled=going_on.parent_sampled,
        **more,
    )


def current_trace() -> str | None:
    """The header by which another process continues this trace; None if Sentry is off."""
    sdk = _sdk()
    return None if sdk is None else sdk.get_traceparent()


def scrubbed(value: Any, secrets: tuple[str, ...] = ()) -> Any:
    """The same value without secrets: those by name, by form, and the given `secrets`."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, FILTERED)
        return _SECRET_TEXT.sub(lambda found: (found["kept"] or "") + FILTERED, value)
    if isinstance(value, Mapping):
        return {
            name: FILTERED if _SECRET_NAME.search(str(name)) else scrubbed(inner, secrets)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [scrubbed(inner, secrets) for inner in value]
    return value


def _sdk() -> ModuleType | None:
    """Sentry's module, if `configure_sentry` has switched it on in this process."""
    sdk = sys.modules.get("sentry_sdk")
    return sdk if sdk is not None and sdk.get_client().is_active() else None


def _secrets(settings: ProcessSettings) -> tuple[str, ...]:
    """The settings' secrets as they are, in case one of them gets into a text."""
    values = (value.get_secret_value() for _, value in settings if isinstance(value, SecretStr))
    return tuple(value for value in values if len(value) >= 4)
