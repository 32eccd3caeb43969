"""The notice above a page, on what came of the form before it: a cookie that the next page shows and drops.

It is sealed for its browser: another site of our domain can set cookies for ours, and must not speak in our name.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from secrets import compare_digest
from typing import NamedTuple

from fastapi import Request, Response

from console.browser import Browser

COOKIE = "signum_notice"
KEPT_SECONDS = 60


class Notice(NamedTuple):
    """A sentence, whether it is good news, and a new key, which nothing shows again."""

    text: str
    is_good: bool = True
    key: str | None = None


def leave_notice(browser: Browser, response: Response, notice: Notice) -> None:
    """Have the next page show it."""
    text = urlsafe_b64encode(json.dumps(notice).encode()).decode()
    browser.keep(response, COOKIE, f"{browser.seal(text)}.{text}", KEPT_SECONDS)


def take_notice(request: Request, browser: Browser, response: Response) -> None:
    """Drop the notice, which this page shows."""
    if COOKIE in request.cookies:
        browser.keep(response, COOKIE, "", 0)


def read_notice(request: Request, browser: Browser) -> Notice | None:
    """The notice of the form before this page. None, too, for one that the console has not left in this browser."""
    seal, _, text = request.cookies.get(COOKIE, "").partition(".")
    if not compare_digest(seal.encode(), browser.seal(text).encode()):
        return None
    return Notice(*json.loads(urlsafe_b64decode(text)))
