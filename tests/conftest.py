"""Where the fixtures are: one plugin per kind."""

from pathlib import Path

import pytest

pytest_plugins = sorted(f"tests.{file.stem}" for file in Path(__file__).parent.glob("fix_*.py"))
pytest.register_assert_rewrite(*pytest_plugins)  # they import each other
