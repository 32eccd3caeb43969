"""Swagger UI and ReDoc work in a real browser, which holds them to their Content-Security-Policy."""

import json

import pytest

from tests.fix_api import ApiClient
from tests.fix_browser import Browser

pytestmark = pytest.mark.long

OPERATIONS = 7
PAGES = {
    "/": "document.querySelectorAll('.opblock').length",
    "/redoc": "document.querySelectorAll('[data-section-id*=\"operation/\"] h2').length",
}
TRY = """
(async () => {
    const filled_in = {}
    const until = async (found) => { while (!found()) await new Promise(look => setTimeout(look, 20)); return found() }
    for (const block of document.querySelectorAll('.opblock')) {
        block.querySelector('.opblock-summary-control').click();
        (await until(() => block.querySelector('.try-out__btn'))).click();
        await until(() => block.querySelector('.execute'));
        for (const field of block.querySelectorAll('input')) filled_in[field.placeholder || field.type] = field.value;
    }
    const health = document.querySelector('[id$=is_alive]');
    health.querySelector('.execute').click();
    const answer = await until(() => health.querySelector('.live-responses-table tbody .response-col_status'));
    return JSON.stringify({filled_in, answer: answer.innerText})
})()
"""


@pytest.mark.parametrize("path", PAGES)
def test_page_shows_every_operation_and_breaks_no_rule(api: ApiClient, browser: Browser, path: str) -> None:
    browser.open(f"http://127.0.0.1:{api.port}{path}")
    assert browser.wait_for(PAGES[path]) >= OPERATIONS
    assert browser.complaints == []


def test_fields_are_filled_in_and_a_request_can_be_tried(api: ApiClient, browser: Browser) -> None:
    browser.open(f"http://127.0.0.1:{api.port}/")
    browser.wait_for(PAGES["/"])
    tried = json.loads(browser.run(TRY))
    assert tried["filled_in"] == {
        "barcode": "1231231230012",
        "item_record_id": "450972567890",
        "internal_hostname": "kirjasto-pc-12",
        "internal_ip_address": "192.168.1.12",
        "timestamp": "2026-11-20T12:00:00+02:00",
        "file": "",
    }
    assert tried["answer"].startswith("200")
    assert browser.complaints == []
