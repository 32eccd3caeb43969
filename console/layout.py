"""The frame of every page, and the words in which it tells times and numbers."""

from datetime import UTC, datetime
from functools import cache, partial
from hashlib import sha256
from importlib.resources import files
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_timedelta
from babel.numbers import format_decimal
from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from console.browser import TOKEN, Browser
from console.languages import LANGUAGES, N_, locale_of, translations
from console.proxy import NAMED
from db.persons import Person, Role
from runtime.console_settings import ConsoleSettings


class Link(NamedTuple):
    """A page in the navigation, for persons with at least that role."""

    path: str
    name: str
    role: Role = "viewer"


ROLE_NAMES = (N_("viewer"), N_("operator"), N_("admin"))

LINKS = (
    Link("/", N_("Now")),
    Link("/queue", N_("Queue")),
    Link("/history", N_("History")),
    Link("/progress", N_("Progress")),
    Link("/catalogue", N_("Catalogue")),
    Link("/stations", N_("Stations and keys")),
    Link("/people", N_("People"), "admin"),
    Link("/acts", N_("Acts"), "operator"),
)

_TOKEN_FIELD = Markup('<input type="hidden" name="{}" value="{}">')
_TIME = Markup('<time datetime="{}" title="{}">{}</time>')


@cache
def environment(language: str) -> Environment:
    """The templates in a language."""
    made = Environment(
        loader=PackageLoader("console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    known = translations(language)
    made.install_gettext_callables(known.gettext, known.ngettext, newstyle=True)  # type: ignore[attr-defined]
    locale = locale_of(language)
    made.filters["number"] = partial(format_decimal, locale=locale)
    return made


@cache
def static_version(name: str) -> str:
    """The beginning of the file's SHA-256: browsers keep a file until that changes."""
    return sha256((files("console") / "static" / name).read_bytes()).hexdigest()[:12]


def tell_time(at: datetime | None, language: str, zone: ZoneInfo) -> Markup:
    """The time in the reader's words ("4 minutes ago"), with the exact one for pointers and machines; None: a dash."""
    if at is None:
        return Markup("–")
    locale = locale_of(language)
    words = format_timedelta(at - datetime.now(UTC), add_direction=True, locale=locale)
    exact = format_datetime(at, "yyyy-MM-dd HH:mm:ss" if language == "en" else "medium", tzinfo=zone, locale=locale)
    return _TIME.format(at.astimezone(UTC).isoformat(timespec="seconds"), exact, words)


def show(
    request: Request, template: str, language: str, person: Person | None, status: int = 200, **values: Any
) -> Response:
    """A page, of a signed-in person or of none."""
    settings: ConsoleSettings = request.app.state.settings
    browser: Browser = request.state.browser
    root: str = request.scope["root_path"]
    known = translations(language)
    page = environment(language).get_template(template)
    text = page.render(
        {
            "person": person,
            "language": language,
            "languages": LANGUAGES,
            "library": settings.console_title,
            "env": settings.env,
            "is_production": settings.env.upper() == "PROD",
            "links": [
                (link.path, known.gettext(link.name)) for link in LINKS if person and person.is_at_least(link.role)
            ],
            "path": request.scope["raw_path"].decode("latin-1").removeprefix(root),
            "url": lambda path: root + path,
            "static": lambda name: f"{root}/static/{name}?v={static_version(name)}",
            "token": lambda: _TOKEN_FIELD.format(TOKEN, browser.token),
            "ago": lambda at: tell_time(at, language, ZoneInfo(settings.console_time_zone)),
            "is_named_by_proxy": request.scope.get(NAMED) is not None,
            "notice": None,
            **values,
        }
    )
    response = HTMLResponse(text, status)
    browser.remember(response)
    return response
