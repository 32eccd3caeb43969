"""Measures each page of the console in a busy library after five years, beside 50 open ones.

And whether print stations notice these.
"""

import contextlib
import itertools
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import httpx
from fastapi.routing import APIRoute

from bench.dispatch import time_dispatch
from bench.figures import Figure, median, p50_p99, quantile
from bench.ground import Api, Ground, Simulator, is_listening
from bench.library import ITEMS, LABELS, QUEUED, YEARS, keep_library
from bench.load import any_of, press
from console.app import PAGES
from sandbox.postgres import free_port
from sandbox.processes import Process

OPEN_PAGES = 50
FILTERED = (  # what many meet, and what none meets
    *("/queue?state=rejected", "/queue?state=rejected&reason=absent", "/queue?state=postponed", "/queue?state=waiting"),
    *("/queue?by=nobody", "/queue?words=kirja", "/queue?words=nothing"),
    *("/history?person=desk+7", "/history?person=nobody", "/history?outcome=dismissed"),
)
NO_PAGES = {"/events", "/history/undo", "/item", "/queue/act"}  # for the script, for barcodes, and questions
STATIONS, MARKS = 4, 60  # marks a turn: of 100 in all, the slowest would be the p99
QUEUE_ITEMS = """
INSERT INTO update_queue (item_record_id, due_at, attempts, last_error, reason_code)
SELECT
    item_record_id,
    CASE WHEN place %% 25 = 0 THEN NULL ELSE now() + interval '1 day' END,
    1,
    CASE WHEN place %% 25 = 0 THEN 'Sierra has no item ' ELSE 'Somebody is using item ' END || item_number,
    CASE WHEN place %% 25 = 0 THEN 'absent' ELSE 'in_use' END
FROM (
    SELECT item_record_id, item_number, row_number() OVER () AS place FROM sierra_item ORDER BY 1 DESC LIMIT %s
) AS item
"""


def measure(quick: bool) -> list[Figure]:
    """Measure the pages: their times, the bytes of a first load, and what print stations and pushes notice of them."""
    items, labels, queued = (5_000, 10_000, 200) if quick else (ITEMS, LABELS, QUEUED)
    times, rounds, seconds = (3, 1, 0.5) if quick else (100, 5, 5.0)
    ground = keep_library(items, labels)
    _fill_queue(ground, queued)
    with (
        ground.start_sierra() as sierra,
        ground.start_api() as api,
        ground.start_notifier(sierra, UPDATE_LOG_RETENTION_DAYS=str((YEARS + 1) * 366)),
        _start_console(ground) as url,
    ):
        cookie = _sign_in(ground, url)
        idle, busy = _Stations([], []), _Stations([], [])
        with httpx.Client(base_url=url, headers={"Cookie": cookie}, timeout=60, trust_env=False) as browser:
            first_load = _count_bytes(browser)
            for turn in range(rounds):
                idle.work(ground, api, sierra, turn, seconds)
                with _open_pages(ground, url, cookie):
                    busy.work(ground, api, sierra, turn + rounds, seconds)
            with _open_pages(ground, url, cookie):
                pages = {address: _time(browser, address, times) for address in addresses(ground)}
    slowest = max(pages, key=lambda address: quantile(pages[address], 0.99))
    what = f"at {items:,} items, {queued:,} queued, {labels:,} labels in {YEARS} years, beside {OPEN_PAGES} open pages"
    return [
        *(_of_page(address, milliseconds, what) for address, milliseconds in pages.items()),
        Figure(
            what="console: bytes of a first load, with style, script and icon",
            ours=f"{first_load / 1000:.1f} kB",
            beside=f"slowest page {slowest}",
            share="",
            goal="< 40 kB",
            reached=first_load < 40_000,
        ),
        _beside("a print station reads", idle.reads, busy.reads),
        _beside("dispatch", idle.dispatches, busy.dispatches),
    ]


