"""`python -m bench`: all rows, shown and in docs/performance.md. `python -m bench drain`: that row, only shown.

A row that has a picture draws it anew in docs/, unless it is quick.
"""

import argparse
import importlib
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec

from bench.figures import Figure, table
from bench.page import write_page

ROWS = ("dispatch", "drain", "queues", "requests", "ingest", "etl", "history", "growth", "memory", "size", "console")
ALONE = ("chaos",)  # takes as long as all others together, so it is measured only where it is asked for
NEEDS = {  # packages of the group bench, which the development set-up lacks; quick rows need none
    **dict.fromkeys(("dispatch", "drain", "size", "history"), ("matplotlib",)),
    "queues": ("pgqueuer", "procrastinate"),
    "chaos": ("matplotlib", "pgqueuer", "procrastinate"),
}


def main() -> None:
    """Measure the rows asked for, and print them."""
    options = _options()
    if missing := [] if options.quick else missing_packages(options.rows or ROWS):
        sys.exit(
            f"not measured: {', '.join(missing)} must be installed first: "
            f"{sys.executable} -m pip install --require-hashes -r requirements-bench.lock"
        )
    amounts = {"etl": {"items": options.items}, "memory": {"minutes": options.minutes}}
    figures: list[Figure] = []
    began = time.monotonic()
    for row in options.rows or ROWS:
        row_began = time.monotonic()
        print(f"measuring: {row}", file=sys.stderr, flush=True)
        size = {name: value for name, value in amounts.get(row, {}).items() if value}
        measured = importlib.import_module(f"bench.{row}").measure(options.quick, **size)
        print(table(measured), flush=True)
        print(f"measured: {row}, in {(time.monotonic() - row_began) / 60:.1f} minutes", file=sys.stderr, flush=True)
        figures += measured
    if not options.rows and not options.quick:
        write_page(figures, time.monotonic() - began)


def missing_packages(rows: Sequence[str]) -> list[str]:
    """List the packages that these rows need and that are not installed."""
    needed = {package for row in rows for package in NEEDS.get(row, ())}
    return sorted(package for package in needed if find_spec(package) is None)


def _options() -> argparse.Namespace:
    known = (*ROWS, *ALONE)
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "rows", nargs="*", metavar="row", help=f"one or more of: {', '.join(known)}; none: all but chaos"
    )
    parser.add_argument("--quick", action="store_true", help="seconds per row: shows that it works, not how fast it is")
    parser.add_argument(
        "--items", type=int, help="items of the row etl, 100,000 if not given; 3000000: a whole library"
    )
    parser.add_argument("--minutes", type=float, help="minutes of the row memory, 2 if not given; 60: an hour of load")
    options = parser.parse_args()
    if unknown := sorted(set(options.rows) - set(known)):
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(known)}")
    return options


if __name__ == "__main__":
    main()
