"""Where the fixtures are: one plugin per kind."""

import os
from pathlib import Path

import pytest

os.environ["SETTINGS_FILE"] = os.devnull  # the .env of whoever runs the tests is none of theirs

pytest_plugins = sorted(f"tests.{file.stem}" for file in Path(__file__).parent.glob("fix_*.py"))
pytest.register_assert_rewrite(*pytest_plugins)  # they import each other
