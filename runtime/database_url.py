"""DATABASE_URL, as hosting services hand it out: the settings DB_… in one."""

import psycopg
from psycopg.conninfo import conninfo_to_dict

SETTINGS = {"host": "db_host", "port": "db_port", "user": "db_user", "password": "db_password", "dbname": "db_name"}
DEFAULT_PORT = "5432"
FORM = "it is no postgresql://USER:PASSWORD@HOST:PORT/NAME"


def read_database_url(url: str) -> dict[str, str]:
    """The settings that a URL gives, by their names. ValueError gives the reason if it can't, and no part of the URL.

    A driver in the scheme, as SQLAlchemy has it, is ignored.
    """
    scheme, _, rest = url.strip().partition("://")
    if scheme.partition("+")[0] not in ("postgresql", "postgres") or not rest:
        raise ValueError(FORM)
    _refuse_bare_characters(rest)
    try:
        found = conninfo_to_dict(f"postgresql://{rest}")
    except psycopg.ProgrammingError:
        raise ValueError(FORM) from None
    if foreign := sorted(found.keys() - SETTINGS.keys()):
        raise ValueError(f"leave out {', '.join(foreign)}, libpq's own variables are for that (PGSSLMODE for sslmode)")
    if "port" in found:  # of several hosts: empty where the URL gives a host no port
        found["port"] = ",".join(port or DEFAULT_PORT for port in str(found["port"]).split(","))
    return {SETTINGS[name]: str(value) for name, value in found.items()}


def _refuse_bare_characters(rest: str) -> None:
    """Refuse a password with bare @ or /: it would be cut in the wrong place, and a part shown as host or name."""
    authority = rest.partition("?")[0]
    before, _, behind = authority.partition("/")
    if before.count("@") > 1 or "@" in behind:
        raise ValueError("in a password, @ is written %40, / is %2F, : is %3A, ? is %3F, % is %25")
