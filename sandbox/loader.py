"""The sandbox's ETL in Docker Compose: `python -m sandbox.loader` loads the sandbox's catalogue, and ends.

Invented items have numbers and barcodes of real form, so they must never reach a library's own catalogue, whatever the
environment says. The loader knows one database only, of the name `sandbox`; it refuses it if it holds an item that is
not the sandbox's; and it makes its key there, so an api that is on another database refuses the key.
"""

import asyncio
import sys
import time

import httpx
import psycopg
from pydantic import Field
from pydantic_settings import SettingsConfigDict

from db.clients import NewKey, add_client, rotate_client
from db.connections import aconnect, connection_parameters, one_line
from db.items import list_barcodes
from db.queue import Connection
from runtime.settings import DatabaseSettings, SettingsError, read_settings
from sandbox.catalogue import is_ours, make_catalogue
from sandbox.etl import Etl, SyncRefused
from sandbox.system import is_ready

DATABASE = "sandbox"
_CLIENT = "sandbox-etl"


class LoaderSettings(DatabaseSettings):
    """The loader's settings. DB_NAME is none of them: it is always `sandbox`."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, populate_by_name=True)

    api_url: str = Field("http://127.0.0.1:8001", pattern=r"^https?://", description="Where the sandbox's api is")
    sandbox_items: int = Field(2000, ge=1, le=1_000_000, description="Size of the catalogue")
    loader_patience_seconds: float = Field(120, ge=0, le=3600, description="How long to wait for the api")


class LoaderRefuses(Exception):
    """The loader must not load there. The text says where, and why."""


def main() -> int:
    """Return the exit code: 0 the sandbox has the catalogue; 1 it does not; 2 a setting is wrong. stderr says why."""
    try:
        loaded = load(read_settings(LoaderSettings, db_name=DATABASE))
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (LoaderRefuses, SyncRefused, httpx.HTTPError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stderr.write(f"{loaded} items loaded\n")
    return 0


def load(settings: LoaderSettings) -> int:
    """Load the items that are missing. Return the number of items sent. Raise LoaderRefuses, SyncRefused."""
    give_up_at = time.monotonic() + settings.loader_patience_seconds
    while not is_ready(settings.api_url):
        if time.monotonic() > give_up_at:
            raise LoaderRefuses(f"the api at {settings.api_url} was not ready in time")
        time.sleep(1)
    etl = Etl(settings.api_url, asyncio.run(_make_key(settings)))
    try:
        return etl.load([row for item in make_catalogue(settings.sandbox_items) for row in item.rows()])
    finally:
        etl.close()


async def _make_key(settings: LoaderSettings) -> str:
    """Make a key in the sandbox's database. Raise LoaderRefuses if it is missing, or holds a library's own items."""
    parameters = connection_parameters(settings, "signum sandbox")
    try:
        async with await aconnect(parameters) as connection:
            await _refuse_other_items(connection)
            return (await _add_or_rotate(connection)).key
    except psycopg.OperationalError as error:
        where = settings.database_address
        raise LoaderRefuses(f"no database {DATABASE} at {where}: {one_line(error)}") from error


async def _refuse_other_items(connection: Connection) -> None:
    async for item_record_id, barcode in list_barcodes(connection):
        if not is_ours(item_record_id, barcode):
            raise LoaderRefuses(
                f"this database holds item {item_record_id} with barcode {barcode}, which is not the sandbox's: "
                "nothing was loaded. A sandbox has a database of its own"
            )


async def _add_or_rotate(connection: Connection) -> NewKey:
    made = await add_client(connection, _CLIENT, "etl") or await rotate_client(connection, _CLIENT)
    if made is None:
        raise LoaderRefuses(f"the client {_CLIENT} was revoked just now: start the loader again")
    return made


if __name__ == "__main__":
    sys.exit(main())
