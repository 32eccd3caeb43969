"""The console as browsers meet it: real HTTP on 127.0.0.1, and persons of each role, signed in.

`console` asks as nobody; `viewer`, `operator` and `admin` as a person of that role, named like it.
"""

import contextlib
import hashlib
import re
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import httpx
import pytest

from console.app import make_app
from console.server import ConsoleServer
from runtime.console_settings import ConsoleSettings
from tests.fix_postgres import TestDatabase

STOP_SECONDS = 5.0  # less than the console waits for requests under way
TOKEN = re.compile(r'name="form_token" value="(\w+)"')


class ConsoleClient(httpx.Client):
    """A browser without a window at one running console: keeps cookies, follows no redirect."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        super().__init__(base_url=self.origin, follow_redirects=False, timeout=10.0, trust_env=False)

    def page(self, address: str) -> str:
        """The page's HTML, with its entities as characters; it must be there."""
        answer = self.get(address)
        assert answer.status_code == 200, (address, answer.status_code, answer.headers.get("location"), answer.text)
        return unescape(answer.text)

    def submit(self, address: str, **fields: Any) -> httpx.Response:
        """The answer to a form of the page at this address, with the page's token."""
        token = TOKEN.search(self.get(address).text)
        assert token, f"{address} has no form"
        return self.post_form(address, form_token=token[1], **fields)

    def post_form(self, address: str, **fields: Any) -> httpx.Response:
        """The answer to a form from our origin, with these fields only."""
        return self.post(address, data=fields, headers={"Origin": self.origin})

    def act(self, address: str, **fields: Any) -> str:
        """Send the form; the page that the answer leads to, with the notice of what came of it."""
        answer = self.submit(address, **fields)
        assert answer.status_code == 303, (answer.status_code, answer.text)
        return self.page(answer.headers["location"])


@contextlib.contextmanager
def serving(settings: ConsoleSettings) -> Iterator[int]:
    """Serve a console in a thread; its port. The socket listens from the start, so that no test has to wait for it."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        server = ConsoleServer(make_app(settings), settings)
        thread = threading.Thread(target=server.run, args=([listener],), name="console under test")
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(STOP_SECONDS)
            assert not thread.is_alive()


StartConsole = Callable[..., ConsoleClient]
SignIn = Callable[[str, str], ConsoleClient]


@pytest.fixture
def start_console(database: TestDatabase) -> Iterator[StartConsole]:
    """Starts a console with the settings given, on the test's database where they don't say otherwise."""
    with contextlib.ExitStack() as stack:

        def start(**given: Any) -> ConsoleClient:
            settings = ConsoleSettings(**database.settings(**given))
            return stack.enter_context(ConsoleClient(stack.enter_context(serving(settings))))

        yield start


@pytest.fixture
def console(start_console: StartConsole) -> ConsoleClient:
    """The console, asked by a browser in which nobody is signed in."""
    return start_console()


def add_person(database: TestDatabase, name: str, role: str) -> str:
    """A new person's key."""
    key = "sig_" + secrets.token_urlsafe(32)
    database.fetch(
        "INSERT INTO person (person_name, role, key_sha256, language) VALUES (%s, %s, %s, 'en')",
        name,
        role,
        hashlib.sha256(key.encode()).digest(),
    )
    return key


@pytest.fixture
def sign_in(console: ConsoleClient, database: TestDatabase) -> Iterator[SignIn]:
    """Signs a new person of that name and role in, in a browser of their own."""
    with contextlib.ExitStack() as stack:

        def enter(name: str, role: str) -> ConsoleClient:
            browser = stack.enter_context(ConsoleClient(console.base_url.port or 0))
            answer = browser.submit("/sign-in", key=add_person(database, name, role))
            assert answer.status_code == 303, answer.text
            return browser

        yield enter


@pytest.fixture
def viewer(sign_in: SignIn) -> ConsoleClient:
    """A person who may look."""
    return sign_in("viewer", "viewer")


@pytest.fixture
def operator(sign_in: SignIn) -> ConsoleClient:
    """A person who may act on items."""
    return sign_in("operator", "operator")


@pytest.fixture
def admin(sign_in: SignIn) -> ConsoleClient:
    """A person who may do all."""
    return sign_in("admin", "admin")
