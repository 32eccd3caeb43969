"""How does a backend that runs elsewhere get the sandbox's catalogue? `python -m sandbox.loader` loads it, and ends.

For `docker compose --profile sandbox`; the simulator there has the same items if it was given the same number.
"""

import sys
import time

import httpx
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from sandbox.catalogue import make_catalogue
from sandbox.etl import Etl, SyncRefused
from sandbox.system import is_ready


class LoaderSettings(BaseSettings):
    """What the loader has."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    etl_api_key: SecretStr = Field(description="Key of a client of type `etl`")
    api_url: str = Field("http://127.0.0.1:8000", pattern=r"^https?://", description="Where the api is")
    sandbox_items: int = Field(2000, ge=1, le=1_000_000, description="Size of the catalogue")
    loader_patience_seconds: float = Field(120, ge=0, le=3600, description="How long to wait for the api")


def load(settings: LoaderSettings) -> int:
    """The exit code: 0 the backend has the catalogue, 1 it does not, and stderr says why."""
    give_up_at = time.monotonic() + settings.loader_patience_seconds
    while not is_ready(settings.api_url):
        if time.monotonic() > give_up_at:
            sys.stderr.write(f"the api at {settings.api_url} was not ready in time\n")
            return 1
        time.sleep(1)
    rows = [row for item in make_catalogue(settings.sandbox_items) for row in item.rows()]
    try:
        loaded = Etl(settings.api_url, settings.etl_api_key.get_secret_value()).load(rows)
    except (SyncRefused, httpx.HTTPError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stderr.write(f"{loaded} items loaded\n")
    return 0


if __name__ == "__main__":
    sys.exit(load(LoaderSettings()))
