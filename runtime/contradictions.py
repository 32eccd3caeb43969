"""Settings that are each allowed, but make no sense together or where this runs."""

from collections.abc import Iterator

from runtime.findings import Finding
from runtime.settings import NotifierSettings

LONGEST_TIMEOUT_SECONDS = 60
LONGEST_SWEEP_SECONDS = 600


def find_contradictions(settings: NotifierSettings) -> list[Finding]:
    """A finding for each contradiction; none if all is well."""
    warnings = [Finding("warning", "settings", text, advice) for text, advice in _contradictions(settings)]
    dry_run = find_dry_run(settings)
    return [*warnings, dry_run] if dry_run and dry_run.level == "problem" else warnings


def find_dry_run(settings: NotifierSettings) -> Finding | None:
    """A finding if SIERRA_UPDATE_DRY_RUN is on: a problem in production, a warning elsewhere. Else None."""
    if not settings.sierra_update_dry_run:
        return None
    text = f"SIERRA_UPDATE_DRY_RUN is true with ENV={settings.env}: updates are computed, and never written"
    return Finding(
        "problem" if _is_production(settings) else "warning", "settings", text, "Set SIERRA_UPDATE_DRY_RUN to false"
    )


def _is_production(settings: NotifierSettings) -> bool:
    return settings.env.upper() == "PROD"


def _contradictions(settings: NotifierSettings) -> Iterator[tuple[str, str]]:
    """Pairs of text and advice."""
    limit, slots = settings.sierra_update_batch_size_limit, settings.sierra_api_client_pool_size
    timeout, sweep = settings.sierra_api_client_timeout_seconds, settings.sierra_update_interval_seconds
    if 0 < limit < slots:
        yield (
            f"SIERRA_UPDATE_BATCH_SIZE_LIMIT={limit} is below SIERRA_API_CLIENT_POOL_SIZE={slots}: "
            f"no more than {limit} requests are ever under way",
            "Set the limit to 0, which is four times the pool size",
        )
    if timeout > LONGEST_TIMEOUT_SECONDS:
        yield (
            f"SIERRA_API_CLIENT_TIMEOUT_SECONDS={timeout:g}: what a killed notifier held waits six times as long",
            f"Set it to {LONGEST_TIMEOUT_SECONDS} at the most",
        )
    if sweep > LONGEST_SWEEP_SECONDS:
        yield (
            f"SIERRA_UPDATE_INTERVAL_SECONDS={sweep:g}: an update whose notification was lost waits that long",
            f"Set it to {LONGEST_SWEEP_SECONDS} at the most",
        )
    if settings.sierra_api_endpoint.startswith("http://") and _is_production(settings):
        yield (
            f"SIERRA_API_ENDPOINT begins with http:// with ENV={settings.env}: our key goes over the wire in the clear",
            "Use https://",
        )
