"""Checks of Sierra (the key and its roles) and of a notifier's surroundings. They only read."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import suppress

from db.checks import check_clock, check_triggers
from db.queue import Connection
from notifier.sierra.client import SierraClient
from notifier.sierra.errors import SierraError, SierraRefused
from runtime.contradictions import find_contradictions
from runtime.findings import Finding
from runtime.settings import NotifierSettings

log = logging.getLogger("signum.notifier")

NEEDED = ("read", "write")
LONGEST_QUESTION_SECONDS = 5.0  # a health check may take 10 in all


async def check_sierra(sierra: SierraClient, endpoint: str) -> AsyncIterator[Finding]:
    """Yield a finding on the key, and, if Sierra takes it, one on its roles."""
    try:
        await sierra.token.get()
    except SierraRefused as error:
        yield Finding("problem", "Sierra", f"{endpoint}: {error}")
        return
    except SierraError as error:
        advice = "Check SIERRA_API_ENDPOINT, the network and SIERRA_API_CA_BUNDLE"
        yield Finding("problem", "Sierra", f"{endpoint}: {error}", advice)
        return
    yield Finding("ok", "Sierra", f"{endpoint} gave a token")
    yield await _check_roles(sierra)


async def is_answering(sierra: SierraClient) -> bool:
    """Ask Sierra the same as a notifier that gets no response. Return False also if that takes too long."""
    with suppress(SierraError, TimeoutError):
        async with asyncio.timeout(LONGEST_QUESTION_SECONDS):
            await sierra.token.get()
            asked_at = time.monotonic()
            await sierra.token_info()
            return sierra.last_response_at > asked_at
    return False


async def _check_roles(sierra: SierraClient) -> Finding:
    try:
        told = await sierra.token_info()
    except SierraError as error:
        return Finding("problem", "Sierra roles", str(error), "Check the key's roles in Sierra")
    if told is None:
        return Finding("ok", "Sierra roles", "Sierra does not tell the key's roles: the first update will show them")
    text = f"{', '.join(told.roles) or 'none'}; the token is good for {told.seconds_left} s"
    names = [role.lower() for role in told.roles]
    missing = [f"Items {need.title()}" for need in NEEDED if not any("item" in n and need in n for n in names)]
    if missing:
        advice = f"If updates are refused, give the key the role {' and '.join(missing)} in Sierra"
        return Finding("warning", "Sierra roles", text, advice)
    return Finding("ok", "Sierra roles", text)


async def warn_at_start(connection: Connection, settings: NotifierSettings) -> None:
    """Log faults that make updates late or lost without an error. Other faults show by themselves."""
    findings = [*find_contradictions(settings), await check_triggers(connection), await check_clock(connection)]
    for finding in findings:
        if finding.level != "ok":
            log.warning("self-check: %s", finding)
