"""From the settings to the values that each part of the notifier needs: no part gets the settings as a whole."""

from db.connections import NOTIFIER_LOCK_TIMEOUT_MS, Parameters, connection_parameters
from notifier.in_flight import Limits
from notifier.patch import Rules
from notifier.sierra.client import Access, SierraClient
from notifier.unanswered import UnansweredWrites
from runtime.settings import NotifierSettings, SettingsError

COUNT_TIMEOUT_MS = 120_000


def access_of(settings: NotifierSettings) -> Access:
    """Address, key, pool and time-outs for Sierra."""
    return Access(
        endpoint=settings.sierra_api_endpoint,
        key=settings.sierra_api_client_key.get_secret_value(),
        secret=settings.sierra_api_client_secret.get_secret_value(),
        pool_size=settings.sierra_api_client_pool_size,
        timeout_seconds=settings.sierra_api_client_timeout_seconds,
        retries=settings.sierra_api_client_retries,
        ca_bundle=settings.sierra_api_ca_bundle,
    )


def client_of(settings: NotifierSettings) -> SierraClient:
    """The client for Sierra. SettingsError if the CA bundle can't be used."""
    try:
        return SierraClient(access_of(settings))
    except OSError as error:
        raise SettingsError(f"SIERRA_API_CA_BUNDLE={settings.sierra_api_ca_bundle!r} can't be used: {error}") from error


def rules_of(settings: NotifierSettings) -> Rules:
    """The rules of an update: the fields that it sets."""
    return Rules(
        set_invda=settings.sierra_update_set_invda,
        set_iuse3=settings.sierra_update_set_iuse3,
        iuse3_field=settings.sierra_update_iuse3_field,
        reject_unclear=settings.sierra_update_unclear_call_number == "reject",
    )


def limits_of(settings: NotifierSettings) -> Limits:
    """The limits on requests, items and time."""
    return Limits(
        pool_size=settings.sierra_api_client_pool_size,
        most_items=settings.most_items,
        timeout_seconds=settings.sierra_api_client_timeout_seconds,
        max_attempts=settings.sierra_update_max_attempts,
        dry_run=settings.sierra_update_dry_run,
    )


def unanswered_writes_of(settings: NotifierSettings) -> UnansweredWrites:
    """The memory of unanswered writes, by the settings' time-out and how late a write may be done."""
    return UnansweredWrites(settings.sierra_api_client_timeout_seconds, settings.late_write_seconds)


def listening_at(settings: NotifierSettings) -> Parameters:
    """The parameters of the connection that listens: no pooler may stand in between."""
    return connection_parameters(
        settings, "signum listener", host=settings.listen_db_host, port=settings.listen_db_port
    )


def counting_at(settings: NotifierSettings) -> Parameters:
    """The parameters of the connection that counts the progress: a count may take longer than a push may wait."""
    return connection_parameters(
        settings,
        "signum progress",
        statement_timeout=COUNT_TIMEOUT_MS,
        lock_timeout=NOTIFIER_LOCK_TIMEOUT_MS,
        synchronous_commit="off",
    )
