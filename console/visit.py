"""A visit: the request of a person who is signed in, with all that a page needs to answer it."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from console.browser import Browser
from console.fields import Fields
from console.languages import choose, translations
from console.layout import show
from console.notice import Notice, leave_notice, read_notice, take_notice
from console.proxy import NAMED
from db.acts import write_act
from db.connections import DatabaseUnavailable
from db.console import ConsoleDatabase
from db.persons import Person, Role, find_person_by_name, find_person_by_session, see_person
from db.queue import Connection
from runtime.console_settings import ConsoleSettings

FROM_SCRIPT = "x-refresh"  # header of the script that renews a part of the page: it shows no notice


class NotSignedIn(Exception):
    """The browser is nobody's yet: it is sent to the page where one signs in."""


class Visit:
    """A signed-in person's request. See console/__init__.py."""

    def __init__(self, request: Request, person: Person) -> None:
        self.request = request
        self.person = person
        self.browser: Browser = request.state.browser
        self.form: Fields = request.state.form
        self.query = Fields(request.scope["query_string"])
        self.language = choose(person.language, request.headers.get("accept-language"))
        self.settings: ConsoleSettings = request.app.state.settings
        self._database: ConsoleDatabase = request.app.state.database

    @property
    def zone(self) -> ZoneInfo:
        """The library's time zone."""
        return ZoneInfo(self.settings.console_time_zone)

    def reading(self) -> AbstractAsyncContextManager[Connection]:
        """Begin the page's transaction, which only reads."""
        return self._database.reading()

    def acting(self) -> AbstractAsyncContextManager[Connection]:
        """Begin an act's transaction."""
        return self._database.acting()

    def administering(self) -> AbstractAsyncContextManager[Connection]:
        """Begin a transaction on persons and sessions."""
        return self._database.administering()

    def may(self, role: Role) -> bool:
        """Tell whether the person may do what that role may."""
        return self.person.is_at_least(role)

    def say(self, sentence: str, plural: str | None = None, number: int = 1, **values: object) -> str:
        """The sentence in the person's language, its places filled in; with a plural by the number."""
        return _fill(translations(self.language), sentence, plural, number, values)

    def render(self, template: str, status: int = 200, **values: object) -> Response:
        """The page, and above it the notice that the form before it has left."""
        is_whole = FROM_SCRIPT not in self.request.headers
        notice = read_notice(self.request, self.browser) if is_whole else None
        response = show(self.request, template, self.language, self.person, status, notice=notice, **values)
        if is_whole:
            take_notice(self.request, self.browser, response)
        return response

    def done(self, notice: str, *, is_good: bool = True, key: str | None = None) -> Response:
        """Lead back to the same address, filter and page with it. `is_good`: something was done. `key`: shown once."""
        return self.redirect(address_of(self.request), notice, is_good=is_good, key=key)

    def redirect(self, address: str, notice: str, *, is_good: bool = True, key: str | None = None) -> Response:
        """Lead to another address of ours (`request.scope["root_path"]` and all) with the notice."""
        response = RedirectResponse(address, 303)
        leave_notice(self.browser, response, Notice(notice, is_good, key))
        return response

    async def write_act(
        self,
        connection: Connection,
        action: str,
        target: Mapping[str, Any],
        number: int,
        sentence: str,
        plural: str | None = None,
        *,
        reason: str | None = None,
        **values: object,
    ) -> str:
        """Write what the person does in the transaction that is open; return the sentence as the notice.

        `action` is in the words of the command (`client add`); `number` says how many things were changed, also to the
        sentence, where it is `%(number)s`. The row has the sentence in English.
        """
        english = _fill(translations("en"), sentence, plural, number, values)
        await write_act(
            connection, self.person.person_name, action, target, number, english, through="console", reason=reason
        )
        return self.say(sentence, plural, number, **values)


def _fill(language: Any, sentence: str, plural: str | None, number: int, values: Mapping[str, object]) -> str:
    text: str = language.gettext(sentence) if plural is None else language.ngettext(sentence, plural, number)
    return text % {"number": number, **values}


def address_of(request: Request) -> str:
    """The request's address at this host as the browser sent it, with its query."""
    path: str = request.scope["raw_path"].decode("latin-1")
    query: str = request.scope["query_string"].decode("latin-1")
    return "/" + path.lstrip("/") + ("?" + query if query else "")


async def find_person(request: Request) -> Person | None:
    """The person whom the proxy in front names, else the one who has signed in; 403 if the named one is unknown."""
    database: ConsoleDatabase = request.app.state.database
    browser: Browser = request.state.browser
    named: str | None = request.scope.get(NAMED)
    async with database.looking_up() as connection:
        if named is None:
            person = await find_person_by_session(connection, browser.secret)
        else:
            person = await find_person_by_name(connection, named)
    if named is not None and person is None:
        raise HTTPException(
            403, f"You are signed in as {named}, whom this console does not know: ask one of its admins"
        )
    if person is not None and person.is_old:
        with suppress(DatabaseUnavailable):  # a database that only reads shows its pages all the same
            async with database.administering() as connection:
                await see_person(connection, person, browser.secret)
    return person


def at_least(role: Role) -> Callable[[Request], Awaitable[Visit]]:
    """The dependency of a route: a person who may do what that role may."""

    async def visit(request: Request) -> Visit:
        person = await find_person(request)
        if person is None:
            raise NotSignedIn
        if not person.is_at_least(role):
            raise HTTPException(403, f"This is for people with the role {role}; you are {person.role}")
        return Visit(request, person)

    return visit


Viewer = Annotated[Visit, Depends(at_least("viewer"))]
Operator = Annotated[Visit, Depends(at_least("operator"))]
Admin = Annotated[Visit, Depends(at_least("admin"))]
