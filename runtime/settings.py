"""The settings: their names, types, bounds and meanings. runtime/sources.py looks them up.

A wrong value stops the process before it does anything: see `read_settings`.
"""

from collections.abc import Set
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from runtime.hosts import Hosts, HttpUrl, Port, Ports, addresses, refuse_other_counts
from runtime.sources import DATABASE_URL, is_secret, look_up

MASKED = "********"


class SettingsError(Exception):
    """A setting is missing or wrong. The text has a line per setting: its name, its value, what is allowed."""


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
RootPath = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^(/[\w.~-]+)*/?$")]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_upper)]
LogFormat = Annotated[Literal["text", "json"], BeforeValidator(_lower)]
Unclear = Annotated[Literal["replace", "reject"], BeforeValidator(_lower)]


class ProcessSettings(BaseSettings):
    """The settings of every process."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, populate_by_name=True)

    env: Text = Field("local", description="Where this runs (`local`, `PROD`); Sentry's environment")
    log_level: LogLevel = Field("INFO", description="Lowest level that is logged; Sentry's breadcrumbs follow it")
    log_format: LogFormat = Field("text", description="`text`, in colours on a terminal; `json`: an object per line")
    sentry_dsn: SecretStr | None = Field(None, description="Where errors are reported; unset: nowhere")
    sentry_release: str | None = Field(None, description="Release that Sentry files them under")
    sentry_traces_sample_rate: float = Field(
        0, ge=0, le=1, description="Share of the updates whose times Sentry is told, from mark to push"
    )
    metrics_host: Text = Field("127.0.0.1", description="Address that the metrics are told at")


class DatabaseSettings(ProcessSettings):
    """The settings of the database. libpq's own variables (`PGSSLMODE`, `PGSSLROOTCERT`, …) are honoured too."""

    database_url: SecretStr | None = Field(
        None, description="`postgresql://USER:PASSWORD@HOST:PORT/NAME`, for those of the next five that are unset"
    )
    db_host: Hosts = Field(
        "localhost", description="Database host, or the directory of its Unix socket; several: `a,b`, tried in turn"
    )
    db_port: Ports = Field(5432, description="Database port; `5432,5433`: one for each of several hosts")
    db_user: Text = Field("signum", description="Database role")
    db_password: SecretStr | None = Field(None, description="Its password; unset: libpq's ways (`PGPASSFILE`, peer)")
    db_name: Text = Field("signum", description="Database name")
    migrate_at_start: bool = Field(
        True, description="Whether api, notifier and console bring the schema to head when they start"
    )

    @field_validator("db_port")
    @classmethod
    def _has_a_port_for_each_host(cls, ports: int | str, info: ValidationInfo) -> int | str:
        refuse_other_counts(info.data.get("db_host"), ports, "gives {} in DB_HOST")
        return ports

    @property
    def database_address(self) -> str:
        """The database's hosts with their ports, for people."""
        return addresses(self.db_host, self.db_port)


class MigrateSettings(DatabaseSettings):
    """The settings of migrate, which makes the database roles whose password is set."""

    signum_api_password: SecretStr | None = Field(None, min_length=1, description="Lets the role `signum_api` in")
    signum_notifier_password: SecretStr | None = Field(
        None, min_length=1, description="Lets the role `signum_notifier` in"
    )
    signum_operator_password: SecretStr | None = Field(
        None, min_length=1, description="Lets the role `signum_operator` in"
    )
    signum_console_password: SecretStr | None = Field(
        None, min_length=1, description="Lets the role `signum_console` in"
    )
    signum_reader_password: SecretStr | None = Field(None, min_length=1, description="Lets the role `signum_reader` in")

    @property
    def role_passwords(self) -> dict[str, str]:
        """The passwords that are set, by role."""
        given = ((name.removesuffix("_password"), value) for name, value in self if name.startswith("signum_"))
        return {role: value.get_secret_value() for role, value in given if value is not None}


class ApiSettings(DatabaseSettings):
    """The settings of the api."""

    api_host: Text = Field("127.0.0.1", description="Address that the api listens on")
    api_port: Port = Field(8000, description="Port that the api listens on")
    api_workers: int = Field(1, ge=1, le=64, description="Number of api processes behind that port")
    api_root_path: RootPath = Field("", description="Path that a proxy in front takes off, e.g. `/signum`")
    api_forwarded_allow_ips: Text = Field(
        "127.0.0.1", description="Proxies whose X-Forwarded headers are believed, comma-separated; `*`: all"
    )
    api_metrics_port: Port | None = Field(None, description="Port of the api's `/metrics`; unset: none")
    api_db_pool_size: int = Field(8, ge=1, le=200, description="Database connections per api process")
    full_sync_batch_size: int = Field(80_000, ge=1, le=1_000_000, description="Items per batch of a full sync")
    sync_upload_limit_mib: int = Field(256, ge=1, le=4096, description="Largest upload, as sent")
    sync_unpacked_limit_mib: int = Field(2048, ge=1, le=65536, description="Largest upload, unpacked")
    etl_max_sync_delta_minutes: int = Field(
        60, ge=1, le=525_600, description="How far the ETL looks back for changes; a longer pause leaves a gap"
    )


