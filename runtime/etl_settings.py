"""The settings of the ETL: those that reading SierraDNA needs, and those of the process that sends what it read.

Where the deployed ETL has a setting of the same meaning, the name is its own.
"""

import re
from datetime import datetime, time, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, StringConstraints

from runtime.hosts import HttpUrl, Port
from runtime.settings import ProcessSettings, Text

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def _check_hours(text: str) -> str:
    if not _HOURS.fullmatch(text):
        raise ValueError("is no HH:MM-HH:MM, e.g. 22:00-05:00")
    return text


Hours = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_check_hours)]
SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]


def is_within(hours: str | None, moment: time) -> bool:
    """Tell whether the moment lies in these hours, `22:00-05:00` beyond midnight too. None: at no time."""
    found = _HOURS.fullmatch(hours or "")
    if found is None:
        return False
    begin, end = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    return begin <= moment < end if begin < end else moment >= begin or moment < end


def begin_of(hours: str, local: datetime) -> datetime:
    """The moment at which these hours last began, by the clock of this machine's zone, summer time or not."""
    begin = time.fromisoformat(hours.partition("-")[0])
    day = local.date() - timedelta(days=local.time() < begin)
    return datetime.combine(day, begin).astimezone()


StateFile = Annotated[
    str | None, Field(description="File that the process touches, for `signum etl --check`; unset: none")
]


class EtlCheckSettings(ProcessSettings):
    """The setting of `signum etl --check`, which needs no password and no key."""

    etl_state_file: StateFile = None


class SierraDnaSettings(ProcessSettings):
    """The settings of reading SierraDNA. libpq's own variables (`PGSSLROOTCERT`, …) are honoured too."""

    sierra_dna_host: Text = Field(description="Host of SierraDNA, Sierra's own PostgreSQL")
    sierra_dna_port: Port = Field(1032, description="Its port")
    sierra_dna_name: Text = Field("iii", description="Its database")
    sierra_dna_user: Text = Field(description="The library's login there")
    sierra_dna_password: SecretStr | None = Field(None, description="Its password")
    sierra_dna_sslmode: SslMode = Field("require", description="libpq's `sslmode` for SierraDNA")
    etl_campus_code: str = Field("", max_length=5, description="The items' `campus_code`; empty: the library's own")
    etl_chunk_items: int = Field(2000, ge=100, le=50_000, description="Items that one short transaction reads")
    etl_statement_timeout_seconds: float = Field(
        120, ge=1, le=590, description="Longest time of a statement; Sierra's own limit is 600 s as a rule"
    )
    etl_most_busy_share: float = Field(
        0.5, ge=0.01, le=1, description="Most of the time that SierraDNA works for the ETL; 1: no rests"
    )


class EtlSettings(SierraDnaSettings):
    """The settings of the process `signum etl`."""

    backend_url: HttpUrl = Field(description="Base URL of the api, e.g. `https://signum.example.org`")
    etl_client_api_key: SecretStr = Field(min_length=1, description="Key of the ETL's client at the api")
    sync_job_interval_seconds: float = Field(30, ge=0.1, le=86_400, description="How often to look for changes")
    etl_overlap_seconds: float = Field(
        120, ge=0, le=86_400, description="How far each look for changes goes back behind the position"
    )
    etl_deep_overlap_seconds: float = Field(
        3600, ge=0, le=604_800, description="The same overlap of a deep look, for batch jobs that commit late"
    )
    etl_deep_interval_seconds: float = Field(900, ge=1, le=604_800, description="How often to look so deep")
    etl_part_items: int = Field(20_000, ge=100, le=1_000_000, description="Items of one upload of changes")
    etl_deletions_interval_seconds: float = Field(600, ge=1, le=604_800, description="How often to look for deletions")
    etl_deletions_overlap_days: int = Field(2, ge=1, le=3650, description="How far that goes back, in days")
    etl_pass_days: float = Field(1, ge=0, le=3650, description="How often all items are compared; 0: never")
    etl_pass_hours: Hours | None = Field(None, description="Hours for that, e.g. `22:00-05:00`; unset: any")
    etl_quiet_hours: Hours | None = Field(None, description="Hours in which Sierra may be away without an ERROR")
    etl_metrics_port: Port | None = Field(None, description="Port of the ETL's `/metrics`; unset: none")
    etl_state_file: StateFile = None
    max_sync_delta_minutes: str | None = Field(
        None, description="Ignored: this ETL looks back as far as it is asked to"
    )