class _Stations:
    """The times of print stations' reads, and of a mark's way to Sierra."""

    def __init__(self, reads: list[float], dispatches: list[float]) -> None:
        self.reads, self.dispatches = reads, dispatches

    def work(self, ground: Ground, api: Api, sierra: Simulator, turn: int, seconds: float) -> None:
        """Read for so long, then mark some items one by one."""
        reads = any_of("/itemdata/", int(ground.items[0].barcode), 1_000)
        self.reads += press(api.url, "GET", api.printer_key, reads, STATIONS, seconds).milliseconds
        for item in ground.items[turn * MARKS : turn * MARKS + MARKS]:
            self.dispatches.append(time_dispatch(api, sierra, item))


def _of_page(address: str, milliseconds: Sequence[float], what: str) -> Figure:
    p50, p99 = median(milliseconds), quantile(milliseconds, 0.99)
    return Figure(
        what=f"console: {address} {what}",
        ours=p50_p99(milliseconds),
        beside="",
        share="",
        goal="p50 < 150 ms, p99 < 500 ms",
        reached=p50 < 150 and p99 < 500,
    )


def _beside(what: str, idle: Sequence[float], busy: Sequence[float]) -> Figure:
    share = quantile(busy, 0.99) / quantile(idle, 0.99)
    return Figure(
        what=f"{what}, beside {OPEN_PAGES} open pages of the console",
        ours=p50_p99(busy),
        beside=f"no page open {p50_p99(idle)}",
        share=f"p99 {share:.2f} x",
        goal="within noise: p99 ≤ 1.5 x",
        reached=share <= 1.5,
    )


def addresses(ground: Ground) -> list[str]:
    """The address of every page there is."""
    routes = itertools.chain.from_iterable(part.router.routes for part in PAGES)
    pages = {route.path for route in routes if isinstance(route, APIRoute) and "GET" in (route.methods or ())}
    html = {page for page in pages if page not in NO_PAGES and not page.endswith(".csv")}
    long_past = (datetime.now(UTC) - timedelta(days=200)).date()
    filtered = [*FILTERED, f"/history?from={long_past}&until={long_past}"]
    return [*sorted(re.sub(r"{\w+(:\w+)?}", str(ground.items[0].barcode), page) for page in html), *filtered]


@contextlib.contextmanager
def _start_console(ground: Ground) -> Iterator[str]:
    port = free_port()
    with ground.start_module("cli.main", "console", CONSOLE_PORT=str(port)) as process:
        process.wait_until(lambda: is_listening(port))
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def _open_pages(ground: Ground, url: str, cookie: str) -> Iterator[Process]:
    with ground.start_module("bench.open_pages", url, cookie, str(OPEN_PAGES)) as process:
        process.wait_until(lambda: process.log.read_text().count("200\n") == OPEN_PAGES)
        yield process


def _fill_queue(ground: Ground, queued: int) -> None:
    with ground.connect() as connection:
        connection.execute("TRUNCATE update_queue")
        connection.execute(QUEUE_ITEMS, [queued])
        connection.execute("VACUUM (ANALYZE) update_queue")
        connection.execute("CHECKPOINT")


def _sign_in(ground: Ground, url: str) -> str:
    """Return the cookie of an admin who is signed in."""
    key = "sig_" + secrets.token_urlsafe(32)
    with ground.connect() as connection:
        statement = "INSERT INTO person (person_name, role, key_sha256) VALUES ('bench', 'admin', %s)"
        connection.execute(statement, [sha256(key.encode()).digest()])
    with httpx.Client(base_url=url, trust_env=False) as browser:
        token = re.search(r'name="form_token" value="(\w+)"', browser.get("/sign-in").text)
        assert token
        answer = browser.post("/sign-in", data={"form_token": token[1], "key": key}, headers={"Origin": url})
        assert answer.status_code == 303, answer.text
        return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


def _count_bytes(browser: httpx.Client) -> int:
    """Count what a browser gets that opens the first page: heads are some hundred bytes more."""
    page = browser.get("/").raise_for_status()
    files = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text))
    return page.num_bytes_downloaded + sum(browser.get(file).num_bytes_downloaded for file in files)


def _time(browser: httpx.Client, address: str, times: int) -> list[float]:
    """The milliseconds of each request for the page."""
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        browser.get(address).raise_for_status()
        spent.append((time.perf_counter() - began) * 1000)
    return spent