class LateWriteSettings(DatabaseSettings):
    """Settings of the time for which an unanswered write may go on: for the notifier, and for dismissals."""

    sierra_api_client_timeout_seconds: float = Field(
        10, ge=0.1, le=600, description="Total time of one request, its retries included"
    )
    sierra_late_write_seconds: float = Field(
        300,
        ge=0,
        le=86_400,
        description="How late Sierra may do a write that had no answer: its item is read again then",
    )

    @property
    def late_write_seconds(self) -> float:
        """For how long Sierra may do a write that had no answer; longer than its item is kept from claims."""
        return max(self.sierra_late_write_seconds, 4 * self.sierra_api_client_timeout_seconds)


class NotifierSettings(LateWriteSettings):
    """The settings of the notifier."""

    listen_db_host: Hosts | None = Field(None, description="Database host for LISTEN, where a pooler sits at `DB_HOST`")
    listen_db_port: Ports | None = Field(None, validate_default=True, description="Database port for LISTEN")
    sierra_api_endpoint: HttpUrl = Field(
        description="Base URL of Sierra's REST API, e.g. `https://sierra.example.org/iii/sierra-api/v6`"
    )
    sierra_api_client_key: SecretStr = Field(min_length=1, description="Client key at Sierra")
    sierra_api_client_secret: SecretStr = Field(min_length=1, description="Client secret at Sierra")
    sierra_api_client_pool_size: int = Field(4, ge=1, le=100, description="Most requests at Sierra at one time")
    sierra_api_client_retries: int = Field(
        3, ge=0, le=10, description="Repeats within one request, of connect errors and empty replies"
    )
    sierra_api_ca_bundle: str | None = Field(None, description="File of the CA that signed Sierra's certificate")
    sierra_update_interval_seconds: float = Field(
        30, ge=0.1, le=86_400, description="The sweep: how often to look at the queue without having been notified"
    )
    sierra_update_misfire_grace_time_seconds: float = Field(
        10, ge=0, le=86_400, description="How late a sweep may be before it is warned of"
    )
    sierra_update_batch_size_limit: int = Field(
        20, ge=0, le=10_000, description="Most items that one notifier pushes at a time; 0: four times the pool size"
    )
    sierra_update_max_attempts: int = Field(10, ge=1, le=100, description="Pushes before an item is rejected (10: 2 h)")
    sierra_update_set_invda: bool = Field(True, description="Whether an update sets the inventory date (INVDA)")
    sierra_update_set_iuse3: bool = Field(True, description="Whether an update sets IUSE3 to 1")
    sierra_update_iuse3_field: int | None = Field(
        None, ge=1, le=999, description="Number of the fixed field IUSE3; unset: found by its label, else 74"
    )
    sierra_update_unclear_call_number: Unclear = Field(
        "replace", description="Call numbers that do not begin with a number: replaced whole, or left to a person"
    )
    sierra_update_dry_run: bool = Field(False, description="True: read, compute and log, but write nothing to Sierra")
    notifier_metrics_port: Port | None = Field(None, description="Port of the notifier's `/metrics`; unset: none")
    update_log_retention_days: int = Field(400, ge=1, le=36_500, description="How long history is kept")

    @field_validator("listen_db_port")
    @classmethod
    def _has_a_port_for_each_listened_host(cls, ports: int | str | None, info: ValidationInfo) -> int | str | None:
        listened, host, port = (info.data.get(name) for name in ("listen_db_host", "db_host", "db_port"))
        if ports is not None:
            refuse_other_counts(listened or host, ports, "gives {} in " + ("LISTEN_DB_HOST" if listened else "DB_HOST"))
        elif listened is not None:
            refuse_other_counts(listened, port, "is unset, and DB_PORT gives {} in LISTEN_DB_HOST")
        return ports

    @property
    def most_items(self) -> int:
        """The number of items that one notifier may push at a time."""
        return self.sierra_update_batch_size_limit or 4 * self.sierra_api_client_pool_size


Settings = TypeVar("Settings", bound=ProcessSettings)


def read_settings(kind: type[Settings], **given: Any) -> Settings:
    """The settings as looked up; `given` ones go first. SettingsError has a line per wrong one, secrets masked."""
    found, problems = look_up(kind)
    if problems:
        raise SettingsError("\n".join(problems))
    try:
        return kind(**{name: value for name, (value, _) in found.items()} | given)
    except ValidationError as error:
        of_url = {name for name, (_, origin) in found.items() if origin == DATABASE_URL.upper()} - given.keys()
        lines = [_problem(kind, one["loc"], one["msg"], one["input"], of_url) for one in error.errors()]
        raise SettingsError("\n".join(lines)) from None


def read_notifier_settings() -> tuple[NotifierSettings, list[str]]:
    """The notifier's settings, and the names of the required ones that are unset here.

    An unset one gets a value that leads nowhere, so that all the others can be used.
    """
    given, _ = look_up(NotifierSettings)
    required = (name for name, field in NotifierSettings.model_fields.items() if field.is_required())
    unset = [name for name in required if name not in given]
    return read_settings(NotifierSettings, **dict.fromkeys(unset, "https://unset.invalid")), unset


def _problem(
    kind: type[ProcessSettings], location: tuple[int | str, ...], message: str, value: object, of_url: Set[str]
) -> str:
    name = str(location[0]) if location else ""
    field = kind.model_fields.get(name)
    if field is None:
        return f"{name.upper() or 'settings'}: {message}"
    allowed = message.removeprefix("Value error, ").removeprefix("Input ")
    if isinstance(value, dict):
        return f"{name.upper()} is not set: {field.description}"
    shown = "" if value is None else "=" + (MASKED if is_secret(field) or name in of_url else repr(value))
    if name in of_url:
        allowed = f"(of DATABASE_URL) {allowed}"
    return f"{name.upper()}{shown} {allowed}: {field.description}"
