"""The sandbox's ETL in Docker Compose: `python -m sandbox.compose_etl` makes itself a key, and becomes `signum etl`.

Invented items have numbers and barcodes of real form, so they must never reach a library's own catalogue, whatever the
environment says. It knows one database only, of the name `sandbox`; it refuses it if it holds an item that is not the
sandbox's; and it makes its key there, so an api that is on another database refuses the key. Nothing of the environment
reaches `signum etl`: it reads the sandbox's SierraDNA, with the login that every sandbox has.
"""

import asyncio
import os
import sys
import time

import httpx
import psycopg
from psycopg.conninfo import make_conninfo
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from db.clients import NewKey, add_client, rotate_client
from db.connections import aconnect, connection_parameters, one_line
from db.items import list_barcodes
from db.queue import Connection
from runtime.hosts import Port
from runtime.settings import DatabaseSettings, SettingsError, read_settings
from sandbox.dna import login
from sandbox.dna_catalogue import is_ours
from sandbox.etl import Etl, SyncRefused
from sandbox.processes import PLAIN_ENVIRONMENT
from sandbox.settings import QUICK_ETL, etl_settings
from sandbox.system import is_ready

DATABASE = "sandbox"
_CLIENT = "sandbox-etl"


class ComposeEtlSettings(DatabaseSettings):
    """The settings of the sandbox's ETL. DB_NAME is none of them: it is always `sandbox`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, populate_by_name=True)

    api_url: str = Field("http://127.0.0.1:8001", pattern=r"^https?://", description="Where the sandbox's api is")
    sandbox_dna_host: str = Field("127.0.0.1", description="Host of the sandbox's SierraDNA")
    sandbox_dna_port: Port = Field(5432, description="Its port")
    sandbox_patience_seconds: float = Field(120, ge=0, le=3600, description="How long to wait for the api")
    sandbox_etl_state_file: str = Field("/tmp/etl", description="File for `signum etl --check`")  # noqa: S108


class SandboxRefuses(Exception):
    """Nothing may be loaded there. The text says where, and why."""


def main() -> int:
    """Become `signum etl`, or return the exit code: 1 it must not, or can't; 2 a setting is wrong. stderr says why."""
    try:
        environment = prepare(read_settings(ComposeEtlSettings, db_name=DATABASE))
        os.execve(sys.executable, [sys.executable, "-m", "cli.main", "etl"], environment)  # noqa: S606
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (SandboxRefuses, SyncRefused, httpx.HTTPError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


def prepare(settings: ComposeEtlSettings) -> dict[str, str]:
    """Make a key that the api takes. Return the environment of `signum etl`. Raise SandboxRefuses, SyncRefused."""
    give_up_at = time.monotonic() + settings.sandbox_patience_seconds
    while not is_ready(settings.api_url):
        if time.monotonic() > give_up_at:
            raise SandboxRefuses(f"the api at {settings.api_url} was not ready in time")
        time.sleep(1)
    key = asyncio.run(_make_key(settings))
    etl = Etl(settings.api_url, key)
    try:
        etl.ask()
    finally:
        etl.close()
    dna = login(make_conninfo(host=settings.sandbox_dna_host, port=settings.sandbox_dna_port))
    leading = etl_settings(dna, settings.api_url, key)
    return {**PLAIN_ENVIRONMENT, **leading, **QUICK_ETL, "ETL_STATE_FILE": settings.sandbox_etl_state_file}


async def _make_key(settings: ComposeEtlSettings) -> str:
    """Make a key in the sandbox's database. Raise SandboxRefuses if it is missing, or holds a library's own items."""
    parameters = connection_parameters(settings, "signum sandbox")
    try:
        async with await aconnect(parameters) as connection:
            await _refuse_other_items(connection)
            return (await _add_or_rotate(connection)).key
    except psycopg.OperationalError as error:
        where = settings.database_address
        raise SandboxRefuses(f"no database {DATABASE} at {where}: {one_line(error)}") from error


async def _refuse_other_items(connection: Connection) -> None:
    async for item_record_id, barcode in list_barcodes(connection):
        if not is_ours(item_record_id, barcode):
            raise SandboxRefuses(
                f"this database holds item {item_record_id} with barcode {barcode}, which is not the sandbox's: "
                "nothing was loaded. A sandbox has a database of its own"
            )


async def _add_or_rotate(connection: Connection) -> NewKey:
    made = await add_client(connection, _CLIENT, "etl") or await rotate_client(connection, _CLIENT)
    if made is None:
        raise SandboxRefuses(f"the client {_CLIENT} was revoked just now: start it again")
    return made


if __name__ == "__main__":
    sys.exit(main())
