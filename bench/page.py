"""Writes the last measurement into docs/performance.md, between two marks; never edit that part by hand."""

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version

from bench.figures import Figure, table
from bench.plots import DOCS
from sandbox.postgres import programs

PAGE = DOCS / "performance.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
LIBRARIES = ("fastapi", "uvicorn", "uvloop", "sqlalchemy", "psycopg", "httpx", "pgqueuer", "procrastinate")


def write_page(figures: Sequence[Figure], seconds: float) -> None:
    """Renew the part between the marks; the prose around it stays."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    measured = f"{surroundings(seconds)}\n\n{table(figures)}"
    PAGE.write_text(f"{before}{BEGIN}\n{measured}\n{END}{after}", encoding="utf-8")


def surroundings(seconds: float) -> str:
    """Describe the measurement's date, machine and versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    postgres = subprocess.run([programs() / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    number = re.search(r"[\d.]+", postgres)
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d} by `make bench`, in {seconds / 60:.0f} minutes: "
        f"{os.cpu_count()} cores ({platform.machine()}), {memory} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, PostgreSQL {number[0] if number else '?'}, {libraries}."
    )
