"""The tests' surroundings: no settings but their own, and a plugin per kind of fixture."""

import os
import signal
from pathlib import Path

import pytest

from runtime.console_settings import ConsoleSettings
from runtime.etl_settings import EtlSettings
from runtime.settings import ApiSettings, MigrateSettings, NotifierSettings
from sandbox.compose_etl import ComposeEtlSettings

KINDS = (MigrateSettings, ApiSettings, ConsoleSettings, NotifierSettings, EtlSettings, ComposeEtlSettings)
SETTINGS = {name.upper() for kind in KINDS for name in kind.model_fields}
LIBPQ = {"PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE", "PGOPTIONS", "PGTARGETSESSIONATTRS"}
OF_A_PERSON = {"SIGNUM_BY", "COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR"}


def is_foreign(name: str) -> bool:
    """Tell whether the variable must not reach the tests.

    They mark and push: a DB_HOST or SIERRA_API_ENDPOINT of a library's must lead none of them there, nor its proxy take
    what they send to 127.0.0.1. What else libpq reads is for the server of TEST_DATABASE_URL: ours has no PGSSLMODE.
    """
    of_libpq = name in LIBPQ or (name.startswith("PG") and not os.environ.get("TEST_DATABASE_URL"))
    return (
        of_libpq
        or not {name, name.removesuffix("_FILE")}.isdisjoint(SETTINGS | OF_A_PERSON)
        or name.lower().endswith("_proxy")
    )


for foreign in filter(is_foreign, list(os.environ)):
    del os.environ[foreign]
os.environ["SETTINGS_FILE"] = os.devnull

# A shell starts what it runs in the background with Ctrl-C ignored, and so would be all that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = sorted(f"tests.{file.stem}" for file in Path(__file__).parent.glob("fix_*.py"))
pytest.register_assert_rewrite(*pytest_plugins)  # they import each other
