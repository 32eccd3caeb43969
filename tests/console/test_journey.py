"""One morning of an operator, in a real browser: from a rejected item to Sierra, and back. With scripts and without."""

import pytest
from playwright.async_api import Page, expect

from tests.fix_notifier import NO_SWEEP, Notifier, eventually, mark
from tests.fix_pages import LIMIT_MS, OpenPage
from tests.fix_postgres import TestDatabase
from tests.fix_sierra import SierraInThread, make_record

pytestmark = pytest.mark.long
NUMBERS = (1001, 1002, 1003)
OLD, NEW = "84.2 Jännitys", "84.31 Jännitys"
ALL_REJECTED = "SELECT count(*) = 3 FROM update_queue WHERE reason_code = 'absent' AND due_at IS NULL"
UNDONE = "SELECT count(*) = 1 FROM update_log WHERE revert_of IS NOT NULL AND outcome = 'pushed'"
expect.set_options(timeout=LIMIT_MS)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
async def test_rejected_items_are_retried_watched_and_undone(
    database: TestDatabase, sierra: SierraInThread, notifier: Notifier, open_page: OpenPage, scripts: bool
) -> None:
    items = [database.add_item(number) for number in NUMBERS]
    async with notifier(**NO_SWEEP, sierra_api_client_timeout_seconds=30):
        mark(database, *items)
        await eventually(database, ALL_REJECTED)
        sierra.add(*(make_record(str(number), OLD) for number in NUMBERS))
        held = sierra.hold("put_item", times=None)
        page = await open_page("/", role="operator", java_script_enabled=scripts)
        await _retry_all_that_are_absent(page)
        await page.get_by_role("link", name="Now", exact=True).click()
        if scripts:
            await page.evaluate("window.isTheSamePage = true")
        await held.reached()
        held.off()
        await _see(page, "ins", NEW, len(NUMBERS), scripts)
        if scripts:
            assert await page.evaluate("window.isTheSamePage"), "it was loaded anew"
        await _undo_the_push_of(page, "1002")
        await eventually(database, UNDONE)
        assert (sierra.call_numbers("1001"), sierra.call_numbers("1002")) == ([NEW], [OLD])
        await _see(page, "main", f"{NEW} → {OLD}", 1, scripts)


async def _retry_all_that_are_absent(page: Page) -> None:
    await page.get_by_role("link", name="Queue", exact=True).click()
    await page.locator("select[name=state]").select_option("rejected")
    await page.locator("select[name=reason]").select_option("absent")
    await page.get_by_role("button", name="Show", exact=True).click()
    await expect(page.locator("main")).to_contain_text("3 items match")
    await page.get_by_role("button", name="Retry all that match …").click()
    await expect(page.locator("h1")).to_have_text("Retry 3 rejected items?")
    await page.get_by_role("button", name="Yes, retry").click()
    await expect(page.locator(".notice.good")).to_contain_text("3 of 3 items: tried again")


async def _undo_the_push_of(page: Page, number: str) -> None:
    await page.locator("#scan").fill(number)
    await page.get_by_role("button", name="Show item").click()
    await page.get_by_role("button", name="Undo push").click()
    await expect(page.locator(".notice.good")).to_be_visible()


async def _see(page: Page, selector: str, text: str, times: int, scripts: bool) -> None:
    """Return when the text is there so often: by itself, or where scripts are off, as the page is loaded again."""
    found = page.locator(selector).get_by_text(text) if selector == "main" else page.locator(selector, has_text=text)
    if scripts:
        await expect(found).to_have_count(times)
        return
    while await found.count() != times:
        await page.reload()
