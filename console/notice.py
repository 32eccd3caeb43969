"""The notice above a page, on what came of the form before it: a cookie that the next page shows and drops."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
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
    browser.keep(response, COOKIE, urlsafe_b64encode(json.dumps(notice).encode()).decode(), KEPT_SECONDS)


def take_notice(request: Request, browser: Browser, response: Response) -> None:
    """Drop the notice, which this page shows."""
    if COOKIE in request.cookies:
        browser.keep(response, COOKIE, "", 0)


def read_notice(request: Request) -> Notice | None:
    """The notice of the form before this page. None, too, if it can't be read."""
    try:
        text, is_good, key = json.loads(urlsafe_b64decode(request.cookies.get(COOKIE, "")))
    except ValueError:
        return None
    return Notice(str(text), bool(is_good), None if key is None else str(key))
