"""The pages in a real browser: nothing that axe-core objects to, nothing cut off, nothing untranslated."""

import itertools
import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.async_playwright import Axe
from fastapi.routing import APIRoute
from playwright.async_api import Browser, Page

from console.app import PAGES
from console.languages import LANGUAGES, translations
from tests.console.test_translations import SENTENCES
from tests.fix_console import ConsoleClient
from tests.fix_pages import OpenPage
from tests.fix_postgres import TestDatabase

pytestmark = pytest.mark.long
SCHEMES, WIDTHS = ("light", "dark"), (320, 1280)
AN_ITEM = "33010002043111"  # for the places of an address
NO_PAGES = {"/item", "/events"}  # leads to another address; is for the script
QUERIES = {"/history/undo": "?act=undo+all", "/queue/act": "?act=dismiss+all"}
TEXTS = """(() => {
    const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) found.push(walk.currentNode.data.trim());
    return found;
})()"""
CUT_OFF = """[...document.querySelectorAll('body *')].filter(one => {
    const style = getComputedStyle(one);
    return one.clientWidth > 0 && style.overflowX == 'hidden' && one.scrollWidth > one.clientWidth + 1;
}).map(one => one.outerHTML)"""


def addresses() -> list[str]:
    """The address of every page there is."""
    routes = itertools.chain.from_iterable(part.router.routes for part in PAGES)
    pages = {route.path for route in routes if isinstance(route, APIRoute) and "GET" in (route.methods or ())}
    html = {page for page in pages if not page.endswith(".csv") and page not in NO_PAGES}
    return sorted(re.sub(r"{\w+(:\w+)?}", AN_ITEM, page) + QUERIES.get(page, "") for page in html)


def looks() -> Iterator[tuple[str, str, str, int]]:
    """The first page in all languages, colours and widths; each other page in one of these combinations."""
    combinations = list(itertools.product(LANGUAGES, SCHEMES, WIDTHS))
    yield from (("/", *combination) for combination in combinations)
    others = [page for page in addresses() if page != "/"]
    yield from ((page, *combinations[place % len(combinations)]) for place, page in enumerate(others))


async def objections(page: Page) -> list[tuple[str, list[str]]]:
    """The findings of axe-core: each rule with the elements that break it."""
    found = await Axe().run(page)
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found.response["violations"]]


@pytest.mark.parametrize(("address", "language", "scheme", "width"), [*looks()])
async def test_page_can_be_used_by_all_and_is_in_its_language(
    filled: TestDatabase, open_page: OpenPage, address: str, language: str, scheme: str, width: int
) -> None:
    page = await open_page(address, language=language, width=width, color_scheme=scheme)
    assert await page.locator("html").get_attribute("lang") == language
    assert await objections(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= width, "it is wider than the window"
    assert await page.evaluate(CUT_OFF) == []
    known = translations(language)
    english = {one for one in SENTENCES if isinstance(one, str) and known.gettext(one) != one}
    assert english & set(await page.evaluate(TEXTS)) == set()


async def test_sign_in_can_be_used_by_all(chromium: Browser, console: ConsoleClient) -> None:
    page = await chromium.new_page(base_url=console.origin)
    await page.goto("/sign-in")
    assert await objections(page) == []


async def test_no_page_asks_another_server_or_breaks_its_own_policy(
    filled: TestDatabase, open_page: OpenPage, console: ConsoleClient
) -> None:
    page = await open_page("/")
    asked, complaints = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: complaints.append(said.text))
    for address in addresses():
        await page.goto(address)
    assert [url for url in asked if not url.startswith(console.origin)] == []
    assert complaints == []
