"""Fixture `open_page`: the console's pages in Debian's Chromium, driven by Playwright, opened by a person signed in."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.fix_browser import find_program
from tests.fix_console import ConsoleClient, add_person
from tests.fix_postgres import TestDatabase

LIMIT_MS = 30_000
OpenPage = Callable[..., Awaitable[Page]]


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """The browser."""
    program = find_program()
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        await started.close()


@pytest.fixture
async def open_page(chromium: Browser, console: ConsoleClient, database: TestDatabase) -> AsyncIterator[OpenPage]:
    """Sign a new person in, in a browser of their own, and open an address. Colours, width and more as keywords."""
    async with contextlib.AsyncExitStack() as stack:
        persons = iter(range(100))

        async def run(address: str, role: str = "admin", language: str = "en", width: int = 1280, **look: Any) -> Page:
            key = add_person(database, f"{role} {next(persons)}", role)
            database.fetch("UPDATE person SET language = %s", language)
            context = await chromium.new_context(
                base_url=console.origin, viewport={"width": width, "height": 800}, **look
            )
            stack.push_async_callback(context.close)
            context.set_default_timeout(LIMIT_MS)
            page = await context.new_page()
            await page.goto("/sign-in")
            await page.locator("#key").fill(key)
            await page.locator("main button").click()
            await page.goto(address)
            return page

        yield run
