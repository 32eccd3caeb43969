"""`python -m sandbox.loader` as compose runs it."""

import subprocess
import sys
from pathlib import Path

from sandbox.system import start_system

HOUSE = Path(__file__).parents[2]


def load(**settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sandbox.loader"],
        cwd=HOUSE,
        env=settings,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_an_api_that_never_gets_ready_ends_it_and_it_says_so() -> None:
    done = load(ETL_API_KEY="key", API_URL="http://127.0.0.1:9", LOADER_PATIENCE_SECONDS="0")
    assert done.returncode == 1
    assert "the api at http://127.0.0.1:9 was not ready in time" in done.stderr


def test_without_a_key_it_does_not_begin() -> None:
    done = load(API_URL="http://127.0.0.1:9")
    assert done.returncode != 0
    assert "etl_api_key" in done.stderr


def test_it_loads_the_catalogue_once_and_ends() -> None:
    with start_system(22, lambda doing: None) as system:
        settings = {"ETL_API_KEY": system.etl_key, "API_URL": system.api_url, "SANDBOX_ITEMS": "22"}
        first, again = load(**settings), load(**settings)
        refused = load(**{**settings, "ETL_API_KEY": system.printer_key})
    assert (first.returncode, first.stderr) == (0, "22 items loaded\n")
    assert (again.returncode, again.stderr) == (0, "0 items loaded\n")
    assert refused.returncode == 1
    assert "403" in refused.stderr
