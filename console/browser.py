"""The browser's cookie, and the check that a form comes from a page of ours.

The cookie is 256 random bits. Each browser gets one, signed in or not; signing in gives it a new one, whose SHA-256 is
the session. A form has a token made from the cookie, which no other site knows. Links on other sites come with the
cookie (SameSite=Lax), for addresses are shared; their forms, and only forms act, do not.
"""

import hmac
import secrets
from hashlib import sha256

from fastapi import HTTPException, Request, Response

from console.fields import Fields, read_form
from console.languages import N_

COOKIE_SECONDS = 7 * 24 * 3600
TOKEN = "form_token"  # noqa: S105  # the field's name


def new_secret() -> str:
    """256 random bits for a cookie."""
    return secrets.token_urlsafe(32)


class Browser:
    """The browser of a request."""

    def __init__(self, request: Request) -> None:
        self._is_secure = request.url.scheme == "https"
        self._name = "__Host-signum" if self._is_secure else "signum"
        given = request.cookies.get(self._name, "")
        self._is_new = not given
        self.secret = given or new_secret()

    @property
    def token(self) -> str:
        """The token of this browser's forms."""
        return sha256(f"form {self.secret}".encode()).hexdigest()

    def seal(self, text: str) -> str:
        """The proof that the console gave this text to this browser."""
        return hmac.new(self.secret.encode(), text.encode(), "sha256").hexdigest()

    def renew(self, secret: str) -> None:
        """Give the browser another cookie: one that it had before it signed in is nobody's session."""
        self.secret, self._is_new = secret, True

    def remember(self, response: Response) -> None:
        """Have the browser keep its cookie, if it is a new one."""
        if self._is_new:
            self.keep(response, self._name, self.secret, COOKIE_SECONDS)

    def keep(self, response: Response, name: str, value: str, seconds: int) -> None:
        """Have the browser keep a cookie that no script can read; 0 seconds: drop it."""
        response.set_cookie(
            name, value, max_age=seconds, path="/", secure=self._is_secure, httponly=True, samesite="lax"
        )


async def check_form(request: Request) -> None:
    """Refuse a form that does not come from a page of ours. Runs before every route there is."""
    browser = Browser(request)
    request.state.browser, request.state.form = browser, Fields(b"")
    if request.method in ("GET", "HEAD"):
        return
    form = await read_form(request)
    scheme, _, host = request.headers.get("origin", "").partition("://")
    if not scheme or not host or host != request.headers.get("host"):
        raise HTTPException(403, N_("This form comes from another site: open the page here, and send it again"))
    if not secrets.compare_digest(form.text(TOKEN).encode(), browser.token.encode()):
        raise HTTPException(403, N_("This form is no longer valid: open the page anew, and send it again"))
    request.state.form = form
