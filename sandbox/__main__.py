"""`python -m sandbox`: a whole Signum-savotta on this machine, one label printed in it, and then yours to explore.

`--once` does the same without staying: one line of JSON on stdout, what happens on stderr, and exit code 0 only if
Sierra holds the right record, and our ETL has brought it back from SierraDNA.
"""

import argparse
import json
import signal
import sys
import time
from types import FrameType

import httpx
from rich.console import Console

from sandbox.catalogue import make_catalogue
from sandbox.demo import DemoFailed, Printed, follow_back, load_catalogue, ordinary_items, print_label
from sandbox.etl import SyncRefused
from sandbox.postgres import PostgresFailed
from sandbox.processes import ProcessFailed
from sandbox.screen import show_printed, show_ways_to_play
from sandbox.system import Dna, start_system

MOST_ITEMS_WITH_DNA = 100_000


def main() -> int:
    """Return the exit code: 0 done, 1 it failed."""
    options = read_options()
    screen = Console(stderr=options.once, highlight=False)
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)  # also where a shell's `&` has it ignored
    try:
        dna = None if options.without_dna else Dna(options.dna, options.dna_indexes)
        return play(options.items, options.once, screen, dna)
    except KeyboardInterrupt:
        screen.print("Everything is gone.")
        return 1 if options.once else 0
    except (DemoFailed, PostgresFailed, ProcessFailed, SyncRefused, httpx.HTTPError) as error:
        screen.print(str(error), style="red", markup=False)
        if options.once:
            _write_result(0, None)
        return 1


def play(size: int, once: bool, screen: Console, dna: Dna | None = None) -> int:
    """Start the system, print two labels, show one, and stay unless `once`."""
    items = make_catalogue(size)
    begun = time.monotonic()

    def tell(doing: str) -> None:
        screen.print(f"[dim]{time.monotonic() - begun:4.1f} s[/dim] {doing}")

    with start_system(size, tell, 1, dna, not once) as system:
        loaded = load_catalogue(system, items, screen)
        shown, first, *_ = ordinary_items(items)
        first_ms = print_label(system, first).dispatch_ms
        printed = follow_back(system, print_label(system, shown))
        show_printed(printed, first_ms, screen)
        if once:
            _write_result(loaded, printed)
            return 0
        show_ways_to_play(system, items, screen)
        while True:
            time.sleep(1)
            system.check()


def read_options() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A whole Signum-savotta to play with.")
    parser.add_argument("--items", type=_size, default=2000, metavar="N", help="size of the catalogue (2000)")
    parser.add_argument("--once", action="store_true", help="one label, one line of JSON, and out")
    parser.add_argument("--dna", type=int, default=0, metavar="PORT", help="SierraDNA's port (any that is free)")
    parser.add_argument("--dna-indexes", action="store_true", help="SierraDNA with indexes on its stamps")
    parser.add_argument(
        "--without-dna", action="store_true", help="no SierraDNA: the catalogue is loaded as the deployed ETL does"
    )
    options = parser.parse_args()
    if options.items > MOST_ITEMS_WITH_DNA and not options.without_dna:
        parser.error(f"SierraDNA takes minutes to load more than {MOST_ITEMS_WITH_DNA:,} items: add --without-dna")
    return options


def _size(text: str) -> int:
    if not 2 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError("2 to 1,000,000")
    return int(text)


def _write_result(loaded: int, printed: Printed | None) -> None:
    result = {
        "items_loaded": loaded,
        "call_number_before": printed and printed.call_number_before,
        "call_number_after": printed and printed.call_number_after,
        "dispatch_ms": printed and printed.dispatch_ms,
        "seen_back_ms": printed and printed.seen_back_ms,
        "ok": printed is not None,
    }
    sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Interrupt at the first signal, and ignore more of them during the clean-up."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
