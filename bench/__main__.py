"""`python -m bench`: every row, shown and in docs/performance.md. `python -m bench drain`: that row, only shown."""

import argparse
import importlib
import sys
import time

from bench.figures import Figure, table
from bench.page import write_page

ROWS = ("dispatch", "drain", "queues", "requests", "notify", "probes", "ingest", "size", "history", "start")


def main() -> None:
    """Measure, and tell."""
    options = _options()
    figures: list[Figure] = []
    began = time.monotonic()
    for row in options.rows or ROWS:
        print(f"measuring: {row}", file=sys.stderr, flush=True)
        measured = importlib.import_module(f"bench.{row}").measure(options.quick)
        print(table(measured), flush=True)
        figures += measured
    if not options.rows and not options.quick:
        write_page(figures, time.monotonic() - began)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="row", help=f"one or more of: {', '.join(ROWS)}")
    parser.add_argument("--quick", action="store_true", help="seconds per row: shows that it works, not how fast it is")
    options = parser.parse_args()
    if unknown := sorted(set(options.rows) - set(ROWS)):
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    return options


if __name__ == "__main__":
    main()
