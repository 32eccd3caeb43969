"""No route of the console is reached without signing in, by a forged form, or beyond the role."""

import itertools
import re
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute

from console.app import PARTS
from db.persons import ROLES
from tests.fix_console import TOKEN, ConsoleClient, SignIn, StartConsole
from tests.fix_postgres import TestDatabase
from tests.fix_roles import AsRole

FOR_ALL = {("GET", "/healthz"), ("GET", "/sign-in"), ("POST", "/sign-in")}
OF_OPERATORS = {"/", "/queue/act", "/item/1", "/history/undo"}  # POSTs that an operator may make
OF_VIEWERS = {"/language", "/sign-out"}


def routes() -> Iterator[tuple[str, str]]:
    """Each method and path that the console answers."""
    for route in itertools.chain.from_iterable(part.router.routes for part in PARTS):
        if isinstance(route, APIRoute):
            path = re.sub(r"{\w+(:\w+)?}", "1", route.path)
            yield from ((method, path) for method in sorted(route.methods or ()))


ROUTES = sorted(routes())


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nothing_but_the_sign_in_is_shown_to_a_browser_without_a_person(
    console: ConsoleClient, method: str, path: str
) -> None:
    if (method, path) in FOR_ALL:
        return
    token = TOKEN.search(console.get("/sign-in").text)
    assert token
    answer = console.get(path) if method == "GET" else console.post_form(path, form_token=token[1])
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?to=")


@pytest.mark.parametrize("path", [path for method, path in ROUTES if method == "POST"])
def test_form_from_elsewhere_is_refused_whoever_sends_it(
    admin: ConsoleClient, database: TestDatabase, path: str
) -> None:
    token = TOKEN.search(admin.get("/stations").text)
    assert token
    fields = {"form_token": token[1]}
    for origin in ("https://evil.example", "null", admin.origin.replace("127.0.0.1", "localhost"), ""):
        answer = admin.post(path, data=fields, headers={"Origin": origin} if origin else {})
        assert (answer.status_code, "another site" in answer.text) == (403, True), origin
    for forged in ({"form_token": ""}, {"form_token": "0" * 64}, {"form_token": "ä"}):
        answer = admin.post_form(path, **forged)
        assert (answer.status_code, "no longer valid" in answer.text) == (403, True), forged
    assert database.fetch("SELECT count(*) FROM act") == [(0,)]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("path", [path for method, path in ROUTES if method == "POST"])
def test_act_beyond_the_persons_role_is_refused(sign_in: SignIn, path: str, role: str) -> None:
    least = "viewer" if path in OF_VIEWERS else "operator" if path in OF_OPERATORS else "admin"
    if (("POST", path) in FOR_ALL) or role not in ROLES[: ROLES.index(least)]:
        return
    browser = sign_in(f"some {role}", role)
    token = TOKEN.search(browser.get("/stations").text)
    assert token
    answer = browser.post_form(path, form_token=token[1])
    assert answer.status_code == 403
    assert f"people with the role {least}" in answer.text


def test_console_needs_no_more_than_its_role(as_role: AsRole, start_console: StartConsole, sign_in: SignIn) -> None:
    of_admin = sign_in("aino", "admin")
    least = start_console(**as_role("signum_console").settings())
    least.cookies.update(of_admin.cookies)
    for method, path in ROUTES:
        if method == "GET" and path not in ("/events", "/sign-in", "/queue/act", "/item", "/item/1", "/history/undo"):
            least.page(path)
    retried = least.submit("/queue/act?act=retry+all", asked_at="2026-11-26T12:00:00+00:00", asked="0")
    assert retried.headers["location"] == "/queue"
    assert "desk 3 is added" in least.act("/stations", act="add", name="desk 3", type="etl")
    token = TOKEN.search(least.page("/stations").replace("'", '"'))
    assert token
    for path in ("/language", "/sign-out"):
        answer = least.post_form(path, form_token=token[1], language="fi", to="/stations")
        assert answer.status_code == 303
