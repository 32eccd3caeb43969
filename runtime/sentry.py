"""What does Sentry get to know? Each ERROR that is logged, with the log lines that led there, and nothing personal.

Off without a DSN: then nothing of Sentry is even imported, and all that is here does nothing.

Sentry listens to the log and to nothing else. So it never sees requests, bodies, headers, local variables or
queries; and what is logged goes through `scrubbed` besides.
"""

import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from types import ModuleType
from typing import Any

from pydantic import SecretStr

from runtime.settings import ProcessSettings

FILTERED = "[filtered]"

_PACKAGE = "signum-savotta-backend"

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
        release=settings.sentry_release or f"{_PACKAGE}@{version(_PACKAGE)}",
        default_integrations=False,
        integrations=integrations,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        before_send=lambda event, hint: scrubbed(event, secrets),
        shutdown_timeout=2,
    )
    sentry_sdk.set_tag("process", process)


@contextmanager
def reporting(trace: str | None = None, **tags: str) -> Iterator[None]:
    """Keep together what is reported inside: one request, one item. It goes on with `trace`, if there is one."""
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


def current_trace() -> str | None:
    """What another process needs to go on with the trace of this one; None if Sentry is off."""
    sdk = _sdk()
    return None if sdk is None else sdk.get_traceparent()


def scrubbed(value: Any, secrets: tuple[str, ...] = ()) -> Any:
    """The same value without what is secret: by its name, by its looks, or because it is one of `secrets`."""
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
