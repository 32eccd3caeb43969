"""SQL stands in files of named statements, `sql/*.sql` in the package that sends them; this reads such a file."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import LiteralString

NAMED_STATEMENT = re.compile(r"^-- name: (\w+)\n(.*?)(?=^-- name: |\Z)", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"^ *--.*\n", re.MULTILINE)


@cache
def load(package: str, file: str) -> Mapping[str, LiteralString]:
    """The statements of `package`/sql/`file`.sql by name, each below a line `-- name: …`; parameters as `%(name)s`.

    The text comes from a file of ours and never from a user: hence LiteralString, which is what psycopg asks for. The
    comments stay in the file: psycopg reads a statement of over 4,096 characters anew each time that it is sent.
    """
    text = (files(package) / "sql" / f"{file}.sql").read_text(encoding="utf-8")
    named = NAMED_STATEMENT.findall(text)
    statements = {name: COMMENT.sub("", body).strip().rstrip(";") for name, body in named}
    return MappingProxyType(statements)
