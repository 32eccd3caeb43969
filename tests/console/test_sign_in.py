"""A person signs in by key; the session is the browser's alone, and ends when it should."""

import pytest

from tests.fix_console import TOKEN, ConsoleClient, SignIn, StartConsole, add_person
from tests.fix_postgres import TestDatabase

IS_SIGNED_IN = (200, 303)


def status(browser: ConsoleClient) -> int:
    return browser.get("/stations").status_code


def test_person_is_led_to_the_address_that_was_asked_for(console: ConsoleClient, database: TestDatabase) -> None:
    asked = console.get("/stations?of=a%20b")
    assert asked.headers["location"] == "/sign-in?to=/stations%3Fof%3Da%2520b"
    answer = console.submit(asked.headers["location"], key=add_person(database, "aino", "viewer"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/stations?of=a%20b")
    assert console.get("/sign-in?to=/stations").headers["location"] == "/stations"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "/%09/evil.example", "", "javascript:x"],
)
def test_sign_in_leads_to_no_other_site(console: ConsoleClient, database: TestDatabase, elsewhere: str) -> None:
    answer = console.submit(f"/sign-in?to={elsewhere}", key=add_person(database, "aino", "viewer"))
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("key", ["sig_guess", "", "ä", "' OR true --"])
def test_wrong_key_lets_nobody_in_and_says_so(console: ConsoleClient, key: str) -> None:
    answer = console.submit("/sign-in", key=key)
    assert answer.status_code == 403
    assert "No person has that key" in answer.text
    assert status(console) == 303


def test_wrong_key_signs_nobody_out(viewer: ConsoleClient) -> None:
    token = TOKEN.findall(viewer.page("/stations"))[0]
    assert viewer.post_form("/sign-in", form_token=token, key="sig_guess").status_code == 403
    assert status(viewer) == 200


def test_cookie_is_kept_from_scripts_and_other_sites_and_is_new_after_signing_in(
    console: ConsoleClient, database: TestDatabase
) -> None:
    before = console.get("/sign-in").headers["set-cookie"]
    planted = dict(console.cookies)
    cookie = console.submit("/sign-in", key=add_person(database, "aino", "viewer")).headers["set-cookie"]
    for attribute in ("HttpOnly", "SameSite=lax", "Path=/"):
        assert attribute in before
        assert attribute in cookie
    assert console.cookies["signum"] != planted["signum"]
    console.cookies.clear()
    console.cookies.update(planted)
    assert status(console) == 303


def test_cookie_behind_tls_is_sent_over_tls_only(console: ConsoleClient) -> None:
    cookie = console.get("/sign-in", headers={"X-Forwarded-Proto": "https"}).headers["set-cookie"]
    assert cookie.startswith("__Host-signum=")
    assert "Secure" in cookie


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("UPDATE console_session SET used_at = now() - interval '12 hours 1 second'", 303),
        ("UPDATE console_session SET used_at = now() - interval '11 hours'", 200),
        ("UPDATE console_session SET created_at = now() - interval '7 days 1 second'", 303),
        ("UPDATE console_session SET created_at = now() - interval '6 days'", 200),
        ("UPDATE person SET revoked_at = now()", 303),
        ("DELETE FROM console_session", 303),
    ],
)
def test_session_ends_when_it_is_over_and_not_before(
    viewer: ConsoleClient, database: TestDatabase, change: str, expected: int
) -> None:
    assert status(viewer) == 200
    database.fetch(change)
    assert status(viewer) == expected


def test_use_is_noted_once_a_minute(viewer: ConsoleClient, database: TestDatabase) -> None:
    seen = "SELECT used_at > now() - interval '5 minutes', last_seen_at > now() - interval '5 minutes' FROM person "
    seen += "JOIN console_session USING (person_id)"
    database.fetch("UPDATE console_session SET used_at = now() - interval '1 hour'")
    database.fetch("UPDATE person SET last_seen_at = now() - interval '1 hour'")
    assert status(viewer) == 200
    assert database.fetch(seen) == [(True, True)]


def test_signing_out_ends_this_session_and_no_other(sign_in: SignIn, database: TestDatabase) -> None:
    one = sign_in("aino", "viewer")
    other = sign_in("eino", "viewer")
    cookies = dict(one.cookies)
    token = TOKEN.search(one.get("/stations").text)
    assert token
    assert one.post_form("/sign-out", form_token=token[1]).headers["location"] == "/sign-in"
    one.cookies.update(cookies)
    assert (status(one), status(other)) == (303, 200)


def test_only_hashes_are_stored(viewer: ConsoleClient, database: TestDatabase) -> None:
    secret = viewer.cookies["signum"]
    for table in ("person", "console_session"):
        assert database.fetch(f"SELECT count(*) FROM {table} t WHERE t::text LIKE %s", f"%{secret}%") == [(0,)]


def test_language_is_the_persons_and_else_the_browsers(viewer: ConsoleClient, database: TestDatabase) -> None:
    for accepted, word in (("fi-FI,fi;q=0.9", "Kirjaudu"), ("sv", "Logga"), ("de", "Sign in"), ("", "Sign in")):
        answer = ConsoleClient(viewer.base_url.port or 0).get("/sign-in", headers={"Accept-Language": accepted})
        assert word in answer.text
    token = TOKEN.search(viewer.get("/stations").text)
    assert token
    answer = viewer.post_form("/language", form_token=token[1], language="fi", to="/stations?a=1")
    assert answer.headers["location"] == "/stations?a=1"
    assert "Tulostuspisteet" in viewer.page("/stations")
    assert viewer.post_form("/language", form_token=token[1], language="tlh", to="/").status_code == 400


def test_person_that_the_proxy_names_is_signed_in(start_console: StartConsole, database: TestDatabase) -> None:
    add_person(database, "Åke", "viewer")
    console = start_console(console_user_header="X-Forwarded-User")
    console.headers["X-Forwarded-User"] = "Åke"
    assert "Åke, viewer" in console.page("/stations")
    assert "Sign out" not in console.page("/stations")
    assert database.fetch("SELECT last_seen_at IS NOT NULL FROM person") == [(True,)]
    database.fetch("UPDATE person SET revoked_at = now()")
    answer = console.get("/stations")
    assert (answer.status_code, "ask one of its admins" in answer.text) == (403, True)


def test_forged_header_signs_nobody_in_and_is_logged(
    start_console: StartConsole, database: TestDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    add_person(database, "aino", "admin")
    forged = [("X-Forwarded-User", "aino")]
    elsewhere = start_console(console_user_header="X-Forwarded-User", console_forwarded_allow_ips="192.0.2.1")
    assert elsewhere.get("/stations", headers=forged).status_code == 303
    hidden = [*forged, ("X-Forwarded-For", "192.0.2.1")]
    assert elsewhere.get("/stations", headers=hidden).status_code == 303
    told = [record for record in caplog.records if "names a person" in record.message]
    assert [vars(record)["sender"] for record in told] == ["127.0.0.1"]
    twice = start_console(console_user_header="X-Forwarded-User")
    assert twice.get("/stations", headers=[*forged, *forged]).status_code == 303
    keys_only = start_console()
    assert keys_only.get("/stations", headers=forged).status_code == 303
