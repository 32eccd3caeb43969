"""The tests' surroundings: no settings but their own, and a plugin per kind of fixture."""

import os
from pathlib import Path

import pytest

from runtime.settings import ApiSettings, MigrateSettings, NotifierSettings
from sandbox.loader import LoaderSettings

KINDS = (MigrateSettings, ApiSettings, NotifierSettings, LoaderSettings)
SETTINGS = {name.upper() for kind in KINDS for name in kind.model_fields}
LIBPQ = {"PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE", "PGOPTIONS", "PGTARGETSESSIONATTRS"}

# Tests mark and push: a DB_HOST or SIERRA_API_ENDPOINT of a library's must lead none of them there.
for name in list(os.environ):
    if name.removesuffix("_FILE") in SETTINGS or name in LIBPQ | {"SIGNUM_BY"}:
        del os.environ[name]
os.environ["SETTINGS_FILE"] = os.devnull

pytest_plugins = sorted(f"tests.{file.stem}" for file in Path(__file__).parent.glob("fix_*.py"))
pytest.register_assert_rewrite(*pytest_plugins)  # they import each other
